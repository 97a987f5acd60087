#pragma once
// Softmax -> controller: a group's probabilities are there, or (where readers follow) begin to be.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

struct GroupDone {
  Tag tag;
  std::uint16_t store = 0;

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("store", store, 4);
  }
};

struct GroupsDone {
  using Payload = GroupDone;
  static constexpr LinkInfo kInfo{"groups_done", "softmax", "controller",
                                  "the stage's latency in groups of one short row"};
  static Cycle latency(const Sizes& s) { return static_cast<Cycle>(s.requantize_latency); }
  static std::size_t depth(const Sizes&) { return 32; }
};

}  // namespace winnow
