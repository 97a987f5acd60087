#pragma once
// Memories whose words RTL reads by itself, as bits: what a block's read port shows.
//
// One entry a kind of memory: the fields of its word, here, and where the word lies, in memory_tap.cpp.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/memories/group_table.h"
#include "models/prim/payload.h"
#include "sim/machine/inventory.h"

namespace winnow {

// What a group is, without its tag, and without the cycles that stand for flags.
template <class V>
void fields_of(GroupEntry& g, V&& v) {
  v("heads", g.heads, 32), v("slots", g.slots, 17), v("digit", g.digit, 3), v("last_pass", g.last_pass, 1);
  v("follow", g.follow, 1), v("undecided", g.undecided, 1), v("forced", g.forced, 1);
  v("forced_refetch", g.forced_refetch, 1);
}

namespace rtl {

struct MemoryTap {
  std::string memory;
  std::vector<Field> fields;
  std::uint32_t words = 0;
  // A word as bits, and the other way. Throws std::logic_error where there is none of that number.
  std::function<void(std::uint32_t, Bits&)> read;
  std::function<void(std::uint32_t, const Bits&)> write;
};

std::vector<MemoryTap> memory_taps(Inventory& parts);

}  // namespace rtl
}  // namespace winnow
