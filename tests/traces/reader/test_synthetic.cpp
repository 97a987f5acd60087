// Generated traces: the same for a seed, and with the structure that they promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "golden/basis.h"
#include "tests/traces/reader/trace_file.h"
#include "traces/synthetic.h"

namespace winnow {
namespace {

using test::error_of;

TEST(Synthetic, ParsesItsName) {
  const SyntheticSpec spec =
      parse_synthetic("synthetic:layers=2,heads=12,kv_heads=4,head_dim=32,tokens=38,prompt=30,causal=1,seed=9");
  EXPECT_EQ(spec.layers, 2);
  EXPECT_EQ(spec.heads, 12);
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 32);
  EXPECT_EQ(spec.tokens, 38);
  EXPECT_EQ(spec.prompt, 30);
  EXPECT_TRUE(spec.causal);
  EXPECT_EQ(spec.seed, 9u);
  EXPECT_EQ(parse_synthetic("synthetic:heads=6").kv_heads, 6);
  for (const char* bad :
       {"synthetic:layer=2", "synthetic:layers=0", "synthetic:layers=x", "synthetic:layers", "synthetic:causal=2",
        "synthetic:tokens=-1", "synthetic:seed=-1", "synthetic:layers=1000,heads=1000,tokens=1000000"})
    EXPECT_NE(error_of([&] { parse_synthetic(bad); }), "") << bad;
  for (const char* bad : {"synthetic:head_dim=12", "synthetic:heads=3,kv_heads=2",
                          "synthetic:tokens=4,prompt=5,causal=1", "synthetic:tokens=4,prompt=3"})
    EXPECT_NE(error_of([&] { Trace::open(bad); }), "") << bad;
}

TEST(Synthetic, SaysOfItsHeadsWhatPoliciesAsk) {
  const Trace trace =
      Trace::open("synthetic:layers=3,heads=8,kv_heads=4,head_dim=16,tokens=40,prompt=24,causal=1,seed=5");
  const golden::HeadTensors& of = *trace.head_tensors();
  EXPECT_EQ(of.scores.size(), 12u);
  EXPECT_EQ(of.distances.size(), 12u);
  ASSERT_EQ(of.weights.size(), 3u * 8 * 40);
  ASSERT_EQ(of.mask.size(), 12u * 16 * 40);
  EXPECT_EQ(of.clusters.size(), 12u * 40);
  const auto off = std::count(of.weights.begin(), of.weights.end(), 0.0f);
  EXPECT_NEAR(static_cast<double>(off), 7.0 / 8 * 960 / 4, 40) << "a quarter, but for each layer's first";
  for (int layer = 0; layer < 3; ++layer)
    for (int t = 0; t < 40; ++t) EXPECT_GT(of.weights[static_cast<std::size_t>(layer * 8 * 40 + t)], 0);
  EXPECT_NEAR(static_cast<double>(std::count(of.mask.begin(), of.mask.end(), 1)), 7680 / 4.0, 120);
  EXPECT_EQ(*std::max_element(of.clusters.begin(), of.clusters.end()), 7);
  EXPECT_EQ(*std::min_element(of.clusters.begin(), of.clusters.end()), 0);
  // A mask that would be larger than the values is left out: 40,000 x 20,000 entries.
  EXPECT_TRUE(Trace::open("synthetic:layers=1,heads=1,kv_heads=1,head_dim=8,tokens=40000,prompt=20000,causal=1")
                  .head_tensors()
                  ->mask.empty());
  std::printf("compared %zu entries\n", of.weights.size() + of.mask.size() + of.clusters.size());
}

// Each head has a basis, of which the prompt's keys fill the ranges.
TEST(Synthetic, HasABasisForEveryKvHead) {
  const Trace trace =
      Trace::open("synthetic:layers=3,heads=8,kv_heads=4,head_dim=16,tokens=40,prompt=24,causal=1,seed=5");
  const auto basis = trace.head_tensors()->key_basis;
  ASSERT_NE(basis, nullptr);
  EXPECT_NO_THROW(golden::check_basis("synthetic", *basis, 3, 4, 16));
  std::vector<float> k(40 * 16);
  std::size_t compared = 0;
  for (int head = 0; head < 12; ++head) {
    trace.read_k(head / 4, head % 4, k.data());
    for (std::size_t i = 0; i < 16; ++i) {
      const float* row = basis->row(static_cast<std::size_t>(head), i);
      const std::size_t at = static_cast<std::size_t>(head) * 16;
      double largest = 0;
      for (std::size_t t = 1; t < 24; ++t) {
        double x = 0;
        for (std::size_t d = 0; d < 16; ++d) x += row[d] * (double{k[t * 16 + d]} - basis->mean[at + d]);
        largest = std::max(largest, std::fabs(x));
      }
      EXPECT_NEAR(basis->range[at + i], largest, 1e-5 * (1 + largest));
      ++compared;
    }
  }
  std::printf("compared %zu ranges\n", compared);
}

TEST(Synthetic, IsTheSameForASeed) {
  const char* name = "synthetic:layers=2,heads=4,kv_heads=2,head_dim=16,tokens=20,prompt=12,causal=1,seed=3";
  const Trace trace = Trace::open(name);
  EXPECT_EQ(trace.name(), name);
  // Kept from the first version of the generator: stored results name this hash.
  EXPECT_EQ(trace.sha256(), "0b6f3ba78c46c76148478119a36c2244c0eaab238be397320d280e5e774430cc");
  EXPECT_EQ(Trace::open(name).sha256(), trace.sha256());
  EXPECT_NE(
      Trace::open("synthetic:layers=2,heads=4,kv_heads=2,head_dim=16,tokens=20,prompt=12,causal=1,seed=4").sha256(),
      trace.sha256());
}

TEST(Synthetic, ValuesHaveTheStructureOfRealOnes) {
  const Trace trace = Trace::open("synthetic:layers=2,heads=8,kv_heads=4,head_dim=64,tokens=256,causal=1,seed=1");
  const TraceMeta& meta = trace.meta();
  const int tokens = meta.tokens, dim = meta.head_dim;
  std::vector<float> q(tokens * dim), k(tokens * dim), v(tokens * dim);
  double sink = 0, top = 0;
  int rows = 0, outliers = 0, channels = 0;
  for (int layer = 0; layer < meta.layers; ++layer)
    for (int head = 0; head < meta.heads; ++head) {
      trace.read_q(layer, head, q.data());
      trace.read_k(layer, head / meta.group(), k.data());
      trace.read_v(layer, head / meta.group(), v.data());
      double square = 0;
      for (const float x : v) square += static_cast<double>(x) * x;
      EXPECT_NEAR(square / (tokens * dim), 1.0, 0.25);
      for (int c = 0; c < dim; ++c) {
        float most = 0;
        for (int t = 1; t < tokens; ++t) most = std::max(most, std::abs(k[t * dim + c]));
        outliers += most > 8;
        ++channels;
      }
      for (int t = 32; t < tokens; ++t, ++rows) {
        std::vector<double> p(t + 1);
        double sum = 0;
        for (int j = 0; j <= t; ++j) {
          double s = 0;
          for (int c = 0; c < dim; ++c) s += static_cast<double>(q[t * dim + c]) * k[j * dim + c];
          sum += p[j] = std::exp(s * meta.attention_scale);
        }
        sink += p[0] / sum;
        std::sort(p.begin(), p.end(), std::greater<>());
        for (int j = 0; j <= t / 4; ++j) top += p[j] / sum;
      }
    }
  std::printf("%d rows: the first token draws %.3f, the best quarter %.3f, outlier channels %d of %d\n", rows,
              sink / rows, top / rows, outliers, channels);
  EXPECT_EQ(rows, 2 * 8 * 224);
  EXPECT_GT(sink / rows, 0.02);  // uniform attention would give it 0.007
  EXPECT_LT(sink / rows, 0.6);
  EXPECT_GT(top / rows, 0.6);  // uniform: 0.25
  EXPECT_LT(top / rows, 0.99);
  EXPECT_GT(outliers, channels / 50);
  EXPECT_LT(outliers, channels / 5);
}

}  // namespace
}  // namespace winnow
