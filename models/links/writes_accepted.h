#pragma once
// Memory -> controller: how many of the channels took a write in a cycle. The controller counts them; a layer is
// written when as many were taken as it has bursts of outputs.
#include <cstdint>

#include "models/prim/link.h"

namespace winnow {

struct AcceptedWrites {
  std::uint8_t count = 0;

  template <class V>
  void fields(V&& v) {
    v("count", count, 6);
  }
};

struct WritesAccepted {
  using Payload = AcceptedWrites;
  static constexpr LinkInfo kInfo{"writes_accepted", "hbm2", "controller",
                                  "one a cycle; the controller always takes it"};
  static std::size_t depth(const Sizes&) { return 2; }
};

}  // namespace winnow
