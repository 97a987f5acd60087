// The machine against golden on random traces, policies and machines: bit-equal, never stuck, drained, every cycle
// accounted for. WINNOW_FULL=1 runs more; WINNOW_SEEDS=first-last runs what it says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "golden/error.h"
#include "tests/sim/machine/random_case.h"
#include "tests/sim/machine/work.h"

namespace winnow::test {
namespace {

struct Tally {
  std::uint64_t cases = 0, outputs = 0, decisions = 0, importances = 0, counts = 0, cycles = 0, layers = 0;
  std::uint64_t refetched = 0, selected = 0, pruned_values = 0, skipped_heads = 0, prompts = 0;
  std::uint64_t between = 0;  // layers that choose by a full step's importance
  std::uint64_t blocks = 0;   // layers that rank blocks
};

void run_seed(std::uint64_t seed, Tally& tally) {
  const RunOptions options = random_case(seed, true);
  try {
    const Bench bench(options);
    const Outcome out = bench.run();
    if (!out.broken.empty() || out.compared.different()) {
      ADD_FAILURE() << "seed " << seed << ": " << out.compared.different() << " differences, "
                    << out.compared.first_difference() << "; " << out.broken << "\n"
                    << command_of(options);
      return;
    }
    const Prepared& p = bench.prepared();
    EXPECT_EQ(out.layers.size(), static_cast<std::size_t>((p.range.last_layer - p.range.first_layer + 1) *
                                                          (p.range.last_step - p.range.first_step + 1)) *
                                     p.sequences.size())
        << command_of(options);
    check_work(p, out, command_of(options));
    ++tally.cases, tally.cycles += out.cycles, tally.layers += out.layers.size();
    tally.outputs += out.compared.compared(CompareKind::outputs),
        tally.decisions += out.compared.compared(CompareKind::decisions);
    tally.importances += out.compared.compared(CompareKind::importances),
        tally.counts += out.compared.compared(CompareKind::counts);
    for (const LayerEnd& layer : out.layers) {
      tally.prompts += layer.step == 0;
      tally.blocks += layer.step > 0 && p.policy.importance_block > 1;
      tally.between += layer.step > 0 && !golden::Schedule{p.shape, p.policy}.earns(layer.step);
      for (const HeadPlan& h : layer.heads) tally.skipped_heads += h.heads == 0;
      for (const GroupRecord& g : layer.records) {
        tally.refetched += g.refetched;
        tally.selected += !g.survivors[0].empty() && g.survivors[0].size() < layer.heads[g.head].live.size();
        tally.pruned_values += g.survivors[0].empty() && g.values.size() < layer.heads[g.head].live.size();
      }
    }
  } catch (const Error& e) {
    ADD_FAILURE() << "seed " << seed << ": refused: " << e.what() << "\n" << command_of(options);
  }
}

void print(const Tally& t) {
  fmt::print(
      "{} cases, {} layers, {} cycles: compared {} outputs, {} decisions, {} importances, {} counts; of the layers {} "
      "were "
      "prompts; {} groups refetched, {} selected, {} pruned values, {} KV heads skipped, {} layers between full "
      "steps, {} layers that rank blocks\n",
      t.cases, t.layers, t.cycles, t.outputs, t.decisions, t.importances, t.counts, t.prompts, t.refetched, t.selected,
      t.pruned_values, t.skipped_heads, t.between, t.blocks);
}

TEST(Fuzz, EqualToGolden) {
  const auto [first, last] = seeds_to_run(1200);
  Tally tally;
  for (std::uint64_t seed = first; seed <= last; ++seed) run_seed(seed, tally);
  print(tally);
  if (last - first < 1000) return;
  // Every mechanism was reached.
  EXPECT_GT(tally.outputs, 1'000'000u);
  EXPECT_GT(tally.refetched, 500u);
  EXPECT_GT(tally.selected, 500u);
  EXPECT_GT(tally.pruned_values, 500u);
  EXPECT_GT(tally.skipped_heads, 200u);
  EXPECT_GT(tally.prompts, 500u);
  EXPECT_GT(tally.between, 30u);
  EXPECT_GT(tally.blocks, 30u);
}

}  // namespace
}  // namespace winnow::test
