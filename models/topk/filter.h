#pragma once
// Filter: which lanes of a row stay, once the boundary is known.
//
// in   masks above / below the boundary, valid lanes, how many more equals may stay
// out  mask of lanes that stay: all above, and of the equals the first ones in index order
// combinational: prefix sum of the equals, compared in each lane with what is left. One row a cycle, in index order.
// The zero eliminator of R then closes the gaps between the indices. docs/specification/topk.md, "Filter pass".
#include "models/topk/comparator_array.h"

namespace winnow::topk {

struct Filtered {
  Mask stays = 0;
  unsigned equals = 0;  // of those that stay
};

inline Filtered filter(const Compared& c, unsigned count, unsigned equals_left) {
  Filtered f;
  f.stays = c.above;
  const Mask equal = first_lanes(count) & ~(c.above | c.below);
  for (unsigned i = 0; i < count; ++i) {
    const bool take = ((equal >> i) & 1) && f.equals < equals_left;
    f.stays |= Mask{take} << i;
    f.equals += take;
  }
  return f;
}

}  // namespace winnow::topk
