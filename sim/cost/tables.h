#pragma once
// How costs are printed: as tables for people, JSON for programs, and action counts that Accelergy reads.
#include <string>
#include <vector>

#include "sim/cost/energy.h"

namespace winnow::cost {

// Rows of block, mm2, leakage, peak; with a sum. Cells for align() of sim/results.
std::vector<std::vector<std::string>> cost_rows(const std::vector<BlockCost>& blocks);
// Rows of block, joules by kind, watts; with a sum, of which `parts` are. `memory`: the DRAM, whose background stands
// as its leakage.
std::vector<std::vector<std::string>> energy_rows(const Energy& energy, const std::vector<BlockEnergy>& parts,
                                                  const BlockEnergy& memory);
// A row a component: area, what an action takes, whether it is an estimate, source.
std::vector<std::vector<std::string>> source_rows(const std::vector<Component>& components);

// "162 uJ", "1.24 W": four digits with a prefix.
std::string with_prefix(double value, const std::string& unit);

// How often each action of each component happened, in Accelergy's format action_counts, version 0.4.
std::string accelergy_counts(const std::string& machine, const std::vector<Component>& components,
                             const Events& events);

}  // namespace winnow::cost
