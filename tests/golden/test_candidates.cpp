// A3's greedy search (golden/candidates.h), step by step on paper, and what holds for every search.
#include <algorithm>
#include <numeric>

#include "golden/candidates.h"
#include "tests/golden/common.h"

namespace winnow::golden::test {
namespace {

using Slots = std::vector<std::uint32_t>;

// Keys [slot][D].
Slots search(const std::vector<std::vector<std::int16_t>>& keys, const std::vector<std::int16_t>& q, int iterations) {
  const int n = static_cast<int>(keys.size()), D = static_cast<int>(q.size());
  std::vector<std::int16_t> k;
  Slots tokens(keys.size());
  std::iota(tokens.begin(), tokens.end(), 0u);
  for (const auto& key : keys) k.insert(k.end(), key.begin(), key.end());
  SortedColumns columns;
  columns.sort(k.data(), tokens.data(), n, D);
  return greedy_candidates(columns, q.data(), iterations);
}

// Two dimensions, q = (2, -3). Products: slot 0: 2*5 = 10, -3*1 = -3; slot 1: 2*-4 = -8, -3*-6 = 18;
// slot 2: 2*3 = 6, -3*4 = -12; slot 3: 2*0 = 0, -3*-1 = 3.
const std::vector<std::vector<std::int16_t>> kKeys = {{5, 1}, {-4, -6}, {3, 4}, {0, -1}};

TEST(Candidates, EachIterationTakesTheLargestAndTheSmallestProduct) {
  Compared compared;
  // 1: +18 to slot 1, -12 to slot 2, sum 6. Positive: slot 1 alone.
  EXPECT_EQ(search(kKeys, {2, -3}, 1), (Slots{1}));
  // 2: +10 to slot 0 (10), -8 to slot 1 (10), sum 8.
  EXPECT_EQ(search(kKeys, {2, -3}, 2), (Slots{0, 1}));
  // 3: +6 to slot 2 (-6), -3 to slot 0 (7), sum 11.
  EXPECT_EQ(search(kKeys, {2, -3}, 3), (Slots{0, 1}));
  // 4: +3 to slot 3 (3); the smallest left is 0 of slot 3, which adds nothing. Now every product of a sign is in.
  EXPECT_EQ(search(kKeys, {2, -3}, 4), (Slots{0, 1, 3}));
  // 8 and 9: all products are taken; exact scores are 7, 10, -6, 3.
  EXPECT_EQ(search(kKeys, {2, -3}, 8), (Slots{0, 1, 3}));
  EXPECT_EQ(search(kKeys, {2, -3}, 9), (Slots{0, 1, 3}));
  compared.add(6);
}

// One dimension, q = 1, keys 1, -10, 2, -9, 3.
// 1: +3 to slot 4, -10 to slot 1: the sum is -7. 2: +2 to slot 2, and the smallest (-9) waits: -5.
// 3: +1 to slot 0, still waiting: -4. 4 and on: the next largest, -9 of slot 3, is not above 0 and adds nothing.
TEST(Candidates, TheSmallestWaitWhileTheSumIsNegative) {
  Compared compared;
  const std::vector<std::vector<std::int16_t>> keys = {{1}, {-10}, {2}, {-9}, {3}};
  EXPECT_EQ(search(keys, {1}, 1), (Slots{4}));
  EXPECT_EQ(search(keys, {1}, 2), (Slots{2, 4}));
  EXPECT_EQ(search(keys, {1}, 3), (Slots{0, 2, 4}));
  EXPECT_EQ(search(keys, {1}, 5), (Slots{0, 2, 4}));
  compared.add(4);
}

// The same with two dimensions where waiting decides: q = (1, 1), keys (4, -5), (3, 0), (0, -9).
// 1: +4 to slot 0, -9 to slot 2: -5. 2: +3 to slot 1, the -5 of slot 0 waits: -2. So slot 0, whose exact score is -1,
// stays. Had it not waited, slot 0 would be at -1.
TEST(Candidates, WaitingKeepsAKeyWhoseScoreIsNegative) {
  Compared compared;
  EXPECT_EQ(search({{4, -5}, {3, 0}, {0, -9}}, {1, 1}, 2), (Slots{0, 1}));
  compared.add(1);
}

// Equal codes: q = 1 meets the last of the equals first, q = -1 the first of them. Equal products: the lowest
// dimension.
TEST(Candidates, Ties) {
  Compared compared;
  EXPECT_EQ(search({{7}, {7}, {7}}, {1}, 1), (Slots{2}));
  EXPECT_EQ(search({{7}, {7}, {7}}, {1}, 2), (Slots{1, 2}));
  EXPECT_EQ(search({{-7}, {-7}, {-7}}, {-1}, 1), (Slots{0}));
  EXPECT_EQ(search({{7, 0}, {0, 7}}, {1, 1}, 1), (Slots{0}));
  EXPECT_EQ(search({{0, 7}, {7, 0}}, {1, 1}, 1), (Slots{1}));
  compared.add(5);
}

// Nothing above 0: the key of the largest partial score, the first of equals. With q = -1 and keys 1, 2, 3 the smallest
// products are -3, then waiting: slots 0 and 1 are at 0.
TEST(Candidates, NeverNone) {
  Compared compared;
  EXPECT_EQ(search({{1}, {2}, {3}}, {-1}, 1), (Slots{0}));
  EXPECT_EQ(search({{3}, {2}, {1}}, {-1}, 3), (Slots{1}));
  EXPECT_EQ(search({{0}, {0}}, {5}, 2), (Slots{0}));
  EXPECT_EQ(search({{9}, {8}}, {0}, 2), (Slots{0}));
  EXPECT_EQ(search({{-5}}, {1}, 1), (Slots{0}));
  EXPECT_EQ(search({{5}}, {1}, 1), (Slots{0}));
  compared.add(6);
}

// No more candidates than iterations, unless it is the one that is always there; with all products taken a key is a
// candidate if and only if its exact score is above 0 (where the sum of all products is negative the smallest may have
// waited, and some more are).
TEST(Candidates, Properties) {
  Compared compared(20000);
  Random random(23);
  std::uint64_t exact = 0;
  for (int i = 0; i < 4000; ++i) {
    const int n = random.between(1, 40), D = random.between(1, 16), most = random.of<int>({1, 3, 2047});
    std::vector<std::vector<std::int16_t>> keys(static_cast<std::size_t>(n));
    std::vector<std::int16_t> q(static_cast<std::size_t>(D));
    for (auto& x : q) x = static_cast<std::int16_t>(random.between(-most, most));
    for (auto& key : keys)
      for (int d = 0; d < D; ++d) key.push_back(static_cast<std::int16_t>(random.between(-most, most)));
    Slots before;
    for (const int iterations : {1, n / 2, n, n * D}) {
      if (iterations == 0) continue;
      const Slots slots = search(keys, q, iterations);
      ASSERT_FALSE(slots.empty());
      ASSERT_LE(slots.size(), static_cast<std::size_t>(std::max(1, iterations)));
      ASSERT_TRUE(std::is_sorted(slots.begin(), slots.end()));
      ASSERT_TRUE(std::adjacent_find(slots.begin(), slots.end()) == slots.end());
      ASSERT_LT(slots.back(), static_cast<std::uint32_t>(n));
      compared.add(2 + slots.size());
    }
    const Slots all = search(keys, q, 2 * n * D);
    for (std::uint32_t j = 0; j < static_cast<std::uint32_t>(n); ++j) {
      const std::int64_t score = std::inner_product(q.begin(), q.end(), keys[j].begin(), std::int64_t{0});
      if (score > 0) {
        ASSERT_TRUE(std::binary_search(all.begin(), all.end(), j)) << "a key of a positive score is lost";
        ++exact;
      }
    }
  }
  compared.add(exact);
  EXPECT_GT(exact, 10'000u);
}

}  // namespace
}  // namespace winnow::golden::test
