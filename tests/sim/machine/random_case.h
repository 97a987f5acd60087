#pragma once
// A random trace, policy and machine that fit each other, as a command line has them.
#include "tests/sim/machine/harness.h"

namespace winnow::test {

// The same seed gives the same case. Every parameter of policy and machine varies; sentences are short.
// `may_batch`: a third of the decoders run as a batch.
RunOptions random_case(std::uint64_t seed, bool may_batch = false);

// Which seeds a test runs, printed: 1 to `last`, 1 to 20,000 where WINNOW_FULL=1, or what WINNOW_SEEDS=first-last says.
// Throws std::runtime_error when it says something else.
struct Seeds {
  std::uint64_t first, last;
};
Seeds seeds_to_run(std::uint64_t last);

}  // namespace winnow::test
