#pragma once
// The widest that any machine may be: sizes of arrays that a cycle fills.

namespace winnow {

inline constexpr int kMaxLanes = 32;     // widest row of addresses, bursts or survivors
inline constexpr int kMaxHeadDim = 256;  // widest K or V vector
inline constexpr int kMaxGroup = 32;     // query heads of a KV head
inline constexpr int kMaxRow = 64;       // scores a cycle: 512 multipliers at D 8
inline constexpr int kBurstBytes = 32;   // one burst of the memory

}  // namespace winnow
