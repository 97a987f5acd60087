#pragma once
// The machine as SystemC modules: one SC_MODULE with one SC_METHOD a block, all sensitive to the clock's edge.
#include "sim/machine/machine_model.h"

namespace winnow {

// Runs the machine to its end under the SystemC kernel, at `clock_ghz`. Every run has a simulation context of its own,
// so a process may run several, one after the other. Rethrows what a block throws.
void run_systemc(MachineModel& machine, double clock_ghz, const std::function<void(Cycle)>& on_progress);

}  // namespace winnow
