// The pool of K and V against plain bookkeeping: what was written to a head's slot is read there whatever else comes
// and goes, rows belong to one load at a time, and ports are one for all.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <vector>

#include "models/memories/kv_buffer.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {
namespace {

struct Pool {
  std::shared_ptr<KvBanks> banks;
  KvBuffer keys, values;
  Pool(int rows, int columns, int column_bits, int dim, int halves, int tokens)
      : banks(std::make_shared<KvBanks>("pool", 1, rows, columns, column_bits, dim)),
        keys({"key_buffer", "key buffer", "", ""}, halves, tokens, dim, columns, true, banks),
        values({"value_buffer", "value buffer", "", ""}, halves, tokens, dim, columns, false, banks) {}
};

// Random loads of K, of survivors behind it and of V, of any width, filled in random order with a vector a column and
// cycle at most, read in runs; released in random order. The reference is a word a (buffer, part, slot).
TEST(KvPool, WordsStayWhereTheyWerePut) {
  Random random(11);
  std::uint64_t words = 0, loads = 0, merged = 0, runs = 0, refused = 0;
  for (int round = 0; round < 60; ++round) {
    const int columns_of[] = {9, 18, 64, 96, 128}, dims[] = {8, 24, 64}, bits_of[] = {2, 3, 4, 6};
    const int column_bits = random.pick(bits_of), columns = random.pick(columns_of), dim = random.pick(dims);
    const int halves = static_cast<int>(1 + random.below(6)), tokens = static_cast<int>(1 + random.below(150));
    const int rows = static_cast<int>(2 + random.below(40));
    Pool p(rows, columns, column_bits, dim, halves, tokens);
    std::map<std::pair<KvBuffer*, int>, std::vector<std::int16_t>> want;  // of what is loaded whole
    Cycle now = 10;
    const auto held = [&] {
      std::uint32_t n = 0;
      for (int h = 0; h < halves; ++h) n += p.keys.rows_held(h) + p.values.rows_held(h);
      return n;
    };
    for (int turn = 0; turn < 60; ++turn, ++now) {
      const int half = static_cast<int>(random.below(static_cast<std::uint64_t>(halves)));
      KvBuffer& b = random.below(2) ? p.keys : p.values;
      if (random.below(3) == 0) {
        b.release(half);
        want.erase({&b, half}), want.erase({&b, half + halves});
        continue;
      }
      const auto first = want.find({&p.keys, half});
      const bool second = &b == &p.keys && first != want.end() && !want.count({&b, half + halves}) && random.below(2);
      const auto most = static_cast<std::uint64_t>(second ? first->second.size() : static_cast<std::size_t>(tokens));
      const auto items = static_cast<std::uint32_t>(1 + random.below(std::max<std::uint64_t>(most, 1)));
      const int bits = static_cast<int>(1 + random.below(12)), part = b.part(half, second);
      if (second && items > first->second.size()) continue;
      // What a part held is given back first.
      std::uint32_t own = second ? 0 : b.rows_held(half);
      if (!second && &b == &p.keys && want.count({&b, half + halves})) continue;
      if (b.rows_of(items, bits) > p.banks->free_rows() + own) {
        EXPECT_THROW(b.begin(part, items, now, bits), std::logic_error);
        ++refused;
        b.release(half);
        want.erase({&b, half}), want.erase({&b, half + halves});
        continue;
      }
      want.erase({&b, part});
      b.begin(part, items, now, bits, 1, second);
      ++loads;
      std::vector<std::int16_t>& to = want[{&b, part}];
      to.resize(items);
      std::vector<std::uint32_t> left(items), from(items);
      for (std::uint32_t i = 0; i < items; ++i) left[i] = i, from[i] = i;
      for (++now; !left.empty(); ++now) {
        KvBanks::Mask written = 0, read = 0;
        for (int tries = 0; tries < columns && !left.empty(); ++tries) {
          const std::size_t pick = random.below(left.size());
          const std::uint32_t slot = left[pick];
          const KvBanks::Mask mask = b.mask(part, slot);
          const KvBanks::Mask source = second ? b.mask(half, from[slot]) : 0;
          if (mask & written || source & read) continue;
          written |= mask, read |= source;
          std::int16_t* at = second ? b.merge_second(half, from[slot], slot, now) : b.write(part, slot, now);
          if (second) {
            // The first digit has been taken over before its rows are anybody else's.
            ASSERT_EQ(at[0], first->second[from[slot]]);
            ++merged;
          }
          to[slot] = static_cast<std::int16_t>(random.next());
          for (int d = 0; d < dim; ++d) at[d] = static_cast<std::int16_t>(to[slot] + d);
          left[pick] = left.back(), left.pop_back();
          if (!left.empty()) {
            EXPECT_THROW(b.write(part, slot, now), std::logic_error);
          }
        }
      }
      if (second) want.erase({&b, half});
      ASSERT_EQ(held() + p.banks->free_rows(), static_cast<std::uint32_t>(rows));
      // All that is loaded, in runs from any slot on.
      for (const auto& [where, codes] : want) {
        KvBuffer& buffer = *where.first;
        const auto size = static_cast<std::uint32_t>(codes.size());
        for (std::uint32_t at = 0; at < size; ++now) {
          const auto across = static_cast<std::uint64_t>(buffer.across(where.second));
          const auto n = static_cast<std::uint32_t>(1 + random.below(std::min<std::uint64_t>(across, size - at)));
          ASSERT_TRUE(buffer.run_ready(where.second, at, n, now));
          ASSERT_TRUE(buffer.can_read(where.second, at, n, now));
          const std::int16_t* r = buffer.read_run(where.second, at, n, now);
          for (std::uint32_t k = 0; k < n; ++k)
            for (int d = 0; d < dim; ++d, ++words)
              ASSERT_EQ(r[static_cast<std::size_t>(k) * static_cast<std::size_t>(buffer.stride()) +
                          static_cast<std::size_t>(d)],
                        static_cast<std::int16_t>(codes[at + k] + d));
          EXPECT_FALSE(buffer.can_read(where.second, at, n, now));  // the ports are taken
          at += n, ++runs;
        }
      }
    }
  }
  std::cout << loads << " loads, " << merged << " survivors merged, " << runs << " runs: " << words
            << " words compared; " << refused << " loads refused for want of rows\n";
  EXPECT_GT(words, 1'000'000u);
  EXPECT_GT(merged, 1'000u);
  EXPECT_GT(refused, 20u);
}

// A digit that has columns of its own is written beside those that are there: nobody's read port is taken, and a slot
// is ready as soon as its last digit is written. One whose columns are shared is merged.
TEST(KvPool, DigitsSideBySideOrMerged) {
  int answers = 0;
  for (int column_bits : {2, 3, 4, 6})
    for (int first = 2; first <= 10; ++first)
      for (int second = 2; first + second <= 12; ++second, ++answers) {
        const auto columns_of = [&](int bits) { return (bits + column_bits - 1) / column_bits; };
        const bool beside = columns_of(first) + columns_of(second) == columns_of(first + second);
        Pool p(8, 24, column_bits, 8, 1, 4);
        ASSERT_EQ(p.keys.beside(first, second), beside);
        p.keys.begin(0, 3, 0, first + second, 2, !beside);
        for (std::uint32_t slot = 0; slot < 3; ++slot) p.keys.write(0, slot, 1 + slot);
        p.keys.put_behind(0, 1, 5, first, second);
        EXPECT_EQ(p.keys.vector_reads(), beside ? 0u : 1u);
        EXPECT_EQ(p.keys.slot_ready(0, 1, 6), beside);
        EXPECT_EQ(p.keys.can_read(0, 1, 1, 5), beside);  // the bank's port in the cycle of the write
        EXPECT_FALSE(p.keys.slot_ready(0, 2, 6));
        EXPECT_THROW(p.keys.put_behind(0, 1, 7, first, second), std::logic_error);
        // No column of the word is written twice by two digits, and its columns are all written.
        EXPECT_THROW(p.banks->write(0, p.keys.mask(0, 1), 5), std::logic_error);
        const KvBanks::Mask before =
            p.banks->run(p.keys.place_of(0, 1) * columns_of(first + second), columns_of(first), 0);
        EXPECT_EQ(p.banks->can_write(0, before, 5), beside);
        p.keys.put_behind(0, 0, 8, first, second), p.keys.put_behind(0, 2, 9, first, second);
        EXPECT_TRUE(p.keys.slot_ready(0, 1, 10) && p.keys.slot_ready(0, 2, 10));
      }
  std::cout << answers << " pairs of digits compared\n";
}

// 64 columns of 4 bits, D 64: a row holds 64 digits, 32 words of 8 bits, 21 of 12.
TEST(KvPool, NarrowWordsTakeLess) {
  Pool p(12, 64, 4, 64, 2, 256);
  EXPECT_EQ(p.keys.rows_of(256, 4), 4u);
  EXPECT_EQ(p.keys.rows_of(256, 8), 8u);
  EXPECT_EQ(p.keys.rows_of(256, 12), 13u);
  EXPECT_EQ(p.keys.rows_of(1, 5), 1u);
  p.keys.begin(0, 256, 0, 4);
  EXPECT_EQ(p.banks->free_rows(), 8u);
  p.values.begin(0, 100, 0, 6);
  EXPECT_EQ(p.banks->free_rows(), 4u);
  EXPECT_EQ(p.values.across(0), 32);
  EXPECT_THROW(p.values.begin(1, 200, 0, 8), std::logic_error);
  p.keys.release(0);
  p.values.release(1);
  EXPECT_EQ(p.banks->free_rows(), 8u);
  // A merge of one head's and a run of another's meet in a bank: the merge says so cycles ahead.
  p.keys.begin(0, 64, 0, 4);
  p.keys.begin(1, 64, 0, 4);
  for (std::uint32_t s = 0; s < 64; ++s) p.keys.write(0, s, 1), p.keys.write(1, s, 2);
  p.keys.begin(p.keys.part(0, true), 2, 2, 8, 1, true);
  EXPECT_EQ(p.keys.rows_held(0), 2u);
  p.keys.merge_second(0, 5, 0, 9);  // from cycle 6
  EXPECT_FALSE(p.keys.can_read(1, 0, 8, 9));
  EXPECT_TRUE(p.keys.can_read(1, 6, 8, 9));
  EXPECT_TRUE(p.keys.can_read(1, 0, 8, 8));
  EXPECT_THROW(p.keys.read_run(1, 5, 1, 9), std::logic_error);
  p.keys.merge_second(0, 9, 1, 10);
  EXPECT_EQ(p.keys.rows_held(0), 1u);  // the first digits' row is free
  std::cout << "15 answers compared\n";
}

}  // namespace
}  // namespace winnow::test
