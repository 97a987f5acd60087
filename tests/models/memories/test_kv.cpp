// Presence, ports and counts of the SRAMs and registers, against plain bookkeeping.
#include <gtest/gtest.h>

#include <deque>
#include <iostream>
#include <set>

#include "golden/error.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/query_registers.h"
#include "models/memories/score_memories.h"
#include "models/memories/value_scales.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {
namespace {

// Random loads in random slot order; each cycle every slot and row is asked for before, between and after writes.
TEST(KvBuffer, PresenceAndWordsAgainstBookkeeping) {
  Random random(5);
  std::uint64_t asked = 0, words = 0, reads = 0, writes = 0;
  for (int round = 0; round < 40; ++round) {
    const int banks_of[] = {1, 2, 3, 8, 16}, dims[] = {8, 24, 64};
    const int banks = random.pick(banks_of), dim = random.pick(dims), tokens = static_cast<int>(1 + random.below(60));
    KvBuffer buffer({"key buffer", "key buffer", "", ""}, 2, tokens, dim, banks);
    Cycle now = 1;
    reads = writes = 0;
    for (int load = 0; load < 4; ++load, ++now) {
      const int half = static_cast<int>(random.below(2));
      const auto items = static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(tokens) + 1));
      buffer.begin(half, items, now);
      EXPECT_FALSE(buffer.armed(half, now));
      EXPECT_FALSE(buffer.loaded(half, now));
      std::vector<Cycle> at(static_cast<std::size_t>(tokens), ~Cycle{0});
      std::vector<std::int16_t> value(static_cast<std::size_t>(tokens));
      std::uint32_t left = items;
      const auto ask = [&] {
        for (std::uint32_t s = 0; s < static_cast<std::uint32_t>(tokens); ++s, ++asked)
          ASSERT_EQ(buffer.slot_ready(half, s, now), at[s] < now && at[s] != ~Cycle{0});
        for (int row = 0; row * banks < tokens; ++row, ++asked) {
          bool all = static_cast<std::uint32_t>(row * banks) < items;
          const std::uint32_t end = std::min(items, static_cast<std::uint32_t>((row + 1) * banks));
          for (auto s = static_cast<std::uint32_t>(row * banks); s < end; ++s) all = all && at[s] < now;
          ASSERT_EQ(buffer.row_ready(half, row, now), all);
        }
      };
      for (++now; left; ++now) {
        EXPECT_TRUE(buffer.armed(half, now));
        std::uint64_t used = 0;
        ask();
        for (int tries = 0; tries < 2 * banks && left; ++tries) {
          const auto s = static_cast<std::uint32_t>(random.below(items));
          const std::uint64_t bank = std::uint64_t{1} << (s % static_cast<std::uint32_t>(banks));
          if (at[s] != ~Cycle{0} || (used & bank)) continue;
          used |= bank;
          std::int16_t* to = buffer.write(half, s, now);
          value[s] = static_cast<std::int16_t>(random.next());
          for (int w = 0; w < dim; ++w) to[w] = static_cast<std::int16_t>(value[s] + w);
          at[s] = now;
          --left;
          ++writes;
          if (tries == 0) ask();
        }
        ask();
        // One run a cycle, from any slot on, as long as there are banks at most.
        const auto from = static_cast<std::uint32_t>(random.below(items));
        const auto n = static_cast<std::uint32_t>(
            1 + random.below(std::min(static_cast<std::uint64_t>(banks), std::uint64_t{items} - from)));
        if (buffer.run_ready(half, from, n, now)) {
          for (std::uint32_t k = 0; k < n; ++k) ASSERT_TRUE(buffer.slot_ready(half, from + k, now));
          const std::int16_t* r = buffer.read_run(half, from, n, now);
          for (std::uint32_t k = 0; k < n; ++k, ++reads) {
            const int first = value[from + k];
            for (int w = 0; w < dim; ++w, ++words)
              ASSERT_EQ(r[static_cast<int>(k) * buffer.stride() + w], static_cast<std::int16_t>(first + w));
          }
          EXPECT_THROW(buffer.read_slot(half, from, now), std::logic_error);
          EXPECT_THROW(buffer.read_slot(half, from + n - 1, now), std::logic_error);
        }
      }
      EXPECT_TRUE(buffer.loaded(half, now));
      EXPECT_FALSE(buffer.armed(half, now));
    }
    EXPECT_EQ(buffer.vector_reads(), reads);
    EXPECT_EQ(buffer.vector_writes(), writes);
  }
  std::cout << asked << " presence answers and " << words << " words compared\n";
  EXPECT_GT(asked, 50'000u);
  EXPECT_GT(words, 10'000u);
}

TEST(KvBuffer, ViolationsThrow) {
  KvBuffer b({"value buffer", "value buffer", "", ""}, 2, 16, 64, 8);
  b.begin(0, 12, 0);
  EXPECT_THROW(b.write(0, 0, 0), std::logic_error);  // armed from the next cycle on
  b.write(0, 1, 1);
  EXPECT_THROW(b.write(0, 9, 1), std::logic_error);   // bank 1 again
  EXPECT_THROW(b.write(0, 1, 2), std::logic_error);   // slot 1 again
  EXPECT_THROW(b.write(0, 12, 2), std::logic_error);  // not expected
  EXPECT_THROW(b.write(1, 0, 2), std::logic_error);   // nothing begun there
  EXPECT_THROW(b.read_slot(0, 1, 1), std::logic_error);
  b.read_slot(0, 1, 2);
  EXPECT_THROW(b.read_slot(0, 1, 2), std::logic_error);    // bank 1 read twice
  EXPECT_THROW(b.read_run(0, 0, 8, 3), std::logic_error);  // not all there
  EXPECT_THROW(b.read_run(0, 1, 9, 3), std::logic_error);  // more than banks
  EXPECT_EQ(b.row_slots(0, 0), 8);
  EXPECT_EQ(b.row_slots(0, 1), 4);
  EXPECT_THROW(b.begin(0, 17, 3), Error);
  EXPECT_THROW(KvBuffer({"k", "k", "", ""}, 2, 16, 60, 8), Error);
  EXPECT_THROW(KvBuffer({"k", "k", "", ""}, 2, 0, 64, 8), Error);
  EXPECT_THROW(KvBuffer({"k", "k", "", ""}, 2, 16, 64, 65), Error);
  EXPECT_THROW(KvBuffer({"k", "k", "", ""}, 0, 16, 64, 8), Error);
  std::cout << "13 violations compared\n";
}

// Halves are SRAMs of their own, and a merge reads through a port.
TEST(KvBuffer, PortsAreAHalfs) {
  KvBuffer b({"key buffer", "key buffer", "", ""}, 2, 16, 64, 8);
  b.begin(0, 16, 0, golden::kWordBits, 2);
  b.begin(1, 16, 0);
  for (std::uint32_t s = 0; s < 16; ++s) {
    b.write(0, s, 1 + s / 8);
    b.write(1, s, 1 + s / 8);  // the same bank of the other half
  }
  EXPECT_EQ(b.vector_reads(), 0u);
  b.put_behind(0, 3, 4, 4, 8);
  EXPECT_EQ(b.vector_reads(), 1u);
  EXPECT_THROW(b.put_behind(0, 11, 4, 4, 8), std::logic_error);  // its bank is read and written
  b.read_slot(1, 3, 4);
  EXPECT_THROW(b.read_slot(1, 11, 4), std::logic_error);
  b.put_behind(0, 4, 4, 4, 8);
  EXPECT_EQ(b.vector_reads(), 3u);
  std::cout << "5 answers compared\n";
}

// One read and one write of a bank in a cycle; origins are read twice. A row's words go round four banks, and each row
// begins in the one before.
TEST(ScoreMemories, APortIsUsedOnceACycle) {
  const Sizes sizes{.group = 2, .longest = 32, .stores = 2, .selection_read = 16};
  Scores scores(sizes);
  scores.write(0, 1, 0, 8, 5);
  scores.read(0, 1, 8, 8, 5);
  scores.read(0, 0, 24, 8, 5);
  scores.read(1, 1, 8, 8, 5);                    // another group's
  EXPECT_FALSE(scores.can_read(0, 0, 0, 8, 5));  // row 1's word 1 lies in the bank of row 0's word 0
  EXPECT_TRUE(scores.can_read(0, 0, 8, 8, 5));
  EXPECT_THROW(scores.read(0, 0, 0, 8, 5), std::logic_error);
  EXPECT_THROW(scores.write(0, 0, 24, 8, 5), std::logic_error);
  scores.read(0, 1, 0, 8, 6);
  scores.read(0, 0, 0, 8, 6);  // the same word of two heads
  Probabilities probabilities(sizes);
  probabilities.read(0, 0, 0, 8, 5);
  EXPECT_THROW(probabilities.read(0, 0, 0, 8, 5), std::logic_error);
  Origins origins(sizes);
  origins.read(0, 0, 0, 8, 5);
  origins.read(0, 0, 0, 8, 5, 1);
  EXPECT_THROW(origins.read(0, 0, 8, 8, 5, 1), std::logic_error);
  SelectionScores sums(sizes);
  sums.read(0, 0, 0, 8, 5);
  sums.read(0, 0, 8, 8, 5);  // words take turns between two banks
  EXPECT_THROW(sums.read(0, 0, 16, 8, 5), std::logic_error);
  sums.read(0, 0, 0, 16, 6);  // both
  EXPECT_THROW(sums.read(0, 0, 8, 8, 6), std::logic_error);
  EXPECT_FALSE(sums.claimed(1, 0, 8, 6));
  sums.claim(1, 16, 8, 6);
  sums.claim(1, 0, 16, 7);
  EXPECT_TRUE(sums.claimed(1, 0, 8, 6) && sums.claimed(1, 8, 8, 7));
  EXPECT_FALSE(sums.claimed(1, 8, 8, 6) || sums.claimed(0, 0, 8, 6) || sums.claimed(1, 0, 8, 8));
  EXPECT_EQ(sums.shape().banks, 2 * 8 * 2);
  std::cout << "13 answers compared\n";
}

// Whatever is drawn: what fits has room, no two slots of two groups share a place, the same word of four query heads
// lies in four banks, and the memories are as large as the machine says, not as the trace asks.
TEST(ScoreMemories, GroupsShareFixedBanks) {
  std::uint64_t compared = 0;
  for (const int word : {1, 2, 8, 64})
    for (const int entries : {1024, 4096})
      for (const int halves : {1, 2, 6})
        for (const int group : {1, 3, 4, 9})
          for (const int longest : {5, 128, 300, 1024}) {
            Sizes s{
                .group = group, .longest = longest, .halves = halves, .score_width = word, .score_entries = entries};
            if (score_words(group, longest, word) > entries) continue;
            s.stores = std::min(ScoreBanks(s).most_stores(), 16);
            ASSERT_GE(s.stores, halves);
            const Banking rows = ScoreBanks(s).rows(), slots = ScoreBanks(s).slots(2);
            ASSERT_EQ(rows.slots, static_cast<std::uint64_t>(halves * entries));
            ASSERT_EQ(rows.banks, 4 * halves);
            std::set<std::size_t> mine;
            for (int store = 0; store < s.stores; ++store) {
              for (int at = 0; at < longest; at += word) {
                std::set<std::size_t> at_once;
                const int first = store * group;
                for (int row = 0; row < std::min(group, 4); ++row)
                  at_once.insert(rows.bank(static_cast<std::size_t>(first + row), static_cast<std::uint32_t>(at)));
                ASSERT_EQ(at_once.size(), static_cast<std::size_t>(std::min(group, 4)));
                ASSERT_LT(*at_once.rbegin(), static_cast<std::size_t>(rows.banks));
                const std::size_t area = slots.bank(static_cast<std::size_t>(store), static_cast<std::uint32_t>(at));
                ASSERT_LT(area, static_cast<std::size_t>(slots.banks));
                mine.insert(area / 2 * 16 + static_cast<std::size_t>(store));
                compared += 4;
              }
            }
            std::set<std::size_t> areas;  // each is one group's
            for (const std::size_t m : mine) ASSERT_TRUE(areas.insert(m / 16).second);
          }
  std::cout << compared << " places compared\n";
}

TEST(ScaleStore, OneReadABankAndCycle) {
  ScaleStore store(2, 32, 8);
  for (int half = 0; half < 2; ++half) {
    store.begin(half, 32, 0);
    std::uint16_t* to = store.append(half, 32, 1);
    for (int i = 0; i < 32; ++i) to[i] = static_cast<std::uint16_t>(1000 * half + i);
  }
  EXPECT_THROW(store.read(0, 5, 1), std::logic_error);  // written in this cycle
  EXPECT_EQ(store.read(0, 5, 2), 5);
  EXPECT_FALSE(store.can_read(0, 13, 2));
  EXPECT_THROW(store.read(0, 13, 2), std::logic_error);
  EXPECT_EQ(store.read(1, 13, 2), 1013);
  EXPECT_EQ(store.read(0, 14, 2), 14);
  EXPECT_EQ(store.read(0, 13, 3), 13);
  EXPECT_THROW(ScaleStore(2, 4, 0), Error);
  std::cout << "8 answers compared\n";
}

TEST(ScaleStore, WordsAppearACycleAfterTheirWrite) {
  Random random(9);
  std::uint64_t asked = 0;
  for (int round = 0; round < 50; ++round) {
    ScaleStore store(2, 100);
    const auto items = static_cast<std::uint32_t>(1 + random.below(100));
    store.begin(1, items, 0);
    EXPECT_FALSE(store.armed(1, 0));
    std::uint32_t written = 0, visible = 0;
    for (Cycle now = 1; visible < items; ++now) {
      EXPECT_EQ(store.armed(1, now), written < items);
      visible = written;
      for (int k = 0; k < 2; ++k) {  // twice a cycle
        const auto n = static_cast<std::uint32_t>(random.below(8));
        if (written + n > items) continue;
        std::uint16_t* to = store.append(1, n, now);
        for (std::uint32_t i = 0; i < n; ++i) to[i] = static_cast<std::uint16_t>(written + i + 60000);
        written += n;
      }
      for (std::uint32_t s = 0; s < 100; ++s, ++asked) ASSERT_EQ(store.ready(1, s, now), s < visible);
      EXPECT_EQ(store.loaded(1, now), visible == items);
    }
    for (std::uint32_t s = 0; s < items; ++s) EXPECT_EQ(store.value(1, s), static_cast<std::uint16_t>(s + 60000));
    EXPECT_EQ(store.word_writes(), items);
  }
  ScaleStore store(2, 4);
  EXPECT_THROW(store.begin(0, 5, 0), Error);
  EXPECT_THROW(store.append(0, 1, 1), std::logic_error);
  EXPECT_THROW(ScaleStore(0, 4), Error);
  std::cout << asked + 3 << " answers compared\n";
}

TEST(QueryRegisters, RingAgainstADeque) {
  Random random(13);
  std::uint64_t compared = 0;
  for (int entries : {1, 2, 3, 8}) {
    QueryRegisters q(entries, 24);
    std::deque<std::int16_t> held;  // first word of each vector
    std::uint64_t oldest = 0, next = 0;
    for (Cycle now = 1; now < 2000; ++now) {
      const std::size_t at_start = held.size();
      const bool release_first = random.percent(50);
      const auto release = [&] {
        const std::uint64_t n = at_start ? random.below(at_start + 1) : 0;
        for (std::uint64_t i = 0; i < n; ++i, ++compared) {
          ASSERT_TRUE(q.ready(oldest + i, now));
          ASSERT_EQ(q.entry(oldest + i)[0], held[i]);
          ASSERT_EQ(q.entry(oldest + i)[23], static_cast<std::int16_t>(~held[i]));
        }
        q.release(n, now);
        held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(n));
        oldest += n;
      };
      if (release_first) release();
      ASSERT_EQ(q.can_push(now), at_start < static_cast<std::size_t>(entries));
      if (q.can_push(now) && random.percent(60)) {
        std::int16_t* to = q.push(now);
        to[0] = static_cast<std::int16_t>(random.next());
        to[23] = static_cast<std::int16_t>(~to[0]);
        held.push_back(to[0]);
        EXPECT_FALSE(q.ready(next, now));
        ++next;
      }
      if (!release_first) release();
      EXPECT_FALSE(q.ready(next, now));
      EXPECT_EQ(q.pushed(), next);
      EXPECT_EQ(q.released(), oldest);
    }
  }
  QueryRegisters q(1, 8);
  EXPECT_THROW(q.release(1, 0), std::logic_error);
  q.push(0);
  EXPECT_THROW(q.push(1), std::logic_error);
  EXPECT_THROW(QueryRegisters(0, 8), Error);
  EXPECT_THROW(QueryRegisters(1, 12), Error);
  std::cout << compared + 4 << " vectors compared\n";
  EXPECT_GT(compared, 2000u);
}

}  // namespace
}  // namespace winnow::test
