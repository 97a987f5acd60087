#pragma once
// A random trace, policy and machine that fit each other, as a command line has them.
#include "tests/sim/machine/harness.h"

namespace winnow::test {

// The same seed gives the same case. Every parameter of policy and machine varies; sentences are short.
RunOptions random_case(std::uint64_t seed);

}  // namespace winnow::test
