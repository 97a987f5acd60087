// Q x K alone: scores against a plain sum, cycles a task, later passes first, what it waits for.
#include "models/qk/qk.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

namespace winnow {
namespace {

struct Array {
  Array(int head_dim, int banks, int tokens, int multipliers = 0, int brick_bits = 12, bool weighted = false)
      : dim(head_dim),
        keys({"key_buffer", "key buffer", "", ""}, 2, tokens, head_dim, banks),
        queries(8, head_dim, weighted),
        first(8),
        later(8),
        scores(3, 8),
        released(2),
        qk({head_dim, multipliers ? multipliers : banks * head_dim, brick_bits, false, 8}, first, later, keys, queries,
           groups, grant, candidates, scores, released) {}

  static Sizes searched_sizes() {
    Sizes s;
    s.greedy_columns = 8, s.stores = 4, s.group = 4;
    return s;
  }
  static std::int16_t word(std::uint32_t slot, int d, int salt) {
    return static_cast<std::int16_t>(
               (slot * 977u + static_cast<std::uint32_t>(d) * 131u + static_cast<std::uint32_t>(salt) * 7u) % 4095u) -
           2047;
  }
  // 8 bits of K, 4 more to follow.
  static std::int16_t digit(std::uint32_t slot, int d, int salt) {
    return static_cast<std::int16_t>(word(slot, d, salt) / 16);
  }
  void load_keys(int half, std::uint32_t n, Cycle& now) {
    keys.begin(half, n, now++);
    for (std::uint32_t s = 0; s < n; ++s, ++now) {
      std::int16_t* w = keys.write(half, s, now);
      for (int d = 0; d < dim; ++d) w[d] = digit(s, d, half);
    }
  }
  void load_query(int salt, Cycle now) {
    std::int16_t* w = queries.push(now);
    for (int d = 0; d < dim; ++d) w[d] = word(5, d, salt);
  }
  std::int64_t score(int half, std::uint32_t slot, int salt) const {
    std::int64_t sum = 0;
    for (int d = 0; d < dim; ++d) sum += std::int64_t{digit(slot, d, half)} * word(5, d, salt);
    return sum;
  }
  QkTask task(int half, std::uint32_t keys_of_task, std::uint64_t query) const {
    QkTask t;
    t.half = static_cast<std::uint8_t>(half), t.keys = keys_of_task, t.query = query;
    return t;
  }

  int dim;
  KvBuffer keys;
  QueryRegisters queries;
  Fifo<QkTask> first, later;
  Pipe<ScoreRow> scores;
  Fifo<HalfReleased> released;
  GroupTable groups{searched_sizes()};
  ArrayGrant grant{true};
  CandidateLists candidates{searched_sizes()};
  Qk qk;
};

// The weight of a head comes with its query and is where P x V looks for it.
TEST(Qk, HandsOnTheWeightsOfHeads) {
  Array a(16, 2, 16, 0, 12, true);
  Cycle now = 1;
  a.load_keys(0, 3, now);
  std::uint64_t compared = 0;
  for (const std::uint16_t weight : {0, 1, 40000, 65535}) {
    const std::uint64_t number = a.queries.pushed();
    a.load_query(static_cast<int>(number), now);
    a.queries.weigh(weight);
    QkTask t = a.task(0, 3, number);
    t.store = 1, t.tag.group = static_cast<std::uint8_t>(number), t.release_queries = 1;
    a.first.push(++now, t);
    for (const Cycle end = now + 20; now < end; ++now) {
      a.qk.tick(now);
      while (a.scores.can_pop(now)) a.scores.pop(now);
    }
    EXPECT_EQ(a.groups[1].head_weight[number], weight);
    ++compared;
  }
  EXPECT_EQ(a.queries.shape().bits, 12 * 16 + 16);
  std::printf("%llu weights equal\n", static_cast<unsigned long long>(compared));
}

TEST(Qk, ScoresAndCycles) {
  std::uint64_t compared = 0;
  for (const auto& [dim, banks, n] : {std::tuple{64, 8, 29u}, {64, 1, 5u}, {32, 4, 32u}, {8, 64, 65u}, {256, 2, 7u}}) {
    Array a(dim, banks, 80);
    Cycle now = 1;
    a.load_keys(0, n, now);
    a.load_query(3, now++);
    QkTask t = a.task(0, n, 0);
    t.shift = 4, t.release_half = true, t.release_queries = 1;
    a.first.push(now++, t);
    std::uint32_t seen = 0;
    bool last = false;
    for (const Cycle end = now + 200; now < end; ++now) {
      a.qk.tick(now);
      while (a.scores.can_pop(now)) {
        const ScoreRow& r = a.scores.peek();
        ASSERT_EQ(r.first, seen);
        for (int i = 0; i < r.count; ++i, ++seen, ++compared)
          ASSERT_EQ(r.value[static_cast<std::size_t>(i)], a.score(0, seen, 3) * 16) << "slot " << seen << ", D " << dim;
        last = r.last;
        a.scores.pop(now);
      }
    }
    EXPECT_EQ(seen, n);
    EXPECT_TRUE(last);
    EXPECT_EQ(a.qk.stats().busy_cycles(), (n + static_cast<unsigned>(banks) - 1) / static_cast<unsigned>(banks));
    EXPECT_EQ(a.qk.multiplications(), static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(dim));
    EXPECT_FALSE(a.released.drained());
    EXPECT_EQ(a.queries.released(), 1u);
    EXPECT_EQ(a.qk.stats().cycles(), 200u);
  }
  std::printf("%llu scores equal\n", static_cast<unsigned long long>(compared));
}

// A later pass goes before a first one, but not into a task begun, and one whose keys are missing holds nobody up.
TEST(Qk, LaterPassesFirstByWholeTasks) {
  Array a(32, 2, 16);
  Cycle now = 1;
  a.load_keys(0, 10, now);
  a.load_query(1, now++), a.load_query(2, now++);
  a.keys.begin(1, 6, now++);  // the gather of the later pass is on its way
  QkTask one = a.task(0, 10, 0), two = a.task(0, 10, 1), late = a.task(1, 6, 0);
  one.tag.query = 1, two.tag.query = 2, late.tag.query = 3, late.tag.pass = 1;
  a.later.push(now, late), a.first.push(now++, one);
  a.first.push(now++, two);
  std::vector<std::uint32_t> order;
  for (const Cycle begin = now; now < begin + 60; ++now) {
    if (now >= begin + 2 && now < begin + 8) {  // arrives under the first task
      std::int16_t* w = a.keys.write(1, static_cast<std::uint32_t>(now - begin - 2), now);
      for (int d = 0; d < 32; ++d) w[d] = 1;
    }
    a.qk.tick(now);
    while (a.scores.can_pop(now)) order.push_back(a.scores.peek().tag.query), a.scores.pop(now);
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{1, 1, 1, 1, 1, 3, 3, 3, 2, 2, 2, 2, 2}));
  std::printf("%zu rows in order\n", order.size());
}

// Of a group that is searched for: nothing before the candidates are known, then these alone, as many in order as lie
// in banks of their own. Banks are slots modulo 4 here: 1 2 3 | 7 8 9 | 13 | 17 18.
TEST(Qk, CandidatesAlone) {
  Array a(32, 4, 24);
  Cycle now = 1;
  a.load_keys(0, 20, now);
  a.load_query(3, now++);
  a.candidates.begin(0, true);
  a.first.push(now++, a.task(0, 20, 0));
  for (int i = 0; i < 5; ++i) a.qk.tick(now++);
  const BlockStats::Counter& waits = a.qk.stats().wait_at(a.qk.stats().wait_count() - 1);
  EXPECT_STREQ(waits.key, "greedy");
  EXPECT_EQ(waits.cycles, 5u);
  EXPECT_EQ(a.qk.multiplications(), 0u);
  const std::vector<std::uint32_t> slots = {1, 2, 3, 7, 8, 9, 13, 17, 18};
  a.candidates.append(0, 0, slots, now);
  a.candidates.finish(0, 0, now++);
  std::vector<int> counts;
  std::size_t seen = 0;
  bool last = false;
  for (const Cycle end = now + 40; now < end; ++now) {
    a.qk.tick(now);
    while (a.scores.can_pop(now)) {
      const ScoreRow& r = a.scores.peek();
      ASSERT_FALSE(last);
      ASSERT_EQ(r.first, seen);
      counts.push_back(r.count), last = r.last;
      for (int i = 0; i < r.count; ++i, ++seen)
        ASSERT_EQ(r.value[static_cast<std::size_t>(i)], a.score(0, slots.at(seen), 3)) << "candidate " << seen;
      a.scores.pop(now);
    }
  }
  EXPECT_EQ(counts, (std::vector<int>{3, 3, 1, 2}));
  EXPECT_TRUE(last);
  EXPECT_EQ(a.qk.multiplications(), slots.size() * 32);
  std::printf("%zu scores of candidates\n", seen);
}

// Bricks: how many a product takes says how many keys a cycle; values are those of whole multipliers.
TEST(Qk, BricksTakeMoreKeysOfNarrowWords) {
  std::uint64_t compared = 0;
  struct Case {
    int head_dim, brick_bits, key_bits;
    bool crude;  // a query of 8 bits
    std::uint32_t keys_a_cycle;
  };
  // Of 512 multipliers: 9 bricks each of 4 bits, 4 of 6, 1 of 12; 72 and 80 do not divide.
  for (const Case& c : {Case{64, 12, 4, true, 8},
                        {64, 4, 12, false, 8},
                        {64, 4, 8, false, 12},
                        {64, 4, 4, false, 24},
                        {64, 4, 4, true, 36},
                        {72, 4, 4, true, 32},
                        {80, 4, 8, false, 9},
                        {64, 6, 4, true, 16},
                        {96, 6, 12, false, 5},
                        {8, 4, 4, true, 64}}) {
    const int banks = key_banks(512, c.brick_bits, c.head_dim);
    Array a(c.head_dim, banks, 200, 512, c.brick_bits);
    Cycle now = 1;
    const std::uint32_t n = 150;
    a.load_keys(0, n, now);
    a.load_query(3, now++);
    QkTask t = a.task(0, n, 0);
    t.key_bits = static_cast<std::uint8_t>(c.key_bits), t.crude = c.crude;
    a.first.push(now++, t);
    std::int16_t query[kMaxHeadDim];
    std::uint32_t largest = 0;
    for (int d = 0; d < c.head_dim; ++d)
      largest = std::max(largest, static_cast<std::uint32_t>(std::abs(a.word(5, d, 3))));
    const int shift = c.crude ? golden::crude_shift(largest, 8) : 0;
    for (int d = 0; d < c.head_dim; ++d)
      query[d] = static_cast<std::int16_t>(c.crude ? golden::crude_query(a.word(5, d, 3), shift, 8) : a.word(5, d, 3));
    std::uint32_t seen = 0;
    for (const Cycle end = now + 200; now < end; ++now) {
      a.qk.tick(now);
      if (!a.scores.can_pop(now)) continue;
      const ScoreRow& r = a.scores.peek();
      EXPECT_EQ(static_cast<std::uint32_t>(r.count), std::min(c.keys_a_cycle, n - seen));
      for (int i = 0; i < r.count; ++i, ++seen, ++compared) {
        std::int64_t sum = 0;
        for (int d = 0; d < c.head_dim; ++d) sum += std::int64_t{a.digit(seen, d, 0)} * query[d];
        ASSERT_EQ(r.value[static_cast<std::size_t>(i)], sum << shift) << "slot " << seen << ", D " << c.head_dim;
      }
      a.scores.pop(now);
    }
    EXPECT_EQ(seen, n);
    EXPECT_EQ(a.qk.stats().busy_cycles(), (n + c.keys_a_cycle - 1) / c.keys_a_cycle) << "D " << c.head_dim;
  }
  std::printf("%llu scores equal\n", static_cast<unsigned long long>(compared));
}

// Arrays that P x V has claimed stand for Q x K, in exactly the next cycle.
// P x V claims the arrays in every cycle: a first pass stands, a later one goes before it. Where nobody takes its
// scores it does not ask, so P x V, which may have to end first, has them.
TEST(Qk, ALaterPassGoesBeforePv) {
  for (const bool later : {false, true})
    for (const bool taken : {false, true}) {
      Array a(32, 2, 80);
      Cycle now = 1;
      a.load_keys(0, 64, now);
      a.load_query(1, now++);
      QkTask t = a.task(0, 64, 0);
      t.tag.pass = later ? 1 : 0;
      (later ? a.later : a.first).push(now++, t);
      std::uint32_t rows = 0, of_pv = 0;
      for (const Cycle begin = now; now < begin + 40; ++now) {
        if (a.grant.taken(now)) ++of_pv;
        now % 2 ? a.grant.claim(now) : a.qk.tick(now);  // either order of the two
        now % 2 ? a.qk.tick(now) : a.grant.claim(now);
        for (; taken && a.scores.can_pop(now); ++rows) a.scores.pop(now);
      }
      if (!later) {
        EXPECT_EQ(a.qk.stats().busy_cycles(), 1u) << "before the first claim is seen";
        EXPECT_EQ(of_pv, 39u);
      } else if (taken) {
        EXPECT_EQ(a.qk.stats().busy_cycles(), 32u) << "64 keys, two a cycle";
        EXPECT_EQ(rows, 32u);
        EXPECT_LE(of_pv, 8u);
      } else {
        EXPECT_GE(of_pv, 25u) << "softmax takes no score, so P x V has the arrays";
      }
    }
}

TEST(Qk, StandsWhilePvHasTheArrays) {
  Array a(32, 2, 16);
  Cycle now = 1;
  a.load_keys(0, 10, now);
  a.load_query(1, now++);
  a.first.push(now++, a.task(0, 10, 0));
  int rows = 0;
  for (const Cycle begin = now; now < begin + 30; ++now) {
    if (now % 3 == 0) a.grant.claim(now);  // after or before Q x K: seen in the next cycle either way
    const auto busy = a.qk.stats().busy_cycles();
    a.qk.tick(now);
    if (now % 3 == 1 && now > begin) {
      EXPECT_EQ(a.qk.stats().busy_cycles(), busy) << "cycle " << now;
    }
    while (a.scores.can_pop(now)) a.scores.pop(now), ++rows;
  }
  EXPECT_EQ(rows, 5);
  EXPECT_EQ(a.qk.stats().cycles_of(a.qk.kArrays), 2u);
  std::printf("%d rows\n", rows);
}

}  // namespace
}  // namespace winnow
