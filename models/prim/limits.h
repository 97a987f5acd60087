#pragma once
// The widest that any machine may be: sizes of arrays that a cycle fills.
#include "golden/formats.h"

namespace winnow {

using golden::kBurstBytes;
using golden::kMaxGroup;
using golden::kMaxHeadDim;
inline constexpr int kMaxLanes = 32;  // widest row of addresses, bursts or survivors
inline constexpr int kMaxRow = 64;    // scores a cycle: 512 multipliers at D 8

}  // namespace winnow
