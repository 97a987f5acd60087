#pragma once
// P x V -> write-back: output vectors.
#include <array>
#include <cstdint>

#include "models/prim/limits.h"
#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

// 12-bit two's complement values, packed from `address` (32 B aligned) on; the rest of its last burst is zero.
struct OutputVector {
  Tag tag;
  std::uint64_t address = 0;
  std::uint16_t words = 0;  // head dimension, a multiple of 8
  std::array<std::int16_t, kMaxHeadDim> data{};

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("address", address, 36), v("words", words, 9), v("data", data, 12 * kMaxHeadDim);
  }
};

struct Outputs {
  using Payload = OutputVector;
  static constexpr LinkInfo kInfo{"outputs", "pv", "writeback",
                                  "a group of short rows ends at once, write-back takes a burst a cycle", true};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
