#pragma once
// Sizes of the Q x K array: its section of the machine's YAML. Defaults are the paper's (IV.E); the latencies are
// its authors' timing model's.
#include "models/prim/limits.h"
#include "models/prim/params.h"

namespace winnow {

struct QkParams {
  int multipliers = 512;
  int brick_bits = 12;
  struct Sram {  // K: one half of a double buffer, tokens * head_dim words of 12 bits
    int tokens = 1024;
    int head_dim = 64;
    int words() const { return tokens * head_dim; }
  } sram;
  int read_latency = 1, multiply_latency = 1, tree_latency = 9;
  int latency() const { return read_latency + multiply_latency + tree_latency; }

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("multipliers", p.multipliers, "", param::power(8, 4096), "12 bit; floor(multipliers / D) scores a cycle");
    v("brick_bits", p.brick_bits, "bits", param::range(2, 12),
      "12: whole multipliers; a divisor of 12: each is made of bricks, more products of narrow words");
    v("sram.tokens", p.sram.tokens, "tokens", param::range(8, 1 << 18),
      "of half the K buffer, at the next key's width");
    v("sram.head_dim", p.sram.head_dim, "words", param::power(8, kMaxHeadDim), "width that qk.sram.tokens counts");
    v("read_latency", p.read_latency, "cycles", param::latency(), "K SRAM");
    v("multiply_latency", p.multiply_latency, "cycles", param::latency(), "");
    v("tree_latency", p.tree_latency, "cycles", param::latency(), "adder tree");
  }
};

}  // namespace winnow
