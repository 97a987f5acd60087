#pragma once
// Progressive -> softmax and controller: what was decided on a group's first pass.
#include <cstdint>

#include "models/prim/link.h"

namespace winnow {

struct Verdict {
  std::uint16_t store = 0;
  bool refetch = false;

  template <class V>
  void fields(V&& v) {
    v("store", store, 4), v("refetch", refetch, 1);
  }
};

struct VerdictsToSoftmax {
  using Payload = Verdict;
  static constexpr LinkInfo kInfo{"verdicts_to_softmax", "progressive", "softmax", "one a group in flight"};
  static std::size_t depth(const Sizes&) { return 4; }
};
struct VerdictsToController {
  using Payload = Verdict;
  static constexpr LinkInfo kInfo{"verdicts_to_controller", "progressive", "controller", "one a group in flight"};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
