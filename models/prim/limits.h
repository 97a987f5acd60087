#pragma once
// The widest that any machine may be: sizes of arrays that a cycle fills. Widths and limits of the numbers themselves
// are golden/formats.h's.
#include "golden/formats.h"

namespace winnow {

inline constexpr int kMaxLanes = 32;  // widest row of addresses, bursts or survivors
inline constexpr int kMaxRow = 64;    // scores a cycle: 512 multipliers at D 8
using golden::kBurstBytes;
using golden::kMaxGroup;    // query heads of a KV head
using golden::kMaxHeadDim;  // widest K or V vector

}  // namespace winnow
