#pragma once
// Zero eliminator: closes the gaps in a row and keeps the order of what stays.
//
// in   row of P items, mask of lanes that stay      out  the same items in lanes 0..count-1, and count
// combinational, one row a cycle: a prefix sum counts the empty lanes before each item, then log2(P) layers move the
// items down; layer l moves an item by 2^l lanes if bit l of its count is set. Two items never meet: the one behind
// has at most as many more empty lanes before it as lie between the two. Paper: IV.C.
#include <bit>
#include <cstdint>

#include "models/topk/comparator_array.h"
#include "models/topk/types.h"

namespace winnow::topk {

// Lanes from the count on are 0. Returns the count. `in` and `out` may be the same row.
template <unsigned kLanes>
unsigned eliminate_zeros(const Row& in, Mask stays, Row& out) {
  // Item and number of empty lanes before it travel together; a lane without an item holds zeros in both. Each layer
  // writes the other copy, and lanes above the row are empty, so that a layer is one loop without a condition.
  std::uint64_t item[2][2 * kLanes], zeros[2][2 * kLanes];
  std::uint64_t before = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const std::uint64_t here = (stays >> i) & 1;
    item[0][i] = in[i] & -here;
    zeros[0][i] = before & -here;
    before += 1 - here;
  }
  for (unsigned b = 0; b < 2; ++b)
    for (unsigned i = kLanes; i < 2 * kLanes; ++i) item[b][i] = zeros[b][i] = 0;
  unsigned b = 0;
#pragma GCC unroll 6
  for (unsigned l = 0; (1u << l) < kLanes; ++l, b ^= 1) {
    for (unsigned i = 0; i < kLanes; ++i) {
      const std::uint64_t here = ((zeros[b][i] >> l) & 1) - 1;
      const std::uint64_t moves = -((zeros[b][i + (1u << l)] >> l) & 1);
      item[b ^ 1][i] = (item[b][i] & here) | (item[b][i + (1u << l)] & moves);
      zeros[b ^ 1][i] = (zeros[b][i] & here) | (zeros[b][i + (1u << l)] & moves);
    }
  }
  for (unsigned i = 0; i < kLanes; ++i) out[i] = item[b][i];
  return static_cast<unsigned>(std::popcount(stays & first_lanes(kLanes)));
}

inline unsigned eliminate_zeros(const Row& in, Mask stays, Row& out, unsigned lanes) {
  switch (lanes) {
    case 2: return eliminate_zeros<2>(in, stays, out);
    case 4: return eliminate_zeros<4>(in, stays, out);
    case 8: return eliminate_zeros<8>(in, stays, out);
    case 16: return eliminate_zeros<16>(in, stays, out);
    case 32: return eliminate_zeros<32>(in, stays, out);
    default: return eliminate_zeros<64>(in, stays, out);
  }
}

}  // namespace winnow::topk
