#pragma once
// The units of arithmetic and control that a machine has, by its parameters: how many of each, and what a run counts of
// their work. Units are those of rtl/ where RTL exists; crossbars are estimated from multiplexers.
#include <vector>

#include "sim/cost/cost.h"

namespace winnow::cost {

std::vector<Component> logic_of(const Machine& machine, const Technology& technology);

}  // namespace winnow::cost
