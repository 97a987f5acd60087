#pragma once
// Zero eliminator: closes the gaps in a row and keeps the order of what stays.
//
// in   row of P items, mask of lanes that stay      out  the same items in lanes 0..count-1, and count
// combinational, one row a cycle: a prefix sum counts the empty lanes before each item, then log2(P) layers move the
// items down; layer l moves an item by 2^l lanes if bit l of its count is set. Two items never meet: the one behind
// has at most as many more empty lanes before it as lie between the two. Spec: section 2, zero eliminator.
#include <bit>
#include <cstdint>

#include "models/topk/comparator_array.h"
#include "models/topk/types.h"

namespace winnow::topk {

// `row` is compacted in place; lanes from the count on are left 0. Returns the count.
inline unsigned eliminate_zeros(Row& row, Mask stays, unsigned lanes) {
  std::array<std::uint64_t, kMaxLanes> zeros;
  std::uint64_t before = 0;
  for (unsigned i = 0; i < lanes; ++i) {
    const std::uint64_t here = (stays >> i) & 1;
    zeros[i] = here ? before : 0;
    row[i] = here ? row[i] : 0;
    before += 1 - here;
  }
  for (unsigned l = 0, step = 1; step < lanes; ++l, step <<= 1) {
    for (unsigned i = 0; i < lanes; ++i) {
      // From the lane that moves here, if one does; else what stays. A lane without an item holds zeros.
      const std::uint64_t keep = ((zeros[i] >> l) & 1) - 1;
      const std::uint64_t from = i + step < lanes ? -((zeros[i + step] >> l) & 1) : 0;
      const unsigned j = i + step < lanes ? i + step : i;
      row[i] = (row[i] & keep) | (row[j] & from);
      zeros[i] = (zeros[i] & keep) | (zeros[j] & from);
    }
  }
  return static_cast<unsigned>(std::popcount(stays & first_lanes(lanes)));
}

}  // namespace winnow::topk
