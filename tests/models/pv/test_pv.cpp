// P x V alone: outputs against a plain loop in 64 bits, cycles of a row, sums at their widest, the fullest bank.
#include "models/pv/pv.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "models/prim/bricks.h"
#include "tests/support/groups.h"

namespace winnow {
namespace {

constexpr int kTokens = 800;

struct Array {
  Array(int head_dim, int banks, int width, bool scaled, int requantizers = 64, bool renormalise = false, int rate = 0,
        bool shared = false, bool drops_zeros = false, bool lazy = false, int latency = 3, int output_vectors = 2)
      : dim(head_dim),
        m(1, 2, kTokens, width),
        jobs(4),
        values({"value_buffer", "value buffer", "", ""}, 2, kTokens, head_dim, banks),
        scales(2, kTokens, 2 * width),
        out(8),
        magnitudes(8),
        released(4),
        done(4),
        grant(shared),
        pv({head_dim, rate ? rate : banks, width, latency, scaled, renormalise, false, requantizers, 17,
            golden::kWordBits, drops_zeros, lazy, output_vectors},
           {m.groups, m.constants, m.probabilities, m.kept, m.origins, values, scales, sums, candidates, grant}, jobs,
           out, magnitudes, released, done) {
    place = m.constants.at(m.constants.take(false), 0);
    for (std::size_t h = 0; h < 2; ++h)
      m.constants.poke(static_cast<ConstantsRef>(place + h)) = {{}, to_out[h], out16[h]};
    for (Flag& flag : m.groups[0].readable) flag.raise(~Cycle{0});
  }
  template <class F>
  void load(std::uint32_t n, Cycle& now, F&& word) {
    values.begin(0, n, now), scales.begin(0, n, now);
    ++now;
    for (std::uint32_t s = 0; s < n; ++s, ++now) {
      std::int16_t* w = values.write(0, s, now);
      for (int d = 0; d < dim; ++d) w[d] = static_cast<std::int16_t>(word(s, d));
      *scales.append(0, 1, now) = static_cast<std::uint16_t>(60000 - 50 * s);
    }
  }
  int dim;
  test::GroupMemories m;
  Fifo<PvJob> jobs;
  KvBuffer values;
  ScaleStore scales;
  ValueSums sums{2, 64};
  CandidateLists candidates{Sizes{.group = 2, .longest = kTokens, .stores = 2, .greedy_columns = 8}};
  Fifo<OutputVector> out;
  Fifo<HeadMagnitude> magnitudes;
  Fifo<StoreReleased> released;
  Fifo<PvDone> done;
  ArrayGrant grant;
  Pv pv;
  golden::Scale to_out[2] = {{50000, 34}, {40000, 33}};
  std::uint16_t out16[2] = {300, 7};
  ConstantsRef place = 0;
};

struct Row {
  const char* name;
  int head_dim, banks, width;
  std::uint32_t slots;
  bool scaled, all, resident;
  int every;           // of the slots, kept
  bool largest;        // p and V as large as they get
  std::uint64_t busy;  // cycles of the arrays of one row at least; 0: not held
};

TEST(Pv, OutputsAndCycles) {
  std::uint64_t compared = 0;
  for (const Row& c : {Row{"all", 64, 8, 8, 45, false, true, true, 1, false, 6},
                       {"token scales", 32, 2, 2, 33, true, true, false, 1, false, 17},
                       {"a third, side by side", 32, 2, 4, 60, true, false, false, 3, false, 10},
                       {"a third, where they were", 32, 2, 4, 60, false, false, true, 3, false, 10},
                       {"one bank of two", 32, 2, 4, 60, false, false, true, 2, false, 30},
                       {"D 8 in 64 banks", 8, 64, 32, 700, false, true, true, 1, false, 11},
                       {"widest sums", 16, 4, 4, 700, false, true, true, 1, true, 175}}) {
    Array a(c.head_dim, c.banks, c.width, c.scaled);
    Cycle now = 1;
    const auto word = [&](std::uint32_t s, int d) {
      return c.largest ? 2047 : static_cast<int>((s * 37u + static_cast<unsigned>(d) * 101u) % 4095u) - 2047;
    };
    GroupEntry& g = a.m.groups[0];
    std::uint32_t* origins = a.m.origins.poke(0);
    std::uint8_t* flags = a.m.kept.poke(0);
    g.heads = 0b11, g.slots = c.slots;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t i = 0; i < c.slots; ++i) {
      origins[i] = i, flags[i] = c.all || i % static_cast<unsigned>(c.every) == 1;
      if (flags[i]) kept.push_back(i);
      for (int h = 0; h < 2; ++h)
        a.m.probabilities.poke(0, static_cast<std::size_t>(h))[i] =
            static_cast<std::uint16_t>(c.largest ? 65535 : (i * 97 + static_cast<unsigned>(h) * 13) % 3000);
    }
    // V of resident heads lies at its place in the list, else side by side.
    a.load(c.slots, now,
           [&](std::uint32_t s, int d) { return c.resident ? word(s, d) : word(s < kept.size() ? kept[s] : s, d); });
    PvJob job;
    job.all = c.all, job.resident = c.resident, job.last = true, job.constants = a.place;
    job.address = 4096, job.address_stride = 512, job.first_head = 6;
    a.jobs.push(now++, job);
    const Cycle begin = now;
    int rows = 0;
    for (; now < begin + 3000 && rows < 2; ++now) {
      a.pv.tick(now);
      if (!a.out.can_pop(now)) continue;
      const OutputVector& v = a.out.peek();
      std::uint64_t largest = 0;
      const auto wide = [&](std::uint32_t i) {
        return std::uint64_t{a.m.probabilities.peek(0, static_cast<std::size_t>(rows))[i]} *
               (c.scaled ? a.scales.value(0, i) : 65536u);
      };
      for (std::uint32_t i : kept) largest = std::max(largest, wide(i));
      int exponent = 0;
      while ((largest >> exponent) > 4095) ++exponent;
      std::uint64_t magnitude = 0;
      for (int d = 0; d < c.head_dim; ++d, ++compared) {
        std::int64_t sum = 0;
        for (std::uint32_t i : kept) {
          const std::uint64_t w = exponent ? (wide(i) + (std::uint64_t{1} << (exponent - 1))) >> exponent : wide(i);
          sum += static_cast<std::int64_t>(std::min<std::uint64_t>(w, 4095)) * word(i, d);
        }
        const std::int16_t y = golden::requantize_out(sum, a.to_out[rows], exponent);
        ASSERT_EQ(v.data[static_cast<std::size_t>(d)], y) << c.name << ": head " << rows << " dimension " << d;
        magnitude += static_cast<std::uint64_t>(std::abs(y));
      }
      EXPECT_EQ(v.address, 4096u + 512u * static_cast<unsigned>(rows));
      EXPECT_EQ(a.magnitudes.peek().value, magnitude * a.out16[rows]);
      EXPECT_EQ(a.magnitudes.peek().head, 6 + rows);
      a.out.pop(now), a.magnitudes.pop(now);
      ++rows;
    }
    ASSERT_EQ(rows, 2) << c.name;
    EXPECT_EQ(a.pv.multiplications(), 2ull * kept.size() * static_cast<unsigned>(c.head_dim)) << c.name;
    // Two rows: weigh the first, multiply both (weighing the second under the first), latency.
    const std::uint64_t weigh = (c.slots + static_cast<unsigned>(c.width) - 1) / static_cast<unsigned>(c.width);
    EXPECT_GE(now - begin, weigh + c.busy + std::max(weigh, c.busy)) << c.name;
    EXPECT_LE(now - begin, weigh + c.busy + std::max(weigh, c.busy) + 3 + 6) << c.name;
    EXPECT_TRUE(a.released.can_pop(now + 1) && a.done.can_pop(now + 1));
    EXPECT_TRUE(a.pv.idle());
  }
  std::printf("%llu outputs equal\n", static_cast<unsigned long long>(compared));
}

// The rivals' rows: of 40 slots every third has a weight, in the first head of all slots, in the second of candidates
// alone, whose places are not theirs. Zeros cost no product; vectors are read where they lie. A lazy row's outputs are
// multiplied with one over its sum.
TEST(Pv, ZerosAreDroppedAndCandidatesFollowed) {
  std::uint64_t compared = 0;
  for (const bool searched : {false, true})
    for (const bool lazy : {false, true}) {
      Array a(32, 2, 4, false, 64, false, 0, false, true, lazy);
      Cycle now = 1;
      const auto word = [](std::uint32_t s, int d) {
        return static_cast<int>((s * 37u + static_cast<unsigned>(d) * 101u) % 4095u) - 2047;
      };
      std::vector<std::uint32_t> slots(40);
      std::iota(slots.begin(), slots.end(), 0u);
      if (searched) slots = {1, 4, 5, 9, 16, 17, 23, 31, 38};
      GroupEntry& g = a.m.groups[0];
      g.heads = 0b01, g.slots = 40;
      g.mean[0] = packed(golden::lazy_scale(3'000'000));
      a.candidates.begin(0, searched);
      if (searched) a.candidates.append(0, 0, slots, now), a.candidates.finish(0, 0, now);
      std::uint16_t* p = a.m.probabilities.poke(0, 0);
      std::uint64_t largest = 0, weights = 0;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        p[i] = static_cast<std::uint16_t>(i % 3 == 1 ? 500 + 97 * i : 0);
        largest = std::max(largest, std::uint64_t{p[i]} * 65536), weights += p[i] > 0;
      }
      a.load(40, now, word);
      PvJob job;
      job.last = true, job.constants = a.place;
      a.jobs.push(now++, job);
      for (const Cycle end = now + 200; now < end && !a.out.can_pop(now); ++now) a.pv.tick(now);
      ASSERT_TRUE(a.out.can_pop(now));
      const int exponent = golden::weight_exponent(largest);
      const golden::Scale scale = lazy ? golden::mul(a.to_out[0], golden::lazy_scale(3'000'000)) : a.to_out[0];
      for (int d = 0; d < 32; ++d, ++compared) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < slots.size(); ++i)
          sum += std::int64_t{golden::weight12(std::uint64_t{p[i]} * 65536, exponent)} * word(slots[i], d);
        ASSERT_EQ(a.out.peek().data[static_cast<std::size_t>(d)], golden::requantize_out(sum, scale, exponent)) << d;
      }
      EXPECT_EQ(a.pv.multiplications(), weights * 32);
    }
  std::printf("%llu outputs equal\n", static_cast<unsigned long long>(compared));
}

// Cycle in which the last of two heads' outputs is there, of `slots` slots whose scales lie `stride` apart.
Cycle last_output(Array& a, std::uint32_t slots, std::uint32_t stride) {
  Cycle now = 1;
  GroupEntry& g = a.m.groups[0];
  g.heads = 0b11, g.slots = slots;
  for (std::uint32_t i = 0; i < slots; ++i) {
    a.m.origins.poke(0)[i] = i * stride;
    for (std::size_t h = 0; h < 2; ++h) a.m.probabilities.poke(0, h)[i] = static_cast<std::uint16_t>(100 + i);
  }
  a.load(slots * stride, now, [](std::uint32_t s, int) { return static_cast<int>(s); });
  PvJob job;
  job.constants = a.place, job.last = true;
  a.jobs.push(now++, job);
  const Cycle begin = now;
  for (int rows = 0; rows < 2; ++now) {
    a.pv.tick(now);
    if (a.out.can_pop(now)) a.out.pop(now), a.magnitudes.pop(now), ++rows;
    if (now > begin + 1000) return 0;
  }
  return now - begin;
}

TEST(Pv, ScalesOfOneBankWait) {
  // 16 banks, width 8: neighbours and every second lie in banks of their own, every eighth in two, every 16th in one.
  for (const auto& [stride, turns] : {std::pair{1u, 1u}, {2u, 1u}, {8u, 4u}, {16u, 8u}}) {
    Array a(64, 8, 8, true);
    last_output(a, 40, stride);
    EXPECT_EQ(a.pv.scale_conflicts(), 2 * 5 * (turns - 1)) << "stride " << stride;
  }
  std::printf("4 strides compared\n");
}

TEST(Pv, RequantizersAndTheDivider) {
  std::uint64_t compared = 0;
  // Rows of two cycles: with few requantizers the second row's sums wait for them.
  Array all(64, 8, 8, false, 64), eight(64, 8, 8, false, 8);
  const Cycle fast = last_output(all, 16, 1), slow = last_output(eight, 16, 1);
  EXPECT_EQ(slow - fast, (8u - 1) + (8u - 2)) << "eight cycles a row instead of one, of which two were free";
  EXPECT_GT(eight.pv.stats().cycles_of(eight.pv.kRequantizers), 0u);
  EXPECT_EQ(all.pv.stats().cycles_of(all.pv.kRequantizers), 0u);
  compared += 3;
  // Division begins with the row's last probability: 17 cycles, of which the product hides what it takes itself.
  Array plain(64, 8, 8, false, 64), renormalised(64, 8, 8, false, 64, true);
  const Cycle without = last_output(plain, 16, 1), with = last_output(renormalised, 16, 1);
  EXPECT_GT(with, without + 17);
  EXPECT_LE(with, without + 2 * 17);
  compared += 2;
  std::printf("%llu cycles compared\n", static_cast<unsigned long long>(compared));
}

// A row has an output vector from its last product on: behind a long tree two of them are too few for rows of two
// cycles.
TEST(Pv, ALongTreeTakesOutputVectors) {
  const auto cycles = [](int latency, int vectors) {
    Array a(64, 8, 8, false, 64, false, 0, false, false, false, latency, vectors);
    Cycle now = 1;
    GroupEntry& g = a.m.groups[0];
    g.heads = 0b11, g.slots = 16;
    for (std::uint32_t i = 0; i < 16; ++i) {
      a.m.origins.poke(0)[i] = i;
      for (std::size_t h = 0; h < 2; ++h) a.m.probabilities.poke(0, h)[i] = static_cast<std::uint16_t>(100 + i);
    }
    a.load(16, now, [](std::uint32_t s, int) { return static_cast<int>(s); });
    PvJob job;
    job.constants = a.place;
    for (int i = 0; i < 4; ++i) job.last = i == 3, a.jobs.push(now++, job);
    const Cycle begin = ++now;
    for (int rows = 0; rows < 8 && now < begin + 1000; ++now) {
      a.pv.tick(now);
      if (a.out.can_pop(now)) a.out.pop(now), a.magnitudes.pop(now), ++rows;
    }
    return now - begin;
  };
  const Cycle enough = cycles(12, 8);
  EXPECT_EQ(enough, cycles(3, 8) + 9) << "longer by the tree alone";
  EXPECT_GT(cycles(12, 2), enough + 2 * 12) << "two rows in a tree of twelve cycles";
  std::printf("3 pipelines compared, %llu cycles with enough vectors\n", static_cast<unsigned long long>(enough));
}

// A rate below the banks: rows of V that are wider than bricks make them. Shared arrays: a cycle more a row, and one
// row never multiplies without a claim.
TEST(Pv, RatesAndSharedArrays) {
  const auto cycles = [](int rate, bool shared) {
    Array a(64, 24, 64, false, 64, false, rate, shared);
    return last_output(a, 240, 1);
  };
  EXPECT_EQ(vectors_a_cycle(512, 4, 12, 12, 64), 8);
  EXPECT_EQ(vectors_a_cycle(512, 4, 12, 8, 64), 12);
  EXPECT_EQ(vectors_a_cycle(512, 4, 12, 4, 64), 24);
  EXPECT_EQ(value_banks(512, 4, 64), 24);
  const Cycle all = cycles(24, false), half = cycles(12, false), third = cycles(8, false);
  EXPECT_EQ(half - all, 2 * (20 - 10));
  EXPECT_EQ(third - all, 2 * (30 - 10));
  const Cycle shared = cycles(24, true);
  EXPECT_GE(shared, all);
  EXPECT_LE(shared, all + 2);
  std::printf("4 rates, 4 cycles compared\n");
}

}  // namespace
}  // namespace winnow
