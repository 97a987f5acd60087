#pragma once
// The machine as SystemC modules: one SC_MODULE with one SC_METHOD a block, all sensitive to the clock's edge.
#include "sim/machine/machine_model.h"

namespace winnow {

// Runs the machine to its end under the SystemC kernel, at `clock_ghz`. One run a process: a second one needs a fresh
// simulation context. Rethrows what a block throws.
void run_systemc(MachineModel& machine, double clock_ghz, const std::function<void(Cycle)>& on_progress);

}  // namespace winnow
