#pragma once
// What a machine is elaborated with, for one shape of model: links and memories take their depths and words from here.
// Made from the machine's description and the trace's shape by sizes_of (sim/machine/inventory.h).
#include <cstdint>

namespace winnow {

struct Sizes {
  int group = 1;                       // query heads a KV head
  int head_dim = 64;                   // D
  int longest = 1024;                  // tokens that a head holds at most
  int heads = 1;                       // query heads of a layer
  int halves = 2;                      // heads in flight: parts of K, V and scale memory
  int stores = 2;                      // groups in flight where K and V are resident; decode has one a head
  int key_banks = 8, value_banks = 8;  // vectors a cycle (bricks.h)
  int pool_rows = 0;                   // of the pool that K and V share, if they do
  int pool_columns = 0;                // of its rows
  int column_bits = 12;                // of a word, in a column
  int width = 8;                       // of softmax: values a cycle
  int score_width = 8;                 // of its widest pass: slots of a word of the score memories
  int score_entries = 4096;            // words of a score memory, a head in flight
  int selection_read = 8;              // selection scores that the top-k unit reads a cycle
  int qk_latency = 11;                 // cycles from a row of K to its scores
  int sum_latency = 44;                // softmax: exponential and accumulation
  int requantize_latency = 7;          // softmax: the last stage
  int greedy_columns = 0;              // of the greedy search, a cycle; 0: there is none
  int greedy_scan = 16;                // candidates of a word
  int group_registers = 0;             // bits of a group in flight that only some policies ask for
  int key_words = 1024 * 64;           // of a half of K, and of its sorted columns
};

}  // namespace winnow
