// Accumulation alone: sums against a plain loop, bank conflicts as stalls, decay.
#include "models/importance/importance.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "tests/support/groups.h"

namespace winnow {
namespace {

struct Case {
  const char* name;
  std::uint32_t stride;  // token of slot i is i * stride
  bool conflicts;
};

TEST(Importance, SumsAndBankStalls) {
  std::uint64_t compared = 0;
  for (const Case& c :
       {Case{"neighbours", 1, false}, Case{"every third", 3, false}, Case{"all in one bank", 8, true}}) {
    golden::Shape shape;
    shape.layers = 1, shape.heads = 2, shape.kv_heads = 1, shape.head_dim = 8, shape.tokens = 400, shape.prompt = 400;
    test::GroupMemories m(1, 2, 400);
    ImportanceMemory importance(shape, golden::Decisions{}, 8, shape.tokens);
    Fifo<ImportanceJob> jobs(4);
    Fifo<ImportanceDone> done(4);
    Fifo<HeadMagnitude> magnitudes(4);
    Importance block(8, ImportanceParams{}, {m.groups, m.selection_scores, m.origins, m.lists, importance}, jobs, done,
                     magnitudes);
    const std::uint32_t n = 45;
    std::vector<std::uint32_t> tokens;
    std::vector<std::uint64_t> expected(400, 0);
    GroupEntry& g = m.groups[0];
    g.slots = n, g.heads = 1;
    g.readable[0].raise(0);
    for (std::uint32_t i = 0; i < n; ++i) {
      tokens.push_back(i * c.stride);
      m.origins.poke(0)[i] = i, m.selection_scores.poke(0)[i] = i * i + 7;
      expected[tokens[i]] += 2 * (i * i + 7);
    }
    const ListRef list = m.lists.take(tokens);
    Cycle now = 1;
    for (int round = 0; round < 2; ++round) {
      jobs.push(now, {0, list, 0});
      magnitudes.push(now, {static_cast<std::uint16_t>(round), 1000});
      ++now;
      const Cycle begin = now;
      while (!done.can_pop(now)) {
        block.tick(now++);
        ASSERT_LT(now, begin + 1000);
      }
      done.pop(now);
      // ceil(45 / 8) rows, 9 or so cycles to drain the queues at most; in one bank a token a cycle.
      if (c.conflicts)
        EXPECT_GE(now - begin, n);
      else
        EXPECT_LE(now - begin, (n + 7) / 8 + 5);
    }
    EXPECT_EQ(block.bank_stalls() > 0, c.conflicts) << c.name;
    EXPECT_EQ(block.accumulations(), 2u * n);
    for (std::size_t t = 0; t < expected.size(); ++t, ++compared)
      ASSERT_EQ(importance.tokens()[t], expected[t]) << c.name << ": token " << t;
    EXPECT_EQ(importance.heads()[0], 1000u);
    EXPECT_EQ(importance.heads()[1], 1000u);
    EXPECT_TRUE(block.idle());
  }
  std::printf("%llu sums equal\n", static_cast<unsigned long long>(compared));
}

// Slots of two banks in turn: a bank accepts so many a cycle, and its queue fills once; then each adds one a cycle.
TEST(Importance, CrossbarAcceptsSoManyABank) {
  golden::Shape shape;
  shape.layers = 1, shape.heads = 1, shape.kv_heads = 1, shape.head_dim = 8, shape.tokens = 400, shape.prompt = 400;
  std::uint64_t before = ~std::uint64_t{0};
  for (int accepts : {1, 2, 4}) {
    test::GroupMemories m(1, 1, 400);
    ImportanceMemory importance(shape, golden::Decisions{}, 8, shape.tokens);
    Fifo<ImportanceJob> jobs(4);
    Fifo<ImportanceDone> done(4);
    Fifo<HeadMagnitude> magnitudes(4);
    Importance block(8, {.lane_queue = 4, .bank_queue = 8, .bank_accepts = accepts},
                     {m.groups, m.selection_scores, m.origins, m.lists, importance}, jobs, done, magnitudes);
    GroupEntry& g = m.groups[0];
    g.slots = 16, g.heads = 1;
    g.readable[0].raise(0);
    // Two rows, each with two slots a bank of four banks.
    for (std::uint32_t i = 0; i < 16; ++i) m.origins.poke(0)[i] = i / 2 % 4 + 8 * i, m.selection_scores.poke(0)[i] = 1;
    jobs.push(1, {0, kEveryItem, 0});
    Cycle now = 2;
    while (!done.can_pop(now)) {
      block.tick(now++);
      ASSERT_LT(now, 1000u);
    }
    EXPECT_EQ(block.accumulations(), 16u);
    EXPECT_GE(now - 2, 16u / 4 + 1) << "a bank adds one a cycle";
    EXPECT_LE(now - 2, before);
    before = now - 2;
  }
  std::printf("3 crossbars in turn, %llu cycles at four a bank\n", static_cast<unsigned long long>(before));
}

TEST(Importance, DecaySweepsTheMemory) {
  golden::Shape shape;
  shape.layers = 1, shape.heads = 1, shape.kv_heads = 1, shape.head_dim = 8, shape.tokens = 50, shape.prompt = 50;
  golden::Decisions decisions;
  decisions.decay_shift = 3;
  test::GroupMemories m(1, 1, 50);
  ImportanceMemory importance(shape, decisions, 4, shape.tokens);
  Fifo<ImportanceJob> jobs(4);
  Fifo<ImportanceDone> done(4);
  Fifo<HeadMagnitude> magnitudes(4);
  Importance block(4, ImportanceParams{}, {m.groups, m.selection_scores, m.origins, m.lists, importance}, jobs, done,
                   magnitudes);
  std::vector<std::uint64_t> before(50);
  for (std::size_t t = 0; t < 50; ++t) before[t] = t * t * t;
  importance.load(before, std::vector<std::uint64_t>(50), {0});
  Cycle now = 0;
  importance.begin_step(now++);
  while (!block.idle()) block.tick(now++);
  EXPECT_EQ(now - 1, 13u);  // ceil(50 / 4)
  for (std::size_t t = 0; t < 50; ++t) EXPECT_EQ(importance.tokens()[t], before[t] - before[t] / 8) << "token " << t;
  std::printf("50 values equal\n");
}

}  // namespace
}  // namespace winnow
