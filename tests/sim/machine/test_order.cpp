// Blocks may be evaluated in any order in a cycle, by hand or by the SystemC kernel: cycles, outputs and every block's
// counters are the same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/machine/random_case.h"

namespace winnow::test {
namespace {

// Returns how many values were compared.
std::uint64_t same(const Outcome& a, const Outcome& b, const std::string& what) {
  EXPECT_EQ(b.broken, "") << what;
  EXPECT_EQ(a.cycles, b.cycles) << what;
  EXPECT_EQ(a.first_request, b.first_request) << what;
  EXPECT_EQ(a.last_write, b.last_write) << what;
  EXPECT_EQ(a.stats, b.stats) << what;
  EXPECT_EQ(a.layers.size(), b.layers.size()) << what;
  for (std::size_t i = 0; i < std::min(a.layers.size(), b.layers.size()); ++i) {
    EXPECT_EQ(a.layers[i].counts.last_write, b.layers[i].counts.last_write) << what << ", layer " << i;
    EXPECT_EQ(a.layers[i].counts.accesses.stream_bursts, b.layers[i].counts.accesses.stream_bursts)
        << what << ", layer " << i;
  }
  EXPECT_TRUE(a.image == b.image) << what << ": memory";
  return 4 + a.stats.size() + 2 * a.layers.size() + a.image.size();
}

void compare_orders(std::uint64_t first, std::uint64_t last, std::initializer_list<Drive> drives, const char* name) {
  std::uint64_t compared = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const RunOptions options = random_case(seed, true);
    const Bench bench(options);
    const Outcome one = bench.run({Drive::construction, false, {}, {}});
    ASSERT_EQ(one.broken, "") << command_of(options);
    for (Drive drive : drives)
      compared +=
          same(one, bench.run({drive, false, {}, {}}), fmt::format("seed {}: {}\n{}", seed, name, command_of(options)));
    if (testing::Test::HasFailure()) return;
  }
  fmt::print("{}: seeds {}-{}: {} values equal\n", name, first, last, compared);
}

std::uint64_t cases(std::uint64_t few) {
  const char* full = std::getenv("WINNOW_FULL");
  return full && *full == '1' ? 20 * few : few;
}

TEST(Order, Reverse) { compare_orders(1, cases(80), {Drive::reverse}, "reverse"); }
TEST(Order, ShuffledEachCycle) { compare_orders(1, cases(80), {Drive::shuffled}, "shuffled"); }
TEST(Order, WithoutShortCuts) { compare_orders(1, cases(80), {Drive::every_tick}, "every tick of the controller"); }
TEST(Order, SystemC) { compare_orders(1, cases(40), {Drive::systemc}, "SystemC"); }

}  // namespace
}  // namespace winnow::test
