#pragma once
// Composable multipliers: how many vectors an array takes a cycle.
//
// A 12 x 12 multiplier is (12 / b)^2 bricks of b x b bits, and an x by y bit product takes ceil(x / b) * ceil(y / b) of
// them: with b = 4 a multiplier makes one product of 12 by 12 bits, three of 12 by 4, or four and a half of 8 by 4. A
// brick takes signed and unsigned operands, as the digits of a split number are. With b = 12 a multiplier is whole, the
// paper's, and makes one product whatever the widths.
// Paper: IV.E has whole multipliers; bricks are this project's (docs/specification/machine.md, "Bricks").
#include <algorithm>

#include "golden/formats.h"
#include "models/prim/limits.h"

namespace winnow {

// Whole vectors of D words that `multipliers` take a cycle, at most kMaxRow; D need not divide. The queries' (weights')
// words have `by` bits, the vectors' `bits`.
constexpr int vectors_a_cycle(int multipliers, int brick_bits, int by, int bits, int head_dim) {
  const int a_side = golden::kWordBits / brick_bits;
  const auto of = [&](int width) { return (width + brick_bits - 1) / brick_bits; };
  return std::min(multipliers * a_side * a_side / (of(by) * of(bits) * head_dim),
                  brick_bits < golden::kWordBits ? kMaxRow : 1 << 30);
}

// Bits of a query that the narrowest products are built for: banks of K suffice for these, so narrower queries are no
// faster.
inline constexpr int kCrudeBits = 8;
// Banks of K and of V: as many vectors as the array takes a cycle of the narrowest digit.
constexpr int key_banks(int multipliers, int brick_bits, int head_dim) {
  return vectors_a_cycle(multipliers, brick_bits, kCrudeBits, brick_bits, head_dim);
}
// Columns of a row of the pool that K and V share, a brick wide each (models/memories/kv_banks.h): as many as the
// widest read of a cycle takes, of words of any width, up to 128.
inline constexpr int kMostColumns = 128;
constexpr int pool_columns(int multipliers, int brick_bits, int head_dim) {
  int most = key_banks(multipliers, brick_bits, head_dim);
  for (int width = 1; width * brick_bits <= golden::kWordBits; ++width)
    most = std::max(most, width * std::min(kMaxRow, vectors_a_cycle(multipliers, brick_bits, golden::kWordBits,
                                                                    width * brick_bits, head_dim)));
  return std::min(most, kMostColumns);
}
constexpr int value_banks(int multipliers, int brick_bits, int head_dim) {
  return vectors_a_cycle(multipliers, brick_bits, golden::kWordBits, brick_bits, head_dim);
}

}  // namespace winnow
