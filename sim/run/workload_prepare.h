#pragma once
// Shape-only workloads (CSV) on the machine: addresses, bursts and cycles without values.
#include <memory>

#include "sim/machine/workload_source.h"
#include "sim/run.h"
#include "sim/run/workload_check.h"

namespace winnow {

// A workload that fits its machine.
struct PreparedWorkload {
  Workload workload;  // `longest` is that of the range
  Machine machine;
  RunRange range;
  std::vector<WorkloadLayer> layers;
  WorkloadLayout layout;
  golden::Shape shape;
  golden::Decisions decisions;
  WorkloadBytes bytes;               // by the closed form, of the rows in range
  std::uint64_t dense_elements = 0;  // of K and V, were nothing pruned, in range
  std::uint64_t layers_in_range = 0, rows_in_range = 0;
};
// Throws Error when the file, the machine, or the range contradict each other.
PreparedWorkload prepare_workload(const RunOptions& options);

// A machine with the workload's source. `compared` takes every choice of the cascade's engine. `p` outlives it.
std::unique_ptr<MachineModel> make_workload_machine(const PreparedWorkload& p, std::uint64_t seed, Comparison& compared,
                                                    MachineModel::OnLayer on_layer);

}  // namespace winnow
