// Cycles of the whole machine: occupancy of the arrays, bounds of the two dense workloads, what refetch costs.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

RunOptions options(const char* machine, const char* policy, const std::string& trace, std::vector<std::string> set = {},
                   IndexRange steps = {}) {
  RunOptions o;
  o.machine = machine, o.policy = policy, o.trace = "synthetic:" + trace, o.set = std::move(set), o.steps = steps;
  return o;
}

Outcome checked(const Bench& bench) {
  const Outcome out = bench.run();
  EXPECT_EQ(out.broken, "");
  EXPECT_EQ(out.compared.different(), 0u) << out.compared.first_difference();
  return out;
}

// BERT-base's attention at L 384: 512 multipliers cannot do it under 221,184 cycles.
TEST(Timing, DenseEncoder) {
  const Bench bench(options("spatten", "dense", "layers=2,heads=12,head_dim=64,tokens=384,prompt=384,causal=0,seed=1"));
  const Outcome out = checked(bench);
  ASSERT_EQ(out.layers.size(), 2u);
  Cycle before = 0;
  for (const LayerEnd& layer : out.layers) {
    const Cycle cycles = layer.counts.last_write - before;
    before = layer.counts.last_write;
    EXPECT_LE(cycles, 233'000u);
    EXPECT_GE(cycles, 12u * 384 * 384 * 64 / 512);
    EXPECT_EQ(layer.counts.qk_products, 12ull * 384 * 384 * 64);
    EXPECT_EQ(layer.counts.pv_products, 12ull * 384 * 384 * 64);
    fmt::print("layer {}: {} cycles\n", layer.layer, cycles);
  }
  fmt::print("{} values equal to golden's\n", out.compared.compared());
}

// 12 heads of their own K and V at L 1,024: 73,728 bursts of K and V a step, 16 a cycle at most.
TEST(Timing, DenseDecode) {
  const Bench bench(
      options("spatten", "dense", "layers=2,heads=12,head_dim=64,tokens=1024,prompt=1022,causal=1,seed=1", {}, {2, 2}));
  const Outcome out = checked(bench);
  ASSERT_EQ(out.layers.size(), 2u);
  EXPECT_GE(out.last_write - out.first_request, 2u * 73'728 / 16);
  EXPECT_LE(out.last_write - out.first_request, 2u * 5'500);
  fmt::print("2 layers of a step: {} cycles; {} values equal to golden's\n", out.last_write - out.first_request,
             out.compared.compared());
}

// Scores that are never flat: the first pass is the only one, its cycles in the array are those of K without a second
// digit. A half of K is held until the verdict, so the next load starts later by the latency of the exponentials and
// their sum, not by a row: less than 80 cycles a step of four heads.
TEST(Timing, NoRefetchNoBubble) {
  const char* trace = "layers=1,heads=4,kv_heads=4,head_dim=32,tokens=200,prompt=192,causal=1,seed=2";
  const Bench asks(options("tiny", "dense", trace, {"k_digits=8,4", "threshold=0.0001", "hbm2.channels=4"}, {1, 8}));
  const Bench does_not(options("tiny", "dense", trace, {"k_digits=8", "hbm2.channels=4"}, {1, 8}));
  const Outcome a = checked(asks), b = checked(does_not);
  std::uint64_t groups = 0;
  for (const LayerEnd& layer : a.layers)
    for (const GroupRecord& g : layer.records) {
      EXPECT_FALSE(g.refetched);
      ++groups;
    }
  EXPECT_EQ(groups, 32u);
  EXPECT_GE(a.cycles, b.cycles);
  EXPECT_LE(a.cycles, b.cycles + 8 * 80) << "8 steps";
  EXPECT_EQ(a.qk_busy, b.qk_busy);
  fmt::print("{} groups: {} cycles with the question, {} without\n", groups, a.cycles, b.cycles);
}

// Every step refetches: K's second digits for all tokens and a second pass, products twice, V once.
TEST(Timing, RefetchTwice) {
  const char* trace = "layers=1,heads=4,kv_heads=4,head_dim=32,tokens=200,prompt=192,causal=1,seed=2";
  const Bench always(options("tiny", "dense", trace, {"k_digits=8,4", "threshold=1"}, {1, 8}));
  const Outcome out = checked(always);
  std::uint64_t steps = 0;
  for (const LayerEnd& layer : out.layers) {
    const auto n = 192u + static_cast<std::uint64_t>(layer.step);
    ASSERT_EQ(layer.records.size(), 4u);
    for (const GroupRecord& g : layer.records) EXPECT_TRUE(g.refetched);
    EXPECT_EQ(layer.counts.qk_products, 4 * 2 * n * 32);
    EXPECT_EQ(layer.counts.pv_products, 4 * n * 32);
    ++steps;
  }
  EXPECT_EQ(steps, 8u);
  fmt::print("{} steps, {} values equal to golden's\n", steps, out.compared.compared());
}

// Nobody chooses a list that follows from places, and still it is written: topk.parallelism names a cycle, before the
// layer's first load. Heads that see the same have it once; with shards each has its own.
TEST(Timing, ListsByPlaceAreWritten) {
  const char* trace = "layers=1,heads=4,kv_heads=2,head_dim=32,tokens=400,prompt=398,causal=1,seed=3";
  for (const bool shards : {false, true}) {
    Cycle first[2] = {};
    std::vector<std::size_t> lists;
    for (const bool wide : {false, true}) {
      std::vector<std::string> set = {"protect_newest_share=0.5",
                                      wide ? "topk.parallelism=64" : "topk.parallelism=4",
                                      wide ? "topk.fifo=16" : "topk.fifo=256",
                                      "topk.load_width=4",
                                      "qk.sram.tokens=512",
                                      "pv.sram.tokens=512",
                                      "importance.tokens=512",
                                      "score_store_entries=2048",
                                      "pv.row_fifo=512",
                                      "softmax.row_fifo=512"};
      if (shards) set.insert(set.end(), {"shards=2", "shard_block=8"});
      const Bench bench(options("tiny", "sink-window", trace, set, {1, 1}));
      const Outcome out = checked(bench);
      first[wide] = out.first_request;
      lists = {out.layers.front().heads[0].live.size()};
      if (shards) lists.push_back(out.layers.front().heads[1].live.size());
    }
    const auto cycles = [&](std::size_t width) {
      std::size_t sum = 0;
      for (const std::size_t names : lists) sum += (names + width - 1) / width;
      return sum;
    };
    EXPECT_EQ(first[0] - first[1], cycles(4) - cycles(64));
    fmt::print("lists of {} names: the first request waits {} cycles at 4 a cycle, {} at 64\n",
               fmt::join(lists, " and "), cycles(4), cycles(64));
  }
}

// Full steps 1, 4 and 7: the others' lists are the share of the full step's tokens and those that came since, and
// nothing is added up in them.
TEST(Timing, BetweenFullSteps) {
  const char* trace = "layers=1,heads=4,kv_heads=2,head_dim=32,tokens=108,prompt=100,causal=1,seed=4";
  const Bench bench(options("tiny", "recycled", trace, {"full_every=3", "importance.tokens=512"}, {1, 8}));
  const Outcome out = checked(bench);
  std::vector<std::size_t> names;
  for (const LayerEnd& layer : out.layers) names.push_back(layer.heads[1].live.size());
  // A fifth of 101, 104 and 107 is 20, 20 and 21.
  EXPECT_EQ(names, (std::vector<std::size_t>{101, 21, 22, 104, 21, 22, 107, 22}));
  // What the memory holds moves in full steps alone.
  for (std::size_t i = 1; i < out.layers.size(); ++i)
    EXPECT_EQ(out.layers[i].importance == out.layers[i - 1].importance, names[i] < 100) << "step " << i + 1;
  fmt::print("lists of {} names\n", fmt::join(names, ", "));
}

// Two heads in flight: while one's decision or gather is pending the array runs the other's first pass.
TEST(Timing, TwoHeadsInFlightHideTheGather) {
  const char* trace = "layers=1,heads=6,kv_heads=6,head_dim=32,tokens=200,prompt=196,causal=1,seed=2";
  const auto cycles = [&](const char* in_flight) {
    return checked(Bench(options("tiny", "select", trace, {std::string("heads_in_flight=") + in_flight}, {1, 4})))
        .cycles;
  };
  const Cycle one = cycles("1"), two = cycles("2");
  EXPECT_LT(two * 10, one * 8);
  fmt::print("one head in flight {} cycles, two {}\n", one, two);
}

}  // namespace
}  // namespace winnow::test
