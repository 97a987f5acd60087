#pragma once
// The machine as an engine of a check: under the SystemC kernel, all blocks models or some of them in RTL.
#include "sim/check/engines.h"

namespace winnow {

std::optional<Engine> make_systemc(const EngineInput& input, std::string& why_not);
std::optional<Engine> make_rtl(const EngineInput& input, std::string& why_not);

}  // namespace winnow
