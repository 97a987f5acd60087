#pragma once
// The arrays' work in closed form, beside what a run counted.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>

#include "tests/sim/machine/harness.h"

namespace winnow::test {

// What the arrays must have done, from what was live and kept alone: a task of n keys occupies Q x K ceil(n / banks)
// cycles, banks = floor(multipliers / D), and no product of a layer is made before the layer before is closed.
inline void check_work(const Prepared& p, const Outcome& out, const std::string& command) {
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
          values += heads * (p.model->decisions().prunes_values(true)
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

}  // namespace winnow::test
