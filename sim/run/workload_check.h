#pragma once
// The machine against the closed form of a shape-only workload, layer by layer: rows run, refetches, values used, bytes
// of each kind, bursts of each stream.
#include "sim/engines/comparison.h"
#include "sim/machine/machine_model.h"
#include "sim/machine/workload_source.h"

namespace winnow {

// Bytes and bursts of one layer's rows, from the file, the layout and the order of tokens alone.
golden::Accesses expected_accesses(const Workload& workload, const WorkloadLayer& layer, const WorkloadLayout& layout,
                                   const std::vector<std::uint32_t>& order);

void compare_workload_layer(const Workload& workload, const WorkloadLayer& layer, const WorkloadLayout& layout,
                            const std::vector<std::uint32_t>& order, const std::vector<GroupRecord>& records,
                            const LayerCounts& counts, Comparison& c);

// What an engine of the cascade kept.
void compare_choice(const WorkloadLayer& next, const std::vector<std::uint32_t>& kept,
                    const std::vector<std::uint32_t>& expected, Comparison& c);

// The run's bytes against traces/workload.h, which knows nothing of layouts.
void compare_totals(const WorkloadBytes& file, const golden::Accesses& machine, Comparison& c);

}  // namespace winnow
