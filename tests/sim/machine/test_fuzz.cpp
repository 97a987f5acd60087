// The machine against golden on random traces, policies and machines: bit-equal, never stuck, drained, every cycle
// accounted for. WINNOW_FULL=1 runs more; WINNOW_SEEDS=first-last runs what it says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <cstdlib>

#include "golden/error.h"
#include "tests/sim/machine/random_case.h"

namespace winnow::test {
namespace {

struct Tally {
  std::uint64_t cases = 0, outputs = 0, decisions = 0, importances = 0, counts = 0, cycles = 0, layers = 0;
  std::uint64_t refetched = 0, selected = 0, pruned_values = 0, skipped_heads = 0, prompts = 0;
};

// What the arrays must have done, from what was live and kept alone: a task of n keys occupies Q x K ceil(n / banks)
// cycles, and no product of a layer is made before the layer before is closed.
void check_work(const Prepared& p, const Outcome& out, const std::string& command) {
  const auto D = static_cast<std::uint64_t>(p.shape.head_dim);
  const std::uint64_t banks = static_cast<std::uint64_t>(p.machine.qk.multipliers) / D;
  std::uint64_t busy = 0;
  for (const LayerEnd& layer : out.layers) {
    std::uint64_t keys = 0, values = 0;
    const auto task = [&](std::uint64_t heads, std::uint64_t n) {
      keys += heads * n, busy += heads * ((n + banks - 1) / banks);
    };
    if (layer.step == 0) {
      for (const HeadPlan& h : layer.heads)
        for (std::size_t i = 0; i < layer.positions.size(); ++i) {
          const std::size_t n = p.shape.causal ? i + 1 : h.live.size();
          const auto heads = static_cast<std::uint64_t>(std::popcount(h.heads));
          task(heads, n);
          values += heads * (p.model->decisions().prunes_values()
                                 ? static_cast<std::size_t>(p.model->decisions().kept_values(static_cast<int>(n)))
                                 : n);
        }
    }
    for (const GroupRecord& g : layer.records) {
      const HeadPlan& h = layer.heads[g.head];
      const auto heads = static_cast<std::uint64_t>(std::popcount(h.heads));
      task(heads, h.live.size());
      if (g.refetched) task(heads, h.live.size());
      for (int stage = 0; stage < p.policy.stages(); ++stage) task(heads, g.survivors[stage].size());
      values += heads * g.values.size();
    }
    EXPECT_EQ(layer.counts.qk_products, keys * D) << "step " << layer.step << " layer " << layer.layer << "\n"
                                                  << command;
    EXPECT_EQ(layer.counts.pv_products, values * D) << "step " << layer.step << " layer " << layer.layer << "\n"
                                                    << command;
  }
  EXPECT_EQ(out.qk_busy, busy) << command;
}

void run_seed(std::uint64_t seed, Tally& tally) {
  const RunOptions options = random_case(seed);
  try {
    const Bench bench(options);
    const Outcome out = bench.run();
    if (!out.broken.empty() || out.compared.differences) {
      ADD_FAILURE() << "seed " << seed << ": " << out.compared.differences << " differences, " << out.compared.first
                    << "; " << out.broken << "\n"
                    << command_of(options);
      return;
    }
    const Prepared& p = bench.prepared();
    EXPECT_EQ(out.layers.size(), static_cast<std::size_t>((p.range.last_layer - p.range.first_layer + 1) *
                                                          (p.range.last_step - p.range.first_step + 1)))
        << command_of(options);
    check_work(p, out, command_of(options));
    ++tally.cases, tally.cycles += out.cycles, tally.layers += out.layers.size();
    tally.outputs += out.compared.outputs, tally.decisions += out.compared.decisions;
    tally.importances += out.compared.importances, tally.counts += out.compared.counts;
    for (const LayerEnd& layer : out.layers) {
      tally.prompts += layer.step == 0;
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
      "prompts; {} groups refetched, {} selected, {} pruned values, {} KV heads skipped\n",
      t.cases, t.layers, t.cycles, t.outputs, t.decisions, t.importances, t.counts, t.prompts, t.refetched, t.selected,
      t.pruned_values, t.skipped_heads);
}

TEST(Fuzz, EqualToGolden) {
  std::uint64_t first = 1, last = 1200;
  if (const char* full = std::getenv("WINNOW_FULL"); full && *full == '1') last = 20000;
  if (const char* seeds = std::getenv("WINNOW_SEEDS")) {
    unsigned long long a = 0, b = 0;
    ASSERT_EQ(std::sscanf(seeds, "%llu-%llu", &a, &b), 2) << "WINNOW_SEEDS: must be first-last";
    first = a, last = b;
  }
  fmt::print("seeds {}-{}\n", first, last);
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
}

}  // namespace
}  // namespace winnow::test
