#pragma once
// What a machine is made of and what that costs: area and leakage without a run, energy by what a run counted.
//
//   components_of(machine, storage, technology)   arrays and units, each with a source
//   block_costs(components, clock)                area, leakage, peak power, by block
//
// Off-chip memory is no component: its energy comes from its commands (models/dram/energy.h).
#include <string>
#include <vector>

#include "sim/config/machine.h"
#include "sim/cost/arrays.h"
#include "sim/cost/technology.h"
#include "sim/machine/storage.h"

namespace winnow::cost {

// A thing that happens, by the name under which a run counts it (energy.h), and what it takes each time.
struct Action {
  std::string event;      // "qk.multiplications"
  std::string what;       // "multiply": for people, and for exports
  double pj = 0;          // of one
  double most_cycle = 0;  // of them in a cycle, for peak power
};

struct Component {
  std::string block;  // to which it is counted
  std::string name;   // "key_buffer", "dot"
  std::string kind;   // sram, flip_flops, logic, multiplexers
  std::uint64_t count = 1;
  double area_um2 = 0, leakage_w = 0;  // of all of them
  std::vector<Action> actions = {};
  std::string source = {};
  bool estimate = false;  // from bits alone: no array or unit of it was measured
};

// Throws Error where the technology lacks an array or a unit.
std::vector<Component> components_of(const Machine& machine, const std::vector<Stored>& storage,
                                     const Technology& technology);

struct BlockCost {
  std::string block;
  double area_mm2 = 0, leakage_w = 0, peak_w = 0;  // peak: all actions in every cycle, and leakage
  double estimated_mm2 = 0;                        // of the area
};

// In the order in which blocks come first.
std::vector<BlockCost> block_costs(const std::vector<Component>& components, double clock_ghz);

}  // namespace winnow::cost
