#pragma once
// Q x K -> controller: nobody reads this half of K any more.
#include <cstdint>

#include "models/prim/link.h"

namespace winnow {

struct HalfReleased {
  std::uint8_t half = 0;

  template <class V>
  void fields(V&& v) {
    v("half", half, 3);
  }
};

struct KeyReleased {
  using Payload = HalfReleased;
  static constexpr LinkInfo kInfo{"key_released", "qk", "controller", "one a half, and room to spare"};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
