// Which tokens a workload keeps: nested random subsets by the seed, and the plans made of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sim/machine/workload_source.h"
#include "tests/sim/workload/workload_file.h"

namespace winnow {
namespace {

bool subset(const std::vector<std::uint32_t>& part, const std::vector<std::uint32_t>& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

TEST(WorkloadSource, TheOrderIsAPermutation) {
  std::uint64_t compared = 0;
  for (int length : {1, 2, 3, 17, 993, 1024})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      std::vector<std::uint32_t> order = token_order(seed, static_cast<int>(seed % 3), length);
      EXPECT_EQ(order, token_order(seed, static_cast<int>(seed % 3), length));
      if (length > 16) {
        EXPECT_NE(order, token_order(seed + 1, static_cast<int>(seed % 3), length));
        EXPECT_NE(order, token_order(seed, static_cast<int>(seed % 3) + 1, length));
      }
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < order.size(); ++i, ++compared) ASSERT_EQ(order[i], i);
    }
  std::printf("  compared %llu places\n", static_cast<unsigned long long>(compared));
}

// Every token is as likely as another: 4,000 draws of 10 out of 40, 1,000 expected each, sigma 27.
TEST(WorkloadSource, TheOrderIsEven) {
  std::vector<int> hits(40);
  for (std::uint64_t seed = 0; seed < 4000; ++seed)
    for (std::uint32_t t : highest(token_order(seed, 5, 40), 10)) ++hits[t];
  for (int h : hits) EXPECT_NEAR(h, 1000, 5 * 27);
  std::printf("  compared %zu tokens\n", hits.size());
}

TEST(WorkloadSource, SetsOfAStepAreNested) {
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto order = token_order(seed, 3, 200);
    std::vector<std::uint32_t> before = highest(order, 200);
    EXPECT_EQ(before.size(), 200u);
    for (int count = 199; count >= 1; --count, ++compared) {
      const auto now = highest(order, count);
      ASSERT_EQ(now.size(), static_cast<std::size_t>(count));
      ASSERT_TRUE(std::is_sorted(now.begin(), now.end()));
      ASSERT_TRUE(subset(now, before));
      before = now;
    }
  }
  std::printf("  compared %llu sets\n", static_cast<unsigned long long>(compared));
}

TEST(WorkloadSource, PlansTakeCountsAsTheyStand) {
  const Workload w = parse_workload("made", test::text_of({}));
  require_runnable(w);
  const auto layers = layers_of(w, {});
  const WorkloadLayout layout(w, layers, 512);
  std::uint64_t choices_seen = 0;
  WorkloadSource source(w, layers, layout, 7, [&](const WorkloadLayer&, const auto& kept, const auto& expected) {
    EXPECT_EQ(kept, expected);
    ++choices_seen;
  });
  std::size_t row = 0;
  std::uint64_t topk_rows = 0;
  std::vector<std::uint32_t> before;
  int step = -1;
  while (source.more()) {
    const auto choices = source.choices(0);
    std::vector<std::vector<std::uint32_t>> kept;
    // The engine's rule, by sorting.
    for (const Choice& c : choices) {
      std::vector<std::uint64_t> sorted = c.items;
      std::sort(sorted.rbegin(), sorted.rend());
      ASSERT_LE(c.k, sorted.size());
      std::vector<std::uint32_t>& names = kept.emplace_back();
      for (std::size_t i = 0; i < c.items.size(); ++i)
        if (c.items[i] >= sorted[c.k - 1]) names.push_back(c.among.names[i]);
    }
    EXPECT_TRUE(source.choices(1).empty());
    const LayerPlan plan = source.plan(kept);
    if (plan.step != step) before.clear();
    ASSERT_FALSE(plan.full_width);
    for (const HeadPlan& h : plan.heads) {
      const WorkloadRow& r = w.rows[row++];
      EXPECT_EQ(h.kv_head, r.head);
      EXPECT_EQ(h.live.size(), static_cast<std::size_t>(r.keys));
      EXPECT_LT(h.live.back(), static_cast<std::uint32_t>(r.length));
      EXPECT_EQ(h.value_count, r.values);
      EXPECT_EQ(h.forced_refetch, r.refetch);
      EXPECT_TRUE(before.empty() || subset(h.live, before));
      topk_rows += r.topk;
    }
    EXPECT_EQ(plan.positions, std::vector<std::uint32_t>{static_cast<std::uint32_t>(w.rows[row - 1].length) - 1});
    before = plan.heads.back().live, step = plan.step;
  }
  EXPECT_EQ(row, w.rows.size());
  EXPECT_EQ(choices_seen, topk_rows);
  EXPECT_GT(choices_seen, 0u);
  std::printf("  compared %zu rows, %llu choices\n", row, static_cast<unsigned long long>(choices_seen));
}

// Addresses are real: no two regions share a byte, all are aligned.
TEST(WorkloadSource, RegionsAreApart) {
  const Workload w = parse_workload("made", test::text_of({}));
  const auto layers = layers_of(w, {});
  const WorkloadLayout layout(w, layers, 512);
  std::map<std::uint64_t, std::uint64_t> used;  // base -> end
  const auto add = [&](const golden::Region& r) {
    EXPECT_EQ(r.base % 512, 0u);
    std::uint64_t& end = used[r.base];
    end = std::max(end, r.at(r.items - 1) + r.item_bytes);
  };
  for (const WorkloadRow& r : w.rows) {
    add(layout.key(r)), add(layout.value(r)), add(layout.query(r)), add(layout.out(r.layer));
    if (r.refetch) add(layout.refetch(r));
  }
  std::uint64_t end = 0;
  for (const auto& [from, to] : used) {
    EXPECT_GE(from, end);
    end = to;
  }
  EXPECT_LE(end, layout.bytes());
  std::printf("  compared %zu regions\n", used.size());
}

}  // namespace
}  // namespace winnow
