#pragma once
// Two arrays of P comparators: which lanes are above the pivot, which below; neither means equal.
//
// in   row of P items, count of valid lanes (the first ones), pivot          out  two masks, bit = lane
// combinational; one row a cycle. Paper: IV.B, two arrays of P comparators, for FIFO R (above) and FIFO L (below).
#include <cstdint>

#include "models/topk/types.h"

namespace winnow::topk {

using Mask = std::uint64_t;

inline Mask first_lanes(unsigned count) { return count >= 64 ? ~Mask{0} : (Mask{1} << count) - 1; }

struct Compared {
  Mask above = 0, below = 0;
};

inline Compared compare(const Row& row, unsigned count, std::uint64_t pivot) {
  Compared c;
  for (unsigned i = 0; i < count; ++i) {
    c.above |= Mask{row[i] > pivot} << i;
    c.below |= Mask{row[i] < pivot} << i;
  }
  return c;
}

}  // namespace winnow::topk
