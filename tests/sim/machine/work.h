#pragma once
// The arrays' work in closed form, beside what a run counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

#include "models/prim/bricks.h"
#include "tests/sim/machine/harness.h"

namespace winnow::test {

// What the arrays must have done, from what was live and kept alone: a task of n keys occupies Q x K ceil(n / rate)
// cycles, rate = floor(bricks / (bricks a product * D)), and every product is counted for its own layer.
inline void check_work(const Prepared& p, const Outcome& out, const std::string& command) {
  const auto D = static_cast<std::uint64_t>(p.shape.head_dim);
  const golden::Decisions& plan = p.model->decisions();
  const int M = p.machine.key_multipliers(), brick = p.machine.qk.brick_bits, dim = p.shape.head_dim;
  // `lies`: bits of the words that share the load's columns with them.
  const auto rate = [&](int query_bits, int key_bits, int lies) {
    // Vectors of a row: in the pool a word takes a column a brick.
    const int across = p.machine.buffers == "pool"
                           ? std::min(64, pool_columns(M, brick, dim) / ((lies + brick - 1) / brick))
                           : key_banks(M, brick, dim);
    const int side = 12 / brick, of = ((query_bits + brick - 1) / brick) * ((key_bits + brick - 1) / brick);
    return static_cast<std::uint64_t>(
        std::min({M * side * side / (of * dim), across, brick == 12 ? 1 << 20 : kMaxRow}));
  };
  std::uint64_t busy = 0;
  for (const LayerEnd& layer : out.layers) {
    std::uint64_t keys = 0, values = 0;
    const auto task = [&](std::uint64_t heads, std::uint64_t n, std::uint64_t a_cycle) {
      keys += heads * n, busy += heads * ((n + a_cycle - 1) / a_cycle);
    };
    if (plan.whole(layer.step == 0, p.shape.tokens_in(layer.step))) {
      for (const HeadPlan& h : layer.heads)
        for (std::size_t i = 0; i < layer.positions.size(); ++i) {
          const std::size_t n = layer.step == 0 && p.shape.causal ? i + 1 : h.live.size();
          const auto heads = static_cast<std::uint64_t>(std::popcount(h.heads));
          task(heads, n, rate(12, plan.digits.bits(), plan.digits.bits()));
          values +=
              heads * (plan.prunes_values(true) ? static_cast<std::size_t>(plan.kept_values(static_cast<int>(n))) : n);
        }
    }
    for (const GroupRecord& g : layer.records) {
      const HeadPlan& h = layer.heads[g.head];
      const auto heads = static_cast<std::uint64_t>(std::popcount(h.heads));
      // Digits take each other's place, unless a crude pass keeps the first.
      const int passes = plan.crude_query() ? 1 : plan.digits.count;
      const int widest = *std::max_element(plan.digits.width, plan.digits.width + passes);
      if (h.pages.chooses()) task(heads, h.pages.scored(), rate(12, plan.pages.bits, plan.pages.word_bits()));
      const std::size_t tokens = h.pages.chooses() ? g.tokens.size() : h.live.size();
      task(heads, tokens, rate(plan.crude_query() ? plan.first_q_bits : 12, plan.digits.width[0], widest));
      if (g.refetched) task(heads, tokens, rate(12, plan.digits.width[1], widest));
      for (int stage = 0; stage < p.policy.stages(); ++stage)
        task(heads, g.survivors[stage].size(),
             plan.crude_query() ? rate(12, plan.digits.bits(), plan.digits.bits())
                                : rate(12, plan.digits.width[stage + 1], widest));
      values += heads * g.values.size();
    }
    // Which keys and values the rivals' rules leave depends on data: golden counts them.
    if (plan.searches()) keys = layer.candidates;
    if (plan.drops_zeros()) values = layer.weighed;
    EXPECT_EQ(layer.counts.qk_products, keys * D) << "step " << layer.step << " layer " << layer.layer << "\n"
                                                  << command;
    EXPECT_EQ(layer.counts.pv_products, values * D) << "step " << layer.step << " layer " << layer.layer << "\n"
                                                    << command;
  }
  // Candidates lie where they lie: how many a cycle takes depends on their banks.
  if (!plan.searches()) {
    EXPECT_EQ(out.qk_busy, busy) << command;
  }
}

}  // namespace winnow::test
