#pragma once
// The energy of a run: what it counted, times what each costs; and leakage, which is time alone.
//
// Events are counts by name. Of each block BLOCK.busy (cycles) and what it counts besides, by its statistics' keys
// (qk.multiplications); BLOCK.ticks, all cycles; of each memory and link NAME.reads and NAME.writes.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/cost/cost.h"

namespace winnow::cost {

using Events = std::map<std::string, std::uint64_t>;

struct BlockEnergy {
  std::string block;
  double dynamic_j = 0, leakage_j = 0;
  double total_j() const { return dynamic_j + leakage_j; }
};

struct Energy {
  std::vector<BlockEnergy> blocks;  // in the order of the components
  double seconds = 0;
  double dynamic_j() const;
  double leakage_j() const;
  double total_j() const { return dynamic_j() + leakage_j(); }
};

// Linear in events, and a sum over components. Throws std::logic_error for an action whose event nobody counts.
Energy energy_of(const std::vector<Component>& components, const Events& events, std::uint64_t cycles,
                 double clock_ghz);

// What cannot have been: a block that is busy more than every cycle, more units at work than there are, more bytes than
// the memory's pins carry. Such a run is the program's error: throws std::logic_error that names it.
struct Limits {
  std::uint64_t cycles = 0;              // ticked
  std::uint64_t bytes = 0;               // through the pins
  double pin_bytes_a_cycle = 0;          // that they carry
  std::vector<std::string> blocks = {};  // whose busy cycles are counted
};
void require_possible(const Events& events, const Limits& limits);

}  // namespace winnow::cost
