// The baseline's own kernels in the shim against float attention, and the way a thousand samples are summed up.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <tuple>
#include <vector>

#include "cuda_ref/baseline/expected.h"
#include "cuda_ref/baseline/kernels.cuh"
#include "cuda_ref/baseline/nvml.h"
#include "cuda_ref/baseline/samples.h"
#include "cuda_ref/baseline/sets.h"
#include "cuda_ref/baseline/work.h"
#include "cuda_ref/engine/runtime_shim.h"
#include "tests/support/random.h"
#include "traces/trace.h"

namespace winnow::cuda_ref::shim_backend {
namespace {

// -1..1 in steps of 2^-23.
struct Random : winnow::test::Random {
  Random() : winnow::test::Random(1) {}
  float next() {
    return static_cast<float>(static_cast<i32>(winnow::test::Random::next() >> 40) - (1 << 23)) / (1 << 23);
  }
};

template <class T>
std::vector<T> converted(const std::vector<float>& from) {
  std::vector<T> to(from.size());
  launch(Runtime{}, convert<T>, Grid{2, 1, 1}, 64, 0, from.data(), to.data(), u64{from.size()});
  return to;
}

// Float64 attention over the listed keys.
std::vector<double> expected(const NaiveShape& a, const std::vector<float>& q, const std::vector<float>& k,
                             const std::vector<float>& v, const std::vector<std::vector<u32>>& lists) {
  std::vector<double> out(q.size(), 0);
  const int D = a.head_dim, all_keys = static_cast<int>(k.size()) / (a.batch * a.kv_heads * D);
  for (int b = 0; b < a.batch; ++b)
    for (int h = 0; h < a.heads; ++h)
      for (int i = 0; i < a.rows; ++i) {
        const float* qi = &q[static_cast<std::size_t>(((b * a.heads + h) * a.rows + i) * D)];
        const std::size_t kv = static_cast<std::size_t>((b * a.kv_heads + h / a.group()) * all_keys * D);
        std::vector<double> s;
        std::vector<int> keys;
        for (int j = 0; j < all_keys; ++j) {
          const auto& list = lists.empty() ? std::vector<u32>{} : lists[static_cast<std::size_t>(h / a.group())];
          if (!list.empty() && std::find(list.begin(), list.end(), static_cast<u32>(j)) == list.end()) continue;
          if (a.causal && j > a.first + i) continue;
          double x = 0;
          for (int d = 0; d < D; ++d) x += static_cast<double>(qi[d]) * k[kv + static_cast<std::size_t>(j * D + d)];
          s.push_back(x * a.scale), keys.push_back(j);
        }
        double top = -1e300, sum = 0;
        for (const double x : s) top = std::max(top, x);
        for (double& x : s) sum += x = std::exp(x - top);
        for (std::size_t j = 0; j < s.size(); ++j)
          for (int d = 0; d < D; ++d)
            out[static_cast<std::size_t>(((b * a.heads + h) * a.rows + i) * D + d)] +=
                s[j] / sum * v[kv + static_cast<std::size_t>(keys[j] * D + d)];
      }
  return out;
}

template <class T>
void expect_attention(NaiveShape a, bool gathered, double tolerance) {
  Random random;
  const int D = a.head_dim, all_keys = a.keys;
  std::vector<float> q(static_cast<std::size_t>(a.batch * a.heads * a.rows * D));
  std::vector<float> k(static_cast<std::size_t>(a.batch * a.kv_heads * a.keys * D)), v(k.size());
  for (auto* list : {&q, &k, &v})
    for (float& x : *list) x = random.next();
  const std::vector<T> tq = converted<T>(q), tk = converted<T>(k), tv = converted<T>(v);
  std::vector<T> out(q.size()), gk(k.size(), T{}), gv(k.size(), T{});
  std::vector<std::vector<u32>> lists;
  std::vector<u32> used, chosen;
  const T *k_at = tk.data(), *v_at = tv.data();
  const Runtime runtime;
  if (gathered) {
    for (int kv = 0; kv < a.kv_heads; ++kv) {
      lists.emplace_back();
      for (int j = kv; j < all_keys; j += 2 + kv) lists.back().push_back(static_cast<u32>(j));
      used.push_back(static_cast<u32>(lists.back().size()));
    }
    a.keys = static_cast<int>(*std::max_element(used.begin(), used.end()));
    chosen.assign(static_cast<std::size_t>(a.kv_heads * a.keys), 0);
    for (int kv = 0; kv < a.kv_heads; ++kv)
      std::copy(lists[static_cast<std::size_t>(kv)].begin(), lists[static_cast<std::size_t>(kv)].end(),
                chosen.begin() + kv * a.keys);
    a.used = used.data();
    launch(runtime, gather_rows<T>, Grid{static_cast<unsigned>(a.keys), static_cast<unsigned>(a.batch * a.kv_heads), 1},
           32, 0, a, all_keys, static_cast<const u32*>(chosen.data()), k_at, v_at, gk.data(), gv.data());
    k_at = gk.data(), v_at = gv.data();
  }
  std::vector<T> s(static_cast<std::size_t>(a.batch * a.heads * a.rows * a.keys));
  const auto heads = static_cast<unsigned>(a.batch * a.heads);
  const auto tiles = [](int n) { return static_cast<unsigned>((n + kTile - 1) / kTile); };
  const T* q_at = tq.data();
  if (a.rows == 1) {
    launch(runtime, naive_scores_of_one<T>, Grid{2, heads, 1}, 64, 0, a, q_at, k_at, s.data());
    launch(runtime, naive_softmax<T>, Grid{1, heads, 1}, 64, 0, a, s.data());
    launch(runtime, naive_output_of_one<T>, Grid{1, heads, 1}, 128, 0, a, static_cast<const T*>(s.data()), v_at,
           out.data());
  } else {
    launch(runtime, naive_scores<T>, Grid{tiles(a.keys) * tiles(a.rows), heads, 1}, 256, 0, a, q_at, k_at, s.data());
    launch(runtime, naive_softmax<T>, Grid{static_cast<unsigned>(a.rows), heads, 1}, 64, 0, a, s.data());
    launch(runtime, naive_output<T>, Grid{tiles(D) * tiles(a.rows), heads, 1}, 256, 0, a,
           static_cast<const T*>(s.data()), v_at, out.data());
  }
  const std::vector<double> want = expected(a, q, k, v, lists);
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) largest = std::max(largest, std::fabs(want[i]));
  for (std::size_t i = 0; i < want.size(); ++i)
    worst = std::max(worst, std::fabs(to_float(out[i]) - want[i]) / largest);
  EXPECT_LT(worst, tolerance);
  EXPECT_GT(largest, 0.01);
  std::printf("[ compared ] %zu values, largest error %.2g\n", want.size(), worst);
}

const NaiveShape kDecode{2, 6, 2, 1, 37, 24, true, 36, 0.25f, nullptr};
const NaiveShape kPrefill{1, 4, 2, 21, 21, 24, true, 0, 0.25f, nullptr};
const NaiveShape kEncoder{2, 2, 2, 18, 18, 32, false, 0, 0.3f, nullptr};

TEST(NaiveKernels, Fp32) {
  for (const NaiveShape& a : {kDecode, kPrefill, kEncoder}) expect_attention<float>(a, false, 1e-5);
}
TEST(NaiveKernels, Fp16) {
  for (const NaiveShape& a : {kDecode, kPrefill, kEncoder}) expect_attention<Half>(a, false, 5e-3);
}
TEST(NaiveKernels, GatheredTokens) {
  NaiveShape a = kDecode;
  a.causal = false;
  expect_attention<float>(a, true, 1e-5);
  expect_attention<Half>(a, true, 5e-3);
}

TEST(Half, EveryValueSurvivesTheWayThroughFloat) {
  std::uint64_t compared = 0;
  for (u32 bits = 0; bits < 65536; ++bits) {
    if ((bits & 0x7fff) > 0x7c00) continue;  // not a number
    const float x = to_float(Half{static_cast<u16>(bits)});
    ASSERT_EQ(x, half_to_float(static_cast<std::uint16_t>(bits)));
    Half back{};
    store(&back, x);
    ASSERT_EQ(back.bits, bits);
    ++compared;
  }
  Half h{};
  store(&h, 1.0f + 0x1p-11f);  // half way: to even
  EXPECT_EQ(h.bits, 0x3c00);
  store(&h, 1.0f + 3 * 0x1p-11f);
  EXPECT_EQ(h.bits, 0x3c02);
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared + 2));
}

TEST(Brain, RoundsToNearestEvenAndKeepsItsValues) {
  std::uint64_t compared = 0;
  for (u32 bits = 0; bits < 65536; ++bits) {
    if ((bits & 0x7fff) > 0x7f80) continue;  // not a number
    Brain back{};
    store(&back, to_float(Brain{static_cast<u16>(bits)}));
    ASSERT_EQ(back.bits, bits);
    ++compared;
  }
  Brain b{};
  store(&b, 1.0f + 0x1p-8f);  // half way: to even
  EXPECT_EQ(b.bits, 0x3f80);
  store(&b, 1.0f + 3 * 0x1p-8f);
  EXPECT_EQ(b.bits, 0x3f82);
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared + 2));
}

BaselineInput baseline_input(int heads, int kv_heads, int rows, int keys, int head_dim, bool causal) {
  Random random;
  BaselineInput in;
  in.heads = heads, in.kv_heads = kv_heads, in.rows = rows, in.keys = keys, in.head_dim = head_dim;
  in.causal = causal, in.first = keys - rows, in.scale = 0.25;
  in.q.resize(static_cast<std::size_t>(heads * rows * head_dim));
  in.k.resize(static_cast<std::size_t>(kv_heads * keys * head_dim)), in.v.resize(in.k.size());
  for (auto* list : {&in.q, &in.k, &in.v})
    for (float& x : *list) x = random.next();
  return in;
}

// The reference that kernels in 16 bits are held against, against this file's own.
TEST(Expected, IsAttentionAtTheRowsItNames) {
  std::uint64_t compared = 0;
  const auto same = [](float x) { return x; };
  for (const auto& [rows, causal, sparse] :
       {std::tuple{1, true, false}, {1, false, true}, {21, true, false}, {90, false, false}}) {
    BaselineInput in = baseline_input(4, 2, rows, std::max(rows, 37), 24, causal);
    if (sparse) in.chosen = {{0, 5, 36}, {1, 2, 3, 4, 30}};
    const Expected e = expected_output(in, sparse, same);
    ASSERT_EQ(e.rows.size(), static_cast<std::size_t>(std::min(rows, 64)));
    EXPECT_EQ(e.rows.back(), rows - 1);
    const NaiveShape a{1, 4, 2, rows, in.keys, 24, causal && !sparse, in.first, 0.25f, nullptr};
    const std::vector<double> want = expected(a, in.q, in.k, in.v, in.chosen);
    std::vector<float> got(want.begin(), want.end());
    EXPECT_LT(largest_error(in, e, got, 1, compared), 1e-6);
    // What is off is seen, and so is what is no number.
    got[static_cast<std::size_t>(e.rows.back()) * 24] += static_cast<float>(e.largest);
    EXPECT_NEAR(largest_error(in, e, got, 1, compared), 1, 1e-6);
    got[static_cast<std::size_t>(e.rows.front()) * 24] = std::nanf("");
    EXPECT_EQ(largest_error(in, e, got, 1, compared), 1e9);
  }
  EXPECT_EQ(tolerance("fp32", true, 100), 1e-4);
  EXPECT_EQ(tolerance("fp16", true, 8), 5e-3 + 8 * 0x1p-10);
  EXPECT_EQ(tolerance("fp16", false, 8), 5e-3);
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared + 3));
}

TEST(Work, CountsPairsAndBytes) {
  GpuFacts facts;
  facts.peak_bytes = 1e9, facts.peak_fp16 = 1e12, facts.peak_fp32 = 1e6;
  BaselineInput in = baseline_input(4, 2, 1, 100, 16, true);
  in.chosen = {{0, 1, 2}, {0}};
  Measured m;
  m.dtype = "fp16", m.batch = 3;
  count_work(in, facts, m);
  EXPECT_EQ(m.operations, 3 * 4 * 4.0 * 100 * 16);
  EXPECT_EQ(m.bytes, 3 * 2 * 16.0 * (2 * 2 * 100 + 2 * 4));
  EXPECT_EQ(m.limit, "bandwidth");
  EXPECT_EQ(m.roofline_seconds, m.bytes / 1e9);
  m.sparse = true;
  count_work(in, facts, m);
  EXPECT_EQ(m.operations, 3 * 4 * 16.0 * (2 * 3 + 2 * 1));
  EXPECT_EQ(m.bytes, 3 * 2 * 16.0 * (2 * 4 + 2 * 4));
  Measured full;
  full.dtype = "fp32";
  count_work(baseline_input(2, 2, 5, 5, 16, true), facts, full);
  EXPECT_EQ(full.operations, 4 * 2 * 15.0 * 16);
  EXPECT_EQ(full.bytes, 4 * 16.0 * (2 * 2 * 5 + 2 * 2 * 5));
  EXPECT_EQ(full.limit, "arithmetic");
  std::printf("[ compared ] 9 values\n");
}

// Whatever the operands: before a set comes again, more than twice L2 went by, or the rotation does not call itself
// cold.
TEST(Sets, AreEnoughForAColdL2) {
  constexpr std::uint64_t kL2 = 50 << 20;
  std::uint64_t compared = 0;
  for (double touched = 64; touched < 4e9; touched *= 1.7)
    for (const double over : {1.0, 1.5, 8.0, 40.0, 500.0}) {
      const double stored = touched * over;
      const Rotation r = rotation(touched, stored, kL2);
      ASSERT_EQ(r.cold, (r.sets - 1) * touched > 2.0 * kL2) << touched << " of " << stored;
      ASSERT_EQ(r.sets, r.graphs * r.launches);
      ASSERT_GE(r.sets, 2);
      ASSERT_LE(r.launches, kMostLaunches);
      // The bounds, but for a graph's rounding and for two sets, without which there is no rotation.
      ASSERT_LE(r.sets, kMostSets + r.graphs);
      ASSERT_TRUE(r.sets == 2 || (r.sets - r.graphs) * stored <= kMostOperands) << touched << " of " << stored;
      // No more than needed, and only the bounds are a reason for less.
      ASSERT_LE((r.sets - r.graphs - 2) * touched, 2.0 * kL2);
      ASSERT_TRUE(r.cold || r.sets + r.graphs >= kMostSets || (r.sets + 1) * stored > kMostOperands);
      compared += 8;
    }
  // Nine heads over three, 160 tokens, FP16, batch 1: 256 sets were not enough.
  BaselineInput in = baseline_input(9, 3, 1, 160, 64, true);
  const double dense = touched_bytes(in, 2, 1, false);
  EXPECT_EQ(dense, 2 * 64.0 * (2 * 3 * 160 + 2 * 9));
  const Rotation r = rotation(dense, dense, kL2);
  EXPECT_TRUE(r.cold);
  EXPECT_EQ(r.graphs, 4);
  EXPECT_GE(of_l2(dense, r.sets, kL2), 2);
  // Of K and V only the chosen rows count: more sets than for all of them.
  in.chosen = {{0, 1, 2, 3}, {5}, {9, 10, 11}};
  const double sparse = touched_bytes(in, 2, 1, true);
  EXPECT_EQ(sparse, 2 * 64.0 * (2 * 8 + 2 * 9));
  EXPECT_TRUE(rotation(sparse, 4 * dense, 1 << 20).cold);
  EXPECT_GT(rotation(sparse, dense, kL2).sets, 20 * r.sets);
  EXPECT_FALSE(rotation(64, 64 * 500, kL2).cold);
  EXPECT_EQ(of_l2(1e6, 3, 2000000), 1.5);
  EXPECT_EQ(of_l2(1e6, 3, 0), 0);
  std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared + 10));
}

TEST(Samples, FifteenPerCentDropOnEachSide) {
  std::vector<double> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back(i < 150 ? 0 : i < 850 ? i : 1e9);
  std::reverse(samples.begin(), samples.end());
  const Summary s = summarize(samples);
  EXPECT_DOUBLE_EQ(s.trimmed_mean, (150 + 849) / 2.0);
  EXPECT_DOUBLE_EQ(s.median, 499.5);
  EXPECT_EQ(s.least, 0);
  EXPECT_EQ(s.most, 1e9);
  EXPECT_EQ(summarize({3.0}).median, 3);
  EXPECT_EQ(summarize({}).median, 0);
  std::printf("[ compared ] 6 values\n");
}

TEST(Nvml, ADeviceThatIsNotThereIsNoError) {
  const Nvml none("ffff:ff:1f.7");
  EXPECT_FALSE(none.available());
  EXPECT_FALSE(none.why_not().empty());
  EXPECT_EQ(none.watts(), 0);
  EXPECT_EQ(none.sm_megahertz(), 0u);
  std::printf("[ compared ] 4 values\n");
}

}  // namespace
}  // namespace winnow::cuda_ref::shim_backend
