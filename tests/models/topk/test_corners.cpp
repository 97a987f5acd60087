// Corner cases worked out by hand, cycle counts of the contract, bad parameters, and the blocks alone.
#include <gtest/gtest.h>

#include <cstdio>

#include "golden/error.h"
#include "models/topk/zero_eliminator.h"
#include "tests/models/topk/drive.h"

namespace winnow::topk::test {
namespace {

using Items = std::vector<std::uint64_t>;
using Kept = std::vector<std::uint32_t>;

Result once(Engine& engine, Rule rule, unsigned amount, const Items& items) {
  Random random(1);
  return run(engine, {static_cast<unsigned>(items.size()), rule, amount}, items, random);
}

class BothPivots : public testing::TestWithParam<PivotRule> {
 protected:
  Engine engine_{{4, 16, 18, GetParam(), 5}};
};

TEST_P(BothPivots, OneItem) {
  EXPECT_EQ(once(engine_, Rule::count, 1, {7}).kept, (Kept{0}));
  EXPECT_EQ(once(engine_, Rule::mass, 1, {7}).kept, (Kept{0}));
  EXPECT_EQ(once(engine_, Rule::mass, 65536, {0}).kept, (Kept{0}));
}

TEST_P(BothPivots, AllEqual) {
  const Items v(9, 100);
  EXPECT_EQ(once(engine_, Rule::count, 5, v).kept, (Kept{0, 1, 2, 3, 4}));     // cut in mid-row
  EXPECT_EQ(once(engine_, Rule::mass, 32768, v).kept, (Kept{0, 1, 2, 3, 4}));  // 450 of 900
  EXPECT_EQ(engine_.stats().divisions, 1u);
  EXPECT_EQ(once(engine_, Rule::mass, 65536, v).kept.size(), 9u);
}

TEST_P(BothPivots, AllKeptTakesNoPass) {
  const Items v{4, 0, 2, 9, 9};
  const Result r = once(engine_, Rule::count, 5, v);
  EXPECT_EQ(r.kept, (Kept{0, 1, 2, 3, 4}));
  EXPECT_EQ(r.selection.boundary, 0u);
  EXPECT_EQ(r.selection.kept_sum, 24u);
  EXPECT_EQ(engine_.stats().passes, 0u);
  EXPECT_EQ(engine_.stats().select_cycles, 0u);
}

TEST_P(BothPivots, SumZeroKeepsTheFirst) {
  EXPECT_EQ(once(engine_, Rule::mass, 40000, Items(7, 0)).kept, (Kept{0}));
  EXPECT_EQ(engine_.stats().passes, 0u);
  // Zeros are never needed while anything else is there.
  EXPECT_EQ(once(engine_, Rule::mass, 65536, {0, 0, 3, 0, 1}).kept, (Kept{2, 4}));
}

TEST_P(BothPivots, SaturatedItemsAreKept) {
  // A caller protects tokens 1 and 6 by saturating their items.
  const std::uint64_t top = (1u << 18) - 1;
  EXPECT_EQ(once(engine_, Rule::count, 3, {9, top, 8, 7, 200, 6, top}).kept, (Kept{1, 4, 6}));
}

TEST_P(BothPivots, CyclesOfTheContract) {
  // 8 equal items, P 4: header 1, rows 2, 3 to the decision; one pass of 2 + 3; 5 kept: rows 0 and 1 of the store.
  once(engine_, Rule::count, 5, Items(8, 1));
  const Stats& s = engine_.stats();
  EXPECT_EQ(s.load_cycles, 1u + 2 + 3);
  EXPECT_EQ(s.passes, 1u);
  EXPECT_EQ(s.select_cycles, 2u + 3);
  EXPECT_EQ(s.filter_cycles, 2u + 2);
  EXPECT_EQ(s.idle_cycles, 0u);
  EXPECT_EQ(s.load_stalls + s.filter_stalls, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engine, BothPivots, testing::Values(PivotRule::random, PivotRule::sampled),
                         [](const auto& info) { return info.param == PivotRule::random ? "random" : "sampled"; });

TEST(Engine, SameSeedSameCycles) {
  const Config config{8, 32, 18, PivotRule::random, 77};
  Engine a(config), b(config), c({8, 32, 18, PivotRule::random, 78});
  Random items_random(2);
  Random ra(4), rb(4), rc(4);
  std::uint64_t differ = 0, jobs = 0;
  for (int j = 0; j < 200; ++j) {
    Items v(200);
    for (auto& x : v) x = items_random.below(1u << 18);
    const Job job{200, Rule::count, 50};
    const auto cycles = run(a, job, v, ra).cycles;
    ASSERT_EQ(cycles, run(b, job, v, rb).cycles);
    differ += cycles != run(c, job, v, rc).cycles;
    ++jobs;
  }
  EXPECT_GT(differ, 0u);
  std::printf("%llu jobs compared, %llu take other cycles with another seed\n", static_cast<unsigned long long>(jobs),
              static_cast<unsigned long long>(differ));
}

// Bubbles and back-pressure change load and filter, never the passes.
TEST(Engine, PassesDoNotDependOnBubbles) {
  const Config config{4, 64, 18, PivotRule::random, 9};
  Engine a(config), b(config);
  Random items_random(6), ra(1), rb(2);
  for (int j = 0; j < 200; ++j) {
    Items v(150);
    for (auto& x : v) x = items_random.below(1u << 18);
    run(a, {150, Rule::count, 40}, v, ra);
    run(b, {150, Rule::count, 40}, v, rb, 30, 30);
    ASSERT_EQ(a.stats().select_cycles, b.stats().select_cycles);
  }
  EXPECT_GT(b.stats().load_stalls, 0u);
  EXPECT_GT(b.stats().filter_stalls, 0u);
  EXPECT_EQ(a.stats().load_cycles, b.stats().load_cycles - b.stats().load_stalls);
  EXPECT_EQ(a.stats().filter_cycles, b.stats().filter_cycles - b.stats().filter_stalls);
}

TEST(ZeroEliminator, AllMasks) {
  std::uint64_t compared = 0;
  for (unsigned lanes : {2u, 4u, 8u, 16u}) {
    for (Mask mask = 0; mask < Mask{1} << lanes; ++mask) {
      Row row{};
      for (unsigned i = 0; i < lanes; ++i) row[i] = 1000 + i;
      Row got{};
      const unsigned count = eliminate_zeros(row, mask, got, lanes);
      unsigned n = 0;
      for (unsigned i = 0; i < lanes; ++i)
        if ((mask >> i) & 1) {
          ASSERT_EQ(got[n++], row[i]) << "mask " << mask;
        }
      ASSERT_EQ(count, n);
      for (unsigned i = n; i < lanes; ++i) ASSERT_EQ(got[i], 0u);
      compared += lanes + 1;
    }
  }
  std::printf("%llu values compared\n", static_cast<unsigned long long>(compared));
}

TEST(Sampler, RanksAreOfTheSortedSamples) {
  Random random(8);
  std::uint64_t compared = 0;
  for (int j = 0; j < 500; ++j) {
    const unsigned lanes = 2u << random.below(5);
    const unsigned rows = 1 + static_cast<unsigned>(random.below(40));
    const unsigned stride = Sampler::stride_log2(rows * lanes, lanes);
    Sampler sampler;
    Items expected;
    unsigned before = 0;
    for (unsigned r = 0; r < rows; ++r) {
      Row row{};
      const auto count = static_cast<unsigned>(random.below(lanes + 1));
      for (unsigned i = 0; i < count; ++i) {
        row[i] = random.below(30);
        if ((before + i) % (1u << stride) == 0) expected.push_back(row[i]);
      }
      sampler.take(row, count, before, stride);
      before += count;
    }
    ASSERT_EQ(sampler.count(), expected.size());
    ASSERT_LE(expected.size(), Sampler::kSamples);
    std::sort(expected.rbegin(), expected.rend());
    for (unsigned i = 0; i < expected.size(); ++i) ASSERT_EQ(sampler.at_rank(i), expected[i]);
    if (!expected.empty()) {
      ASSERT_EQ(sampler.at_rank(99), expected.back());
    }
    compared += expected.size();
  }
  std::printf("%llu samples compared\n", static_cast<unsigned long long>(compared));
}

TEST(Lfsr, EveryStateOnce) {
  Lfsr lfsr(1);
  const std::uint16_t start = lfsr.state();
  unsigned period = 0;
  do {
    lfsr.tick();
    ++period;
  } while (lfsr.state() != start && period < 70000);
  EXPECT_EQ(period, 65535u);
  EXPECT_EQ(Lfsr::fold(0), 0xace1);
  EXPECT_EQ(Lfsr::fold(0x0001000000000001), 0xace1);
}

std::string message(const Config& config) {
  try {
    Engine engine(config);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Engine, BadConfig) {
  EXPECT_EQ(message({12, 64, 18}), "topk.parallelism 12 is not a power of two in 2..64");
  EXPECT_EQ(message({1, 64, 18}), "topk.parallelism 1 is not a power of two in 2..64");
  EXPECT_EQ(message({16, 48, 18}), "topk.fifo 48 is not a power of two in 2..4096");
  EXPECT_EQ(message({16, 64, 0}), "topk.item_bits 0 is not in 1..48");
  EXPECT_EQ(message({16, 64, 49}), "topk.item_bits 49 is not in 1..48");
  EXPECT_EQ(message({64, 4096, 48}), "topk.item_bits 48 and parallelism * fifo give sums of more than 64 bits");
  EXPECT_EQ(message({64, 1024, 48}), "accepted");
}

// The bounds of ranges.h are the last values that check() takes, and its texts name them.
TEST(Engine, RangesAreTheLastThatAreTaken) {
  const auto span = [](unsigned low, unsigned high) { return std::to_string(low) + ".." + std::to_string(high); };
  const auto refusal = [](Config c) {
    try {
      check(c);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  for (const unsigned p : {kParallelismMin, kParallelismMax})
    for (const unsigned rows : {kFifoMin, kFifoMax}) EXPECT_EQ(refusal({p, rows, kItemBitsMin}), "accepted");
  for (const unsigned p : {kParallelismMin / 2, 2 * kParallelismMax})
    EXPECT_EQ(refusal({p, kFifoMin, kItemBitsMin}), "topk.parallelism " + std::to_string(p) +
                                                        " is not a power of two in " +
                                                        span(kParallelismMin, kParallelismMax));
  for (const unsigned rows : {kFifoMin / 2, 2 * kFifoMax})
    EXPECT_EQ(refusal({kParallelismMin, rows, kItemBitsMin}),
              "topk.fifo " + std::to_string(rows) + " is not a power of two in " + span(kFifoMin, kFifoMax));
  for (const unsigned bits : {kItemBitsMin - 1, kItemBitsMax + 1})
    EXPECT_EQ(refusal({kParallelismMin, kFifoMin, bits}),
              "topk.item_bits " + std::to_string(bits) + " is not in " + span(kItemBitsMin, kItemBitsMax));
  Config widest{kParallelismMax, kFifoMin, kItemBitsMax};
  while (refusal(widest) == "accepted" && widest.fifo_depth < kFifoMax) widest.fifo_depth *= 2;
  EXPECT_EQ(widest.sum_bits(), kSumBitsMax + 1);
  EXPECT_NE(refusal(widest).find("sums of more than " + std::to_string(kSumBitsMax) + " bits"), std::string::npos);
  EXPECT_EQ(Config{}.item_bits, kItemBitsDefault);
}

std::string message(const Job& job) {
  Engine engine({4, 4, 8, PivotRule::random, 1});
  Random random(1);
  try {
    const Items items(job.n, 1);
    run(engine, job, items, random);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Engine, BadJob) {
  EXPECT_EQ(message({0, Rule::count, 1}), "topk.n 0 is not in 1..parallelism * fifo = 16");
  EXPECT_EQ(message({17, Rule::count, 1}), "topk.n 17 is not in 1..parallelism * fifo = 16");
  EXPECT_EQ(message({5, Rule::count, 6}), "topk.k 6 is not in 1..n = 5");
  EXPECT_EQ(message({5, Rule::count, 0}), "topk.k 0 is not in 1..n = 5");
  EXPECT_EQ(message({5, Rule::mass, 0}), "topk.mu16 0 is not in 1..65536");
  EXPECT_EQ(message({5, Rule::mass, 65537}), "topk.mu16 65537 is not in 1..65536");
  EXPECT_EQ(message({16, Rule::count, 16}), "accepted");
}

TEST(Engine, ItemTooWide) {
  Engine engine({4, 4, 8, PivotRule::random, 1});
  EXPECT_THROW(once(engine, Rule::count, 1, {255, 256}), Error);
}

}  // namespace
}  // namespace winnow::topk::test
