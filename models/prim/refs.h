#pragma once
// How a payload names what lies in a memory: places, in place of pointers.
#include <cstdint>

namespace winnow {

using ListRef = std::uint16_t;               // of Lists
inline constexpr ListRef kEveryItem = 0xff;  // no list: the items 0, 1, 2, ...; links carry 8 bits
using ItemsRef = std::uint16_t;              // of RankingItems
using ConstantsRef = std::uint16_t;          // of HeadConstants

}  // namespace winnow
