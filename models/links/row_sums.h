#pragma once
// Softmax -> progressive: the denominator of each query head's pass.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

struct RowSum {
  Tag tag;
  std::uint16_t store = 0;
  std::uint64_t denominator = 0;
  bool last_row = false;  // of the group

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("store", store, 4), v("denominator", denominator, 40), v("last_row", last_row, 1);
  }
};

struct RowSums {
  using Payload = RowSum;
  static constexpr LinkInfo kInfo{"row_sums", "softmax", "progressive",
                                  "short rows end closer together than the stages are long", true};
  static Cycle latency(const Sizes& s) { return static_cast<Cycle>(s.sum_latency); }
  static std::size_t depth(const Sizes&) { return 64; }
};

}  // namespace winnow
