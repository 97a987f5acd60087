#pragma once
// The most power that a machine's off-chip memory can take: every data pin busy with reads, rows opened at the rate
// that the memory's timing allows, refreshed, a row open always.
#include "sim/config/machine.h"

namespace winnow::cost {

double memory_peak_w(const Machine& machine);

}  // namespace winnow::cost
