#pragma once
// Sizes of the converter. Its section of the machine's YAML is ConverterSizes; the rest follows from the arrays and the
// memory.
#include "golden/formats.h"
#include "models/prim/params.h"

namespace winnow {

struct ConverterSizes {
  int latency = 4;            // stages from a burst taken to its words written
  int scales_per_cycle = 16;  // V scales

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("latency", p.latency, "cycles", param::latency(), "locate, align, shift, write");
    v("scales_per_cycle", p.scales_per_cycle, "", param::range(1, 64), "V scales written a cycle");
  }
};

struct ConverterParams {
  int head_dim = 64;          // D, a multiple of 8 up to 256
  int vectors_per_cycle = 8;  // floor(multipliers / D) = banks of the K and V buffer
  int scales_per_cycle = 32;
  int max_word_bits = golden::kWordBits;  // 32 for shape-only workloads: sizes the window
  int latency = 1;                        // ConverterSizes
  bool sums = false;                      // vectors of V's sums come too: sizes the window
};

}  // namespace winnow
