#pragma once
// Ranges on the command line.
#include <string>

#include "sim/run.h"

namespace winnow {

// "3", "3-7", "3-". Throws Error `option: text: rule`.
IndexRange parse_range(const char* option, const std::string& text);

}  // namespace winnow
