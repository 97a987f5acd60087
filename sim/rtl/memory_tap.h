#pragma once
// Memories at whose ports RTL stands: words that it reads by itself, as bits, and what it writes, as payloads.
//
// One entry a kind of memory, and one a kind of write: the fields, here or beside the memory, and where it lies, in
// memory_tap.cpp.
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

// An address is the place in the upper bits, the slot in the lower `slot_bits`.
inline constexpr int kSlotBits = 17;

struct MemoryTap {
  std::string memory;
  std::vector<Field> fields;
  int slot_bits = 0;
  // A word as bits in cycle `now`; false where there is none.
  std::function<bool(std::uint32_t address, Cycle now, Bits&)> read;
  // As if no word were readable; empty where a reader never waits.
  std::function<void(bool)> hold;
  // For a lockstep without the rest of the machine: `places` times `slots` words, which `fill` makes room for, and
  // the other way.
  std::uint32_t places = 0, slots = 1;
  std::function<void(std::uint32_t address, const Bits&)> write;
  std::function<void()> fill;

  std::uint32_t words() const { return places * slots; }
  std::uint32_t address(std::uint32_t word) const { return word / slots << slot_bits | word % slots; }
};

// What a block does to a memory besides reading: entries in the order of a cycle, of its own cycle alone.
struct WriteTap {
  std::string name;  // MEMORY_WHAT, a type of rtl/links/winnow_links_pkg.sv
  std::vector<Field> fields;
  std::function<void()> begin;  // listen from here ...
  std::function<void()> end;    // ... to here
  std::function<std::size_t()> entries;
  std::function<void(std::size_t, Bits&)> entry;
};

std::vector<MemoryTap> memory_taps(Inventory& parts);
std::vector<WriteTap> write_taps(Inventory& parts);

}  // namespace rtl
}  // namespace winnow
