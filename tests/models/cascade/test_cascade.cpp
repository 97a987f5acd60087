// Cascade: items equal the schedule's definition; rate, bank conflicts, quotients one a cycle, sweeps waited for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/cascade/cascade.h"
#include "tests/support/random.h"

namespace winnow {
namespace {

constexpr int kWidth = 8;

struct Bench {
  golden::Shape shape;
  golden::Decisions decisions;
  Lists lists{1024};
  RankingItems items{1024};
  ImportanceMemory importance;
  Fifo<CascadeChoice> choices{4};
  Fifo<TopkJob> jobs{4};
  Cascade block;
  Cycle now = 1;

  static golden::Shape shape_of() {
    golden::Shape s;
    s.layers = 2, s.heads = 4, s.kv_heads = 2, s.head_dim = 16, s.tokens = 300, s.prompt = 290, s.causal = true;
    return s;
  }
  explicit Bench(int decay = 0)
      : shape(shape_of()),
        decisions(with(decay)),
        importance(shape, decisions, kWidth, shape.tokens),
        block(kWidth, {lists, importance, items}, choices, jobs) {}
  static golden::Decisions with(int decay) {
    golden::Decisions d;
    d.decay_shift = decay;
    return d;
  }

  // Cycles until the block is idle again.
  Cycle run(const CascadeChoice& choice) {
    choices.push(now++, choice);
    const Cycle start = now;
    while (!block.idle()) block.tick(now++);
    if (choice.kind != CascadeChoice::Kind::chances) {
      EXPECT_TRUE(jobs.can_pop(now));
      jobs.pop(now);
    }
    return now - start;
  }
  CascadeChoice choose(const std::vector<std::uint32_t>& names) {
    CascadeChoice c;
    c.job.names = lists.take(names), c.job.items = items.take();
    c.job.job.n = static_cast<unsigned>(names.size());
    return c;
  }
};

TEST(Cascade, ItemsAreTheSchedules) {
  test::Random r(3);
  std::uint64_t compared = 0;
  for (int round = 0; round < 60; ++round) {
    Bench b;
    std::vector<std::uint64_t> tokens(300), chances(300), heads(4);
    for (auto& x : tokens) x = static_cast<std::uint64_t>(r.below(1 << 30));
    for (auto& x : chances) x = static_cast<std::uint64_t>(r.below(40));
    for (auto& x : heads) x = static_cast<std::uint64_t>(r.below(1 << 30));
    b.importance.load(tokens, chances, heads);
    std::vector<std::uint32_t> names;
    const bool of_heads = round % 5 == 4;
    for (std::uint32_t t = 0; t < (of_heads ? 4u : 300u); ++t)
      if (r.below(3)) names.push_back(t);
    if (names.empty()) continue;
    CascadeChoice c = b.choose(names);
    c.job.what = of_heads ? Candidates::heads : Candidates::tokens;
    c.rule.first_end = static_cast<std::uint32_t>(r.below(5)), c.rule.newest_from = 290;
    c.rule.normalised = !of_heads && round % 2;
    b.run(c);
    const std::uint64_t* got = b.items.read(c.job.items, 0, names.size());
    for (std::size_t i = 0; i < names.size(); ++i, ++compared)
      ASSERT_EQ(got[i], of_heads ? heads[names[i]] : c.rule.item(names[i], tokens[names[i]], chances[names[i]])) << i;
  }
  fmt::print("{} items equal\n", compared);
  EXPECT_GT(compared, 5000u);
}

TEST(Cascade, ABankGivesOneWordACycle) {
  Bench b;
  std::vector<std::uint32_t> all, same;
  for (std::uint32_t t = 0; t < 64; ++t) all.push_back(t);
  for (std::uint32_t t = 0; t < 16; ++t) same.push_back(t * kWidth);
  EXPECT_EQ(b.run(b.choose(all)), 64u / kWidth);
  EXPECT_EQ(b.run(b.choose(same)), 16u) << "all in one bank";
  CascadeChoice quotients = b.choose(all);
  quotients.rule.normalised = true;
  EXPECT_EQ(b.run(quotients), 64u) << "one quotient a cycle";
  EXPECT_FALSE(b.items.there(quotients.job.items, 64, b.now + Cascade::kDivideLatency - 2));
  EXPECT_TRUE(b.items.there(quotients.job.items, 64, b.now + Cascade::kDivideLatency));
  fmt::print("5 timings equal\n");
}

// A row of the tree's width has a level's latency a doubling; a block of several rows waits for its last.
TEST(Cascade, BlocksAreSumsInATree) {
  std::uint64_t compared = 0;
  const std::pair<int, Cycle> latencies[] = {{2, 1}, {4, 2}, {8, 3}, {16, 3 + 2}, {64, 3 + 8}};
  static_assert(kWidth == 8);
  for (const auto& [block, latency] : latencies) {
    Bench b;
    std::vector<std::uint64_t> tokens(300);
    test::Random r(7);
    for (auto& x : tokens) x = static_cast<std::uint64_t>(r.below(1 << 30));
    b.importance.load(tokens, std::vector<std::uint64_t>(300), std::vector<std::uint64_t>(4));
    CascadeChoice c = b.choose({});
    c.job.names = kEveryItem, c.job.job.n = 150;  // the last block is not whole
    c.rule.block = static_cast<std::uint16_t>(block), c.rule.first_end = static_cast<std::uint32_t>(block);
    EXPECT_EQ(b.run(c), (150u + kWidth - 1) / kWidth) << "the rate stays";
    EXPECT_FALSE(b.items.there(c.job.items, 150, b.now + latency - 1));
    EXPECT_TRUE(b.items.there(c.job.items, 150, b.now + latency));
    const std::uint64_t* got = b.items.read(c.job.items, 0, 150);
    for (int t = 0; t < 150; ++t, ++compared) {
      std::uint64_t sum = 0;
      for (int u = 0; u < 150; ++u) sum += u / block == t / block ? tokens[static_cast<std::size_t>(u)] : 0;
      ASSERT_EQ(got[t], t < block ? golden::kProtectedItem : sum) << block << ": " << t;
    }
  }
  fmt::print("{} items equal\n", compared);
}

TEST(Cascade, WaitsForTheSweepOfDecay) {
  Bench b(5);
  b.importance.begin_step(b.now++);
  std::vector<std::uint32_t> names = {1, 2, 3};
  b.choices.push(b.now++, b.choose(names));
  for (int i = 0; i < 50; ++i) b.block.tick(b.now++);
  EXPECT_FALSE(b.block.idle());
  while (!b.importance.drained()) b.importance.sweep(b.now++);
  b.block.tick(b.now++);
  EXPECT_TRUE(b.block.idle());
}

TEST(Cascade, CountsTheRowsThatSeeAToken) {
  Bench b;
  CascadeChoice c;
  c.kind = CascadeChoice::Kind::chances;
  c.job.job.n = 290, c.prompt = c.causal = true;
  EXPECT_EQ(b.run(c), (290u + kWidth - 1) / kWidth);
  for (std::uint32_t t = 0; t < 290; ++t) ASSERT_EQ(b.importance.chances()[t], 290 - t);
  fmt::print("290 counts equal\n");
}

}  // namespace
}  // namespace winnow
