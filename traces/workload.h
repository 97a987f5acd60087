#pragma once
// Shape-only workloads in the format of SpAtten's authors (CSV): per decode step, layer and head how many keys and
// values are fetched at which width, and whether the key LSBs follow. No values, and not which tokens.
#include <cstdint>
#include <string>
#include <vector>

namespace winnow {

// One row of the file: one head of one layer of one step. A pruned head has no row.
struct WorkloadRow {
  int line = 0;  // in the file, from 1
  int step = 0, layer = 0, head = 0;
  int head_dim = 0;  // embedding_length_D
  int length = 0;    // sentence_length_L, the current token included
  int keys = 0;      // key_fetch_num
  int key_bits = 0;  // the first pass's; 32 for float
  int query_bits = 0;
  double threshold = 0;  // auto_requant_thres, as written; the decision stands in `refetch`
  bool refetch = false;  // if_requant: all keys are read again, refetch_bits each
  int refetch_bits = 0;  // auto_requant_incre; 0 without refetch
  int values = 0;        // value_fetch_num, of the keys
  int value_bits = 0;
  bool accumulate_importance = false, rescale_importance = false;
  bool topk = false;    // the layer ends with a token top-k
  int topk_tokens = 0;  // what it keeps; 0 without topk
};

struct Workload {
  std::string name;
  std::string note;                      // the file name in the last row, if there is one
  int head_dim = 0;                      // the same in every row
  int steps = 0, layers = 0, heads = 0;  // largest index + 1
  int longest = 0;                       // largest length
  std::vector<WorkloadRow> rows;         // in order of (step, layer, head)
};

// Throws Error `file: line N: column: value: rule`. The columns may stand in any order; others are ignored.
Workload read_workload(const std::string& path);
// The same from text; `name` begins the errors.
Workload parse_workload(const std::string& name, const std::string& text);
bool is_workload(const std::string& path);  // ends in .csv

// Useful bytes, by the closed form (bursts may carry more).
struct WorkloadBytes {
  std::uint64_t key = 0, key_refetch = 0;  // keys * D * bits / 8
  std::uint64_t value = 0;                 // values * D * bits / 8
  std::uint64_t query = 0;                 // D * bits / 8 a row
  std::uint64_t keys_and_values() const { return key + key_refetch + value; }
};
WorkloadBytes row_bytes(const WorkloadRow& row);
WorkloadBytes total_bytes(const Workload& workload);
// What K and V of all tokens of every head would take at `bits`: length * D * bits / 8, twice, for each
// of `heads` heads in every layer of every step, those without a row included.
std::uint64_t dense_bytes(const Workload& workload, int bits);

}  // namespace winnow
