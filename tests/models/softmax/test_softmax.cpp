// The softmax pipeline alone: probabilities against a plain loop over the arithmetic, cycles a stage, the row FIFO at
// its exact size, compaction.
#include "models/softmax/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdio>

#include "tests/support/groups.h"

namespace winnow {
namespace {

golden::Decisions decisions(bool rest) {
  golden::Decisions d;
  d.rest = rest;
  return d;
}

struct Pipeline {
  Pipeline(int width, int row_fifo) : Pipeline(SoftmaxParams{width, row_fifo, 2, 3, 4, 5, 2}, 16) {}
  Pipeline(const SoftmaxParams& sizes, int rows, bool rest = false)
      : m(2, 3, 64),
        scores(1, 16),
        verdicts(2),
        compact(2),
        sums(2, 16),
        done(2, 8),
        compacted(2),
        softmax(
            {sizes, decisions(rest), false, rows},
            {m.groups, m.constants, m.scores, m.exponentials, m.probabilities, m.selection_scores, m.kept, m.origins},
            scores, verdicts, compact, sums, done, compacted) {
    const ConstantsRef place = m.constants.at(m.constants.take(false), 0);
    for (std::size_t h = 0; h < 3; ++h) m.constants.poke(static_cast<ConstantsRef>(place + h)).to_log2 = scale[h];
    for (std::size_t s = 0; s < 2; ++s) m.groups[s].constants = place;
  }
  void tick(Cycle now) {
    softmax.tick(now);
    while (sums.can_pop(now)) sums.pop(now);
  }
  test::GroupMemories m;
  Pipe<ScoreRow> scores;
  Fifo<Verdict> verdicts;
  Fifo<CompactJob> compact;
  Pipe<RowSum> sums;
  Pipe<GroupDone> done;
  Fifo<CompactDone> compacted;
  golden::Scale scale[3] = {{40000, 14}, {50000, 15}, {60000, 13}};
  Softmax softmax;
};

std::int32_t value(int head, std::uint32_t slot) {
  return static_cast<std::int32_t>((slot * 7919u + static_cast<unsigned>(head) * 104729u) % 5000u) - 2500;
}

// Feeds every head's row of n scores, `banks` a cycle, and runs until the group is done. Returns the cycle.
Cycle run(Pipeline& p, std::uint32_t heads, std::uint32_t n, std::uint32_t banks, std::uint8_t pass = 0) {
  GroupEntry& g = p.m.groups[0];
  g.heads = heads, g.slots = n;
  Cycle now = 1;
  std::uint32_t next = 0;
  int head = 0;
  while (!((heads >> head) & 1)) ++head;
  for (; now < 5000 && !p.done.can_pop(now); ++now) {
    if (head < 3 && p.scores.can_push(now)) {
      ScoreRow& r = p.scores.push(now);
      r.tag.group = static_cast<std::uint8_t>(head), r.tag.pass = pass, r.store = 0, r.add = false;
      r.first = next, r.count = static_cast<int>(std::min(banks, n - next));
      for (int i = 0; i < r.count; ++i)
        r.value[static_cast<std::size_t>(i)] = value(head, next + static_cast<std::uint32_t>(i));
      next += static_cast<std::uint32_t>(r.count);
      r.last = next == n;
      if (r.last) {
        next = 0;
        do ++head;
        while (head < 3 && !((heads >> head) & 1));
      }
    }
    p.tick(now);
  }
  return now;
}

std::uint64_t check(const Pipeline& p, std::uint32_t heads, std::uint32_t n) {
  std::vector<std::uint32_t> sums(n, 0);
  std::uint64_t compared = 0;
  for (int h = 0; h < 3; ++h) {
    if (!((heads >> h) & 1)) continue;
    std::int32_t top = INT32_MIN;
    std::uint64_t denominator = 0;
    std::vector<std::uint32_t> e(n);
    for (std::uint32_t i = 0; i < n; ++i) top = std::max(top, value(h, i));
    for (std::uint32_t i = 0; i < n; ++i)
      denominator += e[i] = golden::exp2_neg(golden::log2_distance(top - value(h, i), p.scale[h]));
    for (std::uint32_t i = 0; i < n; ++i, ++compared) {
      const std::uint32_t probability = golden::probability(e[i], golden::reciprocal(denominator));
      EXPECT_EQ(p.m.probabilities.peek(0, static_cast<std::size_t>(h))[i], probability)
          << "head " << h << " slot " << i;
      sums[i] += probability;
    }
  }
  for (std::uint32_t i = 0; i < n; ++i, ++compared) EXPECT_EQ(p.m.selection_scores.peek(0)[i], sums[i]) << "slot " << i;
  return compared;
}

TEST(Softmax, Probabilities) {
  std::uint64_t compared = 0;
  for (const auto& [width, banks, n, heads] : {std::tuple{4, 4u, 30u, 0b111u},
                                               {4, 1u, 30u, 0b101u},
                                               {1, 8u, 17u, 0b010u},
                                               {8, 2u, 64u, 0b110u},
                                               {4, 8u, 1u, 0b111u}}) {
    // As many words as the longest row takes, and none more.
    Pipeline p(width, static_cast<int>((n + static_cast<unsigned>(width) - 1) / static_cast<unsigned>(width)));
    ASSERT_LT(run(p, heads, n, banks), 5000u) << "stuck: width " << width << ", " << banks << " scores a cycle";
    compared += check(p, heads, n);
    for (Cycle now = 5000; now < 5010; ++now) p.tick(now);  // the last row's flag is on its way
    EXPECT_TRUE(p.softmax.idle());
    EXPECT_EQ(p.softmax.exponentials(), static_cast<std::uint64_t>(std::popcount(heads)) * n);
    EXPECT_EQ(p.softmax.divisions(), p.softmax.exponentials());
  }
  std::printf("%llu probabilities and sums equal\n", static_cast<unsigned long long>(compared));
}

// One row: ceil(n / width) cycles a stage, and the latencies between them.
TEST(Softmax, CyclesOfARow) {
  Pipeline p(4, 32);
  const Cycle done = run(p, 0b001, 40, 4);
  // Scores arrive from cycle 2 on; 10 cycles gather, 2 dequantize, 10 exponentials, 3 + 4 + 5, 10 divide, 2 to the
  // message.
  EXPECT_GE(done, 2u + 9 + 2 + 9 + 12 + 9 + 2);
  EXPECT_LE(done, 2u + 10 + 2 + 10 + 12 + 10 + 2 + 2);
  std::printf("done in cycle %llu\n", static_cast<unsigned long long>(done));
}

TEST(Softmax, CompactionMovesSurvivorsUp) {
  Pipeline p(4, 32);
  GroupEntry& g = p.m.groups[1];
  std::uint32_t* origins = p.m.origins.poke(1);
  std::uint8_t* flags = p.m.kept.poke(1);
  g.heads = 0b101, g.slots = 20;
  std::vector<std::uint32_t> kept;
  for (std::uint32_t i = 0; i < 20; ++i) {
    origins[i] = 2 * i, flags[i] = i % 3 == 1;
    for (int h : {0, 2}) p.m.scores.poke(1, static_cast<std::size_t>(h))[i] = value(h, i);
    if (flags[i]) kept.push_back(i);
  }
  p.compact.push(1, {1});
  Cycle now = 2;
  while (!p.compacted.can_pop(now)) p.tick(now++);
  EXPECT_EQ(now - 2, 5u);  // ceil(20 / 4); the last survivors are written with the last read
  ASSERT_EQ(g.slots, kept.size());
  for (std::uint32_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(origins[i], 2 * kept[i]);
    for (int h : {0, 2}) EXPECT_EQ(p.m.scores.peek(1, static_cast<std::size_t>(h))[i], value(h, kept[i]));
  }
  std::printf("%zu survivors equal\n", kept.size());
}

// Seven of eight stay: the last word read fills one of survivors, and begins one more, which takes a cycle.
TEST(Softmax, CompactionWritesAWordACycle) {
  for (const auto& [slots, every, cycles] : {std::tuple{20u, 20u, 6u}, {20u, 1u, 5u}, {16u, 100u, 5u}}) {
    Pipeline p(4, 32);
    GroupEntry& g = p.m.groups[1];
    g.heads = 0b1, g.slots = slots;
    for (std::uint32_t i = 0; i < slots; ++i) p.m.origins.poke(1)[i] = i, p.m.kept.poke(1)[i] = i % every != 1 % every;
    p.compact.push(1, {1});
    Cycle now = 2;
    while (!p.compacted.can_pop(now)) p.tick(now++);
    EXPECT_EQ(now - 2, cycles) << slots << " slots, all but every " << every;
  }
  std::printf("3 times compared\n");
}

// Reciprocals come an interval apart, and rows between two stages are bounded: a short ring is slower, never wrong.
TEST(Softmax, DividerAndRingsAreBounded) {
  const auto cycles = [](int interval, int rows) {
    SoftmaxParams sizes{4, 32, 2, 3, 4, 5, 2};
    sizes.reciprocal_interval = interval;
    Pipeline p(sizes, rows);
    const Cycle done = run(p, 0b111, 4, 4);
    EXPECT_EQ(check(p, 0b111, 4), 3u * 4 + 4);
    return done;
  };
  const Cycle fast = cycles(1, 16);
  EXPECT_EQ(cycles(20, 16), fast + 2 * 19);
  EXPECT_GT(cycles(1, 2), fast);
  std::printf("3 pipelines compared\n");
}

// What earlier selections left out is rescaled beside a row's exponentials, and the denominator waits for it. A
// pipeline no longer than exponential and accumulator costs nothing, however short the rows are; one multiplier for all
// three products holds up the rows behind it. A first pass has no rest.
TEST(Softmax, TheRestIsRescaledBesideTheRow) {
  const auto cycles = [](bool rest, int latency, int interval, std::uint8_t pass) {
    SoftmaxParams sizes{4, 32, 2, 3, 4, 5, 2};
    sizes.rest_latency = latency, sizes.rest_interval = interval;
    Pipeline p(sizes, 16, rest);
    const Cycle done = run(p, 0b111, 4, 4, pass);
    EXPECT_EQ(check(p, 0b111, 4), 3u * 4 + 4);
    return done;
  };
  const Cycle without = cycles(false, 1, 1, 1);
  EXPECT_EQ(cycles(true, 3 + 4, 1, 1), without);
  EXPECT_EQ(cycles(true, 3 + 4 + 11, 1, 1), without + 11);
  EXPECT_EQ(cycles(true, 3 + 4, 9, 1), without + 2 * 8) << "three rows, a cycle each, nine apart";
  EXPECT_EQ(cycles(true, 3 + 4 + 11, 9, 0), without) << "first pass";
  std::printf("5 pipelines compared\n");
}

}  // namespace
}  // namespace winnow
