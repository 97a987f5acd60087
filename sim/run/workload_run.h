#pragma once
// Shape-only workloads (CSV) on the machine: addresses, bursts and cycles without values.
#include "sim/run.h"

namespace winnow {

// As run_command, for a workload file. Throws Error on bad input.
int run_workload(const RunOptions& options);

}  // namespace winnow
