#pragma once
// Q x K -> softmax: partial scores, floor(multipliers / D) a cycle, through the adder tree.
#include <array>
#include <cstdint>

#include "models/prim/limits.h"
#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

struct ScoreRow {
  Tag tag;
  std::uint16_t store = 0;
  bool add = false, last = false;
  std::uint32_t first = 0;  // slot of value[0]
  int count = 0;
  std::int32_t query_sum = 0;   // sum of the query's codes, for midpoint constants
  std::int32_t query_size = 0;  // sum of their sizes, for bounds
  std::array<std::int32_t, kMaxRow> value;

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("store", store, 4), v("add", add, 1), v("last", last, 1), v("first", first, 17), v("count", count, 7);
    v("query_sum", query_sum, 20), v("query_size", query_size, 20), v("value", value, 32 * kMaxRow);
  }
};

struct ScoreRows {
  using Payload = ScoreRow;
  static constexpr LinkInfo kInfo{"score_rows", "qk", "softmax",
                                  "the tree's stages, and what softmax may be behind without a bubble", true};
  static Cycle latency(const Sizes& s) { return static_cast<Cycle>(s.qk_latency); }
  static std::size_t depth(const Sizes& s) { return static_cast<std::size_t>(s.qk_latency + 4); }
};

}  // namespace winnow
