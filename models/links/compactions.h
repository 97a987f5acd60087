#pragma once
// Controller -> softmax: the survivors of a stage move up; and the answer when they have.
#include <cstdint>

#include "models/prim/link.h"

namespace winnow {

struct CompactJob {
  std::uint16_t store = 0;
  template <class V>
  void fields(V&& v) {
    v("store", store, 4);
  }
};
struct CompactDone {
  std::uint16_t store = 0;
  template <class V>
  void fields(V&& v) {
    v("store", store, 4);
  }
};

struct Compactions {
  using Payload = CompactJob;
  static constexpr LinkInfo kInfo{"compactions", "controller", "softmax", "one a group in flight"};
  static std::size_t depth(const Sizes&) { return 4; }
};
struct CompactionsDone {
  using Payload = CompactDone;
  static constexpr LinkInfo kInfo{"compactions_done", "softmax", "controller", "one a group in flight"};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
