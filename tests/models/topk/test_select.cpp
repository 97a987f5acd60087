// golden/select.h against cases worked out by hand and against the definition, tried one subset size after another.
#include <gtest/gtest.h>

#include <cstdio>
#include <numeric>

#include "tests/models/topk/drive.h"

namespace winnow::topk::test {
namespace {

using Items = std::vector<std::uint64_t>;
using Kept = std::vector<std::uint32_t>;

TEST(Select, CountByHand) {
  const Items v{5, 3, 5, 5, 0, 2};
  Kept kept;
  const std::span<const std::uint64_t> s(v);
  EXPECT_EQ(golden::select_count(s, 2, kept), (golden::Selection{2, 2, 5, 10}));
  EXPECT_EQ(kept, (Kept{0, 2}));
  EXPECT_EQ(golden::select_count(s, 4, kept), (golden::Selection{4, 1, 3, 18}));
  EXPECT_EQ(kept, (Kept{0, 1, 2, 3}));
  EXPECT_EQ(golden::select_count(s, 6, kept), (golden::Selection{6, 6, 0, 20}));
  EXPECT_EQ(kept.size(), 6u);
}

TEST(Select, MassByHand) {
  const Items v{5, 3, 5, 5, 0, 2};  // sum 20
  Kept kept;
  const std::span<const std::uint64_t> s(v);
  EXPECT_EQ(golden::mass_target(32768, 20), 10u);
  EXPECT_EQ(golden::select_mass(s, 32768, kept), (golden::Selection{2, 2, 5, 10}));
  EXPECT_EQ(kept, (Kept{0, 2}));
  EXPECT_EQ(golden::mass_target(32769, 20), 11u);  // 10.0003 rounds up: a third 5 is needed
  EXPECT_EQ(golden::select_mass(s, 32769, kept), (golden::Selection{3, 3, 5, 15}));
  EXPECT_EQ(golden::select_mass(s, 65536, kept), (golden::Selection{5, 1, 2, 20}));  // the 0 is not needed
  EXPECT_EQ(kept, (Kept{0, 1, 2, 3, 5}));
  EXPECT_EQ(golden::select_mass(s, 1, kept), (golden::Selection{1, 1, 5, 5}));
  const Items zero(4, 0);
  EXPECT_EQ(golden::select_mass(std::span<const std::uint64_t>(zero), 65536, kept), (golden::Selection{1, 1, 0, 0}));
  EXPECT_EQ(kept, (Kept{0}));
}

TEST(Select, TargetOfLargeSums) {
  // Against 128-bit arithmetic, up to the widest sum.
  Random random(3);
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t sum = random.next() >> random.below(64);
    const auto mu16 = static_cast<std::uint32_t>(1 + random.below(65536));
    const auto expected = static_cast<std::uint64_t>((static_cast<unsigned __int128>(sum) * mu16 + 65535) >> 16);
    ASSERT_EQ(golden::mass_target(mu16, sum), expected);
    ASSERT_LE(expected, sum);
  }
  std::printf("100000 targets compared\n");
}

// Order by (value descending, index ascending); count takes the first k, mass the shortest prefix that reaches target.
TEST(Select, AgainstTheDefinition) {
  Random random(11);
  std::uint64_t compared = 0;
  for (int j = 0; j < 20000; ++j) {
    const auto n = static_cast<std::uint32_t>(1 + random.below(40));
    Items v(n);
    const std::uint64_t distinct = 1 + random.below(20);
    for (auto& x : v) x = random.below(distinct);
    Kept order(n), kept;
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return v[a] > v[b]; });
    const std::span<const std::uint64_t> s(v);
    const auto k = static_cast<std::uint32_t>(1 + random.below(n));
    Kept first(order.begin(), order.begin() + k);
    std::sort(first.begin(), first.end());
    golden::select_count(s, k, kept);
    ASSERT_EQ(kept, first);
    compared += kept.size();
    const auto mu16 = static_cast<std::uint32_t>(1 + random.below(65536));
    const std::uint64_t target = golden::mass_target(mu16, std::accumulate(v.begin(), v.end(), std::uint64_t{0}));
    std::uint64_t sum = 0;
    std::size_t m = 0;
    do sum += v[order[m++]];
    while (sum < target);
    first.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m));
    std::sort(first.begin(), first.end());
    ASSERT_EQ(golden::select_mass(s, mu16, kept).kept_sum, sum);
    ASSERT_EQ(kept, first);
    compared += kept.size() + 1;
  }
  std::printf("%llu values compared\n", static_cast<unsigned long long>(compared));
}

}  // namespace
}  // namespace winnow::topk::test
