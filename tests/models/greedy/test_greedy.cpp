// The greedy search alone: its candidates against golden's, the cycles of a search, what it waits for, sorting apart.
#include "models/greedy/greedy.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "golden/candidates.h"
#include "tests/support/random.h"

namespace winnow {
namespace {

constexpr std::uint32_t kShare = golden::kShareAll / 2;

Sizes sizes_of(int head_dim, int tokens, int columns, int scan) {
  Sizes s;
  s.head_dim = head_dim, s.longest = tokens, s.stores = 2, s.halves = 2, s.group = 2;
  s.greedy_columns = columns, s.greedy_scan = scan, s.key_words = head_dim * tokens;
  return s;
}

struct Search {
  Search(int head_dim, int tokens, int columns, int scan, int latency, std::uint32_t share = kShare)
      : sizes(sizes_of(head_dim, tokens, columns, scan)),
        keys({"key_buffer", "key buffer", "", ""}, 2, tokens, head_dim, 4),
        queries(8, head_dim),
        sorted(sizes),
        lists(sizes),
        jobs(8),
        greedy(params(head_dim, tokens, columns, scan, latency, share), {keys, queries, sorted, lists}, jobs) {}
  static Greedy::Params params(int head_dim, int tokens, int columns, int scan, int latency, std::uint32_t share) {
    Greedy::Params p;
    p.sizes = {columns, scan, latency}, p.head_dim = head_dim, p.longest = tokens;
    p.decisions.search_share = share;
    return p;
  }

  void load_keys(int half, const std::vector<std::int16_t>& k, Cycle& now) {
    const auto D = static_cast<std::size_t>(keys.head_dim());
    keys.begin(half, static_cast<std::uint32_t>(k.size() / D), now++);
    for (std::uint32_t s = 0; s * D < k.size(); ++s, ++now) std::copy_n(&k[s * D], D, keys.write(half, s, now));
  }
  void load_query(const std::vector<std::int16_t>& q, Cycle now) { std::copy(q.begin(), q.end(), queries.push(now)); }
  GreedyJob job(std::size_t store, std::uint8_t row, std::uint32_t n, std::uint64_t query, bool sort) const {
    GreedyJob j;
    j.store = static_cast<std::uint16_t>(store), j.tag.group = row, j.keys = n, j.query = query, j.sort = sort;
    return j;
  }
  // Cycles until the row's candidates may be read.
  Cycle wait_for(std::size_t store, std::size_t row, Cycle& now) {
    const Cycle from = now;
    while (!lists.ready(store, row, now)) {
      greedy.tick(now++);
      if (now - from > 10'000) throw std::runtime_error("never ready");
    }
    return now - from;
  }

  Sizes sizes;
  KvBuffer keys;
  QueryRegisters queries;
  SortedKeys sorted;
  CandidateLists lists;
  Fifo<GreedyJob> jobs;
  Greedy greedy;
};

std::vector<std::int16_t> random_words(test::Random& random, std::size_t n, int most) {
  std::vector<std::int16_t> words(n);
  for (auto& w : words)
    w = static_cast<std::int16_t>(static_cast<int>(random.below(static_cast<std::uint64_t>(2 * most + 1))) - most);
  return words;
}

// Candidates of two queries of a head, the second without sorting anew, over many sizes; ceil(D / columns) + M +
// latency
// + ceil(n / scan) cycles each.
TEST(Greedy, CandidatesAndCycles) {
  test::Random random(5);
  std::uint64_t compared = 0, searches = 0;
  for (int i = 0; i < 400; ++i) {
    const int D = 8 * (1 + static_cast<int>(random.below(8))), n = 1 + static_cast<int>(random.below(60));
    const int columns = 1 + static_cast<int>(random.below(24)), scan = 1 << random.below(6),
              latency = 1 + static_cast<int>(random.below(6));
    const int most = random.below(2) ? 2047 : 2;
    Search s(D, 60, columns, scan, latency);
    const std::vector<std::int16_t> k = random_words(random, static_cast<std::size_t>(n * D), most);
    Cycle now = 1;
    s.load_keys(0, k, now);
    std::vector<std::uint32_t> tokens(static_cast<std::size_t>(n));
    std::iota(tokens.begin(), tokens.end(), 0u);
    golden::SortedColumns columns_of_k;
    columns_of_k.sort(k.data(), tokens.data(), n, D);
    s.lists.begin(1, true);
    const int M = std::max(1, n / 2);
    for (std::uint8_t row = 0; row < 2; ++row, ++searches) {
      const std::vector<std::int16_t> q = random_words(random, static_cast<std::size_t>(D), most);
      s.load_query(q, now++);
      s.jobs.push(now++, s.job(1, row, static_cast<std::uint32_t>(n), row, row == 0));
      const Cycle took = s.wait_for(1, row, now);
      EXPECT_EQ(took, static_cast<Cycle>((D + columns - 1) / columns + M + latency + (n + scan - 1) / scan));
      const std::vector<std::uint32_t> expected = golden::greedy_candidates(columns_of_k, q.data(), M);
      ASSERT_EQ(s.lists.count(1, row), expected.size());
      for (std::size_t j = 0; j < expected.size(); ++j, ++compared) ASSERT_EQ(s.lists.peek(1, row)[j], expected[j]);
    }
    EXPECT_EQ(s.greedy.sorts(), 1u);
    EXPECT_EQ(s.greedy.iterations(), 2u * static_cast<unsigned>(M));
    EXPECT_TRUE(s.greedy.idle());
  }
  std::printf("%llu searches, %llu candidates equal to golden's\n", static_cast<unsigned long long>(searches),
              static_cast<unsigned long long>(compared));
  EXPECT_GT(compared, 5000u);
}

// K of which a vector is missing, then a query that is missing.
TEST(Greedy, WaitsForKeysAndQuery) {
  Search s(8, 16, 4, 16, 2);
  test::Random random(9);
  const std::vector<std::int16_t> k = random_words(random, 8 * 5, 100), q = random_words(random, 8, 100);
  Cycle now = 1;
  s.keys.begin(0, 5, now++);
  for (std::uint32_t slot = 0; slot < 4; ++slot, ++now) std::copy_n(&k[slot * 8], 8, s.keys.write(0, slot, now));
  s.lists.begin(0, true);
  s.jobs.push(now++, s.job(0, 0, 5, 0, true));
  for (int i = 0; i < 7; ++i) s.greedy.tick(now++);
  EXPECT_EQ(s.greedy.stats().cycles_of(s.greedy.kKeys), 7u);
  std::copy_n(&k[32], 8, s.keys.write(0, 4, now++));
  for (int i = 0; i < 3; ++i) s.greedy.tick(now++);
  EXPECT_EQ(s.greedy.stats().cycles_of(s.greedy.kQueries), 3u);
  s.load_query(q, now++);
  EXPECT_EQ(s.wait_for(0, 0, now), 2u + 2 + 2 + 1);
}

// Sorting takes no cycle of the run: 16 columns on 8 lanes are twice 10 keys by 4 merges.
TEST(Greedy, SortingIsCountedApart) {
  Search s(16, 10, 8, 16, 1);
  test::Random random(2);
  Cycle now = 1;
  s.load_keys(0, random_words(random, 16 * 10, 50), now);
  s.load_query(random_words(random, 16, 50), now++);
  s.lists.begin(0, true);
  s.jobs.push(now++, s.job(0, 0, 10, 0, true));
  EXPECT_EQ(s.wait_for(0, 0, now), 2u + 5 + 1 + 1);
  EXPECT_EQ(s.greedy.sort_cycles(), 2u * 10 * 4);
  EXPECT_EQ(s.sorted.words_written(), 0u);
}

// A machine without a search has no such memories.
TEST(Greedy, NoneWithoutColumns) {
  const Sizes none = sizes_of(64, 64, 0, 16);
  EXPECT_EQ(SortedKeys(none).shape().words, 0u);
  EXPECT_EQ(CandidateLists(none).shape().words, 0u);
  EXPECT_EQ(GreedyJobs::depth(none), 0u);
  EXPECT_GT(SortedKeys(sizes_of(64, 64, 16, 16)).shape().words, 0u);
}

}  // namespace
}  // namespace winnow
