#pragma once
// The one exception that reaches a user: a line naming file, place, value and the rule it breaks.
// The command line prints what() and exits with code 2.
#include <stdexcept>
#include <string>

namespace winnow {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace winnow
