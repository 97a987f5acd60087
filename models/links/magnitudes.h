#pragma once
// P x V -> importance: how much a query head put out.
#include <cstdint>

#include "models/prim/link.h"

namespace winnow {

struct HeadMagnitude {
  std::uint16_t head = 0;
  std::uint64_t value = 0;  // sum of |out| times out16

  template <class V>
  void fields(V&& v) {
    v("head", head, 16), v("value", value, 36);
  }
};

struct Magnitudes {
  using Payload = HeadMagnitude;
  static constexpr LinkInfo kInfo{"magnitudes", "pv", "importance", "one an output vector, read one a cycle"};
  static std::size_t depth(const Sizes&) { return 8; }
};

}  // namespace winnow
