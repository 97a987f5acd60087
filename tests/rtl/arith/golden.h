#pragma once
// What the table of units (arith.units) says beside golden's functions: how inputs are brought into a function's range,
// and where the RTL saturates what golden keeps wider.
#include <array>
#include <cstdint>

#include "golden/num.h"

namespace winnow::golden {

// The RTL's distances have 17 bits; exp2_neg is 0 from 21 octaves on, 86,016.
inline constexpr std::int64_t kMostDistance = (1 << 17) - 1;

// A mantissa: its top bit is set, or it is 0.
constexpr std::int64_t top_set(std::int64_t mantissa) { return mantissa ? mantissa | 0x8000 : 0; }
constexpr Scale scale(std::int64_t mantissa, std::int64_t shift) {
  return {static_cast<std::uint32_t>(mantissa), static_cast<int>(shift)};
}
constexpr std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
constexpr std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

}  // namespace winnow::golden
