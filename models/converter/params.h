#pragma once
// Sizes of the converter. Its section of the machine's YAML is ConverterSizes; the rest follows from the arrays and the
// memory.
#include "golden/formats.h"
#include "models/prim/params.h"

namespace winnow {

struct ConverterSizes {
  int latency = 4;            // stages from a burst taken to its words written
  int array_widths = 1;       // vectors a cycle to K and to V, in widths of the multiplier array
  int scales_per_cycle = 16;  // V scales

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("latency", p.latency, "cycles", param::latency(), "locate, align, shift, write");
    v("array_widths", p.array_widths, "", param::range(1, 8),
      "vectors a cycle: so often floor(multipliers / D); narrow digits come faster than an array of whole words takes");
    v("scales_per_cycle", p.scales_per_cycle, "", param::range(1, 64), "V scales written a cycle");
  }
};

struct ConverterParams {
  int head_dim = 64;          // D, a multiple of 8 up to 256
  int vectors_per_cycle = 8;  // at most the banks of the K and V buffer
  int scales_per_cycle = 32;
  int max_word_bits = golden::kWordBits;  // 32 for shape-only workloads: sizes the window
  int latency = 1;                        // ConverterSizes
  bool sums = false;                      // vectors of V's sums come too: sizes the window
};

}  // namespace winnow
