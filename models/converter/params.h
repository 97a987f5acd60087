#pragma once
// Sizes of the converter. It has no section in the machine's YAML: they follow from the arrays and the memory.
#include "golden/formats.h"

namespace winnow {

struct ConverterParams {
  int head_dim = 64;          // D, a multiple of 8 up to 256
  int vectors_per_cycle = 8;  // multipliers / D = banks of the K and V buffer
  int scales_per_cycle = 32;
  int max_word_bits = golden::kWordBits;  // 32 for shape-only workloads: sizes the window
};

}  // namespace winnow
