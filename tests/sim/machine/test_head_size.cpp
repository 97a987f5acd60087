// Every head size that the trace format knows, 8 to 256 in steps of 8, on every machine of sim/machines: an array takes
// floor(multipliers / D) keys a cycle whether or not D divides the multipliers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "golden/error.h"
#include "sim/config/machine.h"
#include "tests/sim/machine/work.h"

namespace winnow::test {
namespace {

RunOptions options(const std::string& machine, const std::string& policy, int head_dim, bool causal) {
  RunOptions o;
  o.machine = machine, o.policy = policy;
  o.trace = fmt::format("synthetic:layers=2,heads=4,kv_heads=2,head_dim={},tokens=29,prompt={},causal={},seed={}",
                        head_dim, causal ? 26 : 29, causal ? 1 : 0, head_dim);
  return o;
}

TEST(HeadSize, EveryMultipleOfEightOnEveryMachine) {
  std::uint64_t ran = 0, refused = 0, compared = 0, uneven = 0;
  for (const std::string& machine : machine_names()) {
    const int multipliers = load_machine(machine).qk.multipliers;
    for (int head_dim = 8; head_dim <= 256; head_dim += 8)
      for (const char* policy : {"dense", "spatten", "select"}) {
        const bool causal = head_dim % 24 != 0 || std::string(policy) == "select";
        const RunOptions o = options(machine, policy, head_dim, causal);
        if (head_dim > multipliers) {
          try {
            prepare(o);
            ADD_FAILURE() << command_of(o);
          } catch (const Error& e) {
            EXPECT_EQ(std::string(e.what()),
                      fmt::format("{}: head_dim: {}: must be at most qk.multipliers of machine {} ({}): an array takes "
                                  "floor(qk.multipliers / head_dim) vectors a cycle",
                                  o.trace, head_dim, machine, multipliers));
          }
          ++refused;
          continue;
        }
        const Bench bench(o);
        const Outcome out = bench.run();
        ASSERT_EQ(out.broken, "") << command_of(o);
        ASSERT_EQ(out.compared.different(), 0u) << out.compared.first_difference() << "\n" << command_of(o);
        check_work(bench.prepared(), out, command_of(o));
        ++ran, compared += out.compared.compared(), uneven += multipliers % head_dim != 0;
      }
  }
  EXPECT_GT(uneven, ran / 2);
  fmt::print("{} runs ({} with a D that does not divide the multipliers), {} values equal to golden's, {} refused\n",
             ran, uneven, compared, refused);
}

// The rule by hand: 13 keys of 80 dimensions on 512 multipliers, six a cycle, take three cycles.
TEST(HeadSize, ByHand) {
  RunOptions o;
  o.machine = "spatten", o.policy = "dense", o.steps = {1, 1};
  o.trace = "synthetic:layers=1,heads=1,kv_heads=1,head_dim=80,tokens=13,prompt=12,causal=1,seed=1";
  const Outcome out = Bench(o).run();
  EXPECT_EQ(out.broken, "");
  EXPECT_EQ(out.qk_busy, 3u);
  EXPECT_EQ(out.layers.at(0).counts.qk_products, 13u * 80);
}

}  // namespace
}  // namespace winnow::test
