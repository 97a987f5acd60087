#pragma once
// Sizes of the P x V array: its section of the machine's YAML. Defaults are the paper's (IV.G); the latencies are
// its authors' timing model's.
#include "models/prim/limits.h"
#include "models/prim/params.h"

namespace winnow {

struct PvParams {
  int multipliers = 512;
  int brick_bits = 12;
  struct Sram {  // V: one half of a double buffer, tokens * head_dim words of 12 bits
    int tokens = 1024;
    int head_dim = 64;
    int words() const { return tokens * head_dim; }
  } sram;
  int row_fifo = 128;     // entries, each floor(multipliers / D) weights: a bank's queue of a row
  int requantizers = 32;  // outputs a cycle
  int scale_banks = 16;   // of the V scales
  int divide_latency = 17;
  int read_latency = 1, multiply_latency = 1, tree_latency = 1;
  int latency() const { return read_latency + multiply_latency + tree_latency; }
  int output_vectors = 2;  // rows in the trees, at the requantizers or waiting for write-back

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("multipliers", p.multipliers, "", param::power(8, 4096), "12 bit; floor(multipliers / D) tokens a cycle");
    v("brick_bits", p.brick_bits, "bits", param::range(2, 12), "as qk.brick_bits");
    v("sram.tokens", p.sram.tokens, "tokens", param::range(8, 1 << 18),
      "of half the V buffer, at the next key's width");
    v("sram.head_dim", p.sram.head_dim, "words", param::power(8, kMaxHeadDim), "width that pv.sram.tokens counts");
    v("row_fifo", p.row_fifo, "entries", param::range(2, 1 << 18), "of floor(multipliers / D) weights; two rows");
    v("requantizers", p.requantizers, "", param::power(1, kMaxHeadDim), "outputs requantized a cycle");
    v("output_vectors", p.output_vectors, "vectors", param::range(2, 64),
      "of D outputs; rows in the trees, at the requantizers or waiting for write-back have one each");
    v("scale_banks", p.scale_banks, "", param::power(1, 1024), "of the V scales, one read a cycle each");
    v("divide_latency", p.divide_latency, "cycles", param::latency(), "1 / kept probability, one division at a time");
    v("read_latency", p.read_latency, "cycles", param::latency(), "V SRAM");
    v("multiply_latency", p.multiply_latency, "cycles", param::latency(), "");
    v("tree_latency", p.tree_latency, "cycles", param::latency(), "adder trees");
  }
};

}  // namespace winnow
