// Every kernel of the baseline on a GPU, on small shapes: outputs only, measured in a moment. Without a GPU these tests
// are skipped, and say so.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "cuda_ref/baseline/baseline.h"
#include "cuda_ref/baseline/cudnn.h"
#include "cuda_ref/baseline/expected.h"
#include "cuda_ref/baseline/sets.h"
#include "cuda_ref/walk.h"

namespace winnow::cuda_ref {
namespace {

BaselineInput input(int heads, int kv_heads, int rows, int keys, int head_dim, bool causal) {
  BaselineInput in;
  in.heads = heads, in.kv_heads = kv_heads, in.rows = rows, in.keys = keys, in.head_dim = head_dim;
  in.causal = causal, in.first = keys - rows, in.scale = 1 / std::sqrt(head_dim);
  in.q.resize(static_cast<std::size_t>(heads * rows * head_dim));
  in.k.resize(static_cast<std::size_t>(kv_heads * keys * head_dim)), in.v.resize(in.k.size());
  std::uint64_t x = 88172645463325252ull;
  for (auto* list : {&in.q, &in.k, &in.v})
    for (float& value : *list) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      value = static_cast<float>(static_cast<double>(x >> 40) * 0x1p-22 - 2);
    }
  const Expected e = expected_output(in, false, [](float v) { return v; }, rows);
  in.expected.assign(e.values.begin(), e.values.end());
  in.batches = {1, 3}, in.runs = 10, in.energy_seconds = 0.01;
  return in;
}

class BaselineOnGpu : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (gpu_name(&why).empty()) GTEST_SKIP() << "skipped: no GPU (" << why << ")";
  }
  void expect_right(const BaselineInput& in) {
    const Baseline b = measure_baseline(in, [](const std::string&) {});
    for (const std::string& line : b.wrong) ADD_FAILURE() << line;
    std::string why;
    if (!cudnn_version(why).empty()) {
      for (const std::string& line : b.refused) ADD_FAILURE() << line;
    } else {
      std::printf("without cuDNN: %s\n", why.c_str());
    }
    std::uint64_t compared = 0;
    for (const Measured& m : b.measured) {
      EXPECT_EQ(m.samples.size(), 10u);
      EXPECT_EQ(m.sets > 1, m.cache == "cold");
      EXPECT_TRUE(m.cache == "warm" || of_l2(m.bytes, m.sets, b.facts.l2_bytes) > 2);
      std::printf("%s %s batch %d %s: largest error %.2g\n", m.kernel.c_str(), m.dtype.c_str(), m.batch,
                  m.cache.c_str(), m.largest_error);
      compared += m.compared;
    }
    EXPECT_GT(compared, 0u);
    EXPECT_EQ(launch_marked(in).size() * 2, b.measured.size());
    std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(compared));
  }
};

TEST_F(BaselineOnGpu, Decode) {
  BaselineInput in = input(9, 3, 1, 133, 64, true);
  in.chosen = {{0, 7, 8, 100, 132}, {1}, {2, 3}};
  for (std::uint32_t t = 60; t < 131; ++t) in.chosen[2].push_back(t);
  expect_right(in);
}
TEST_F(BaselineOnGpu, DecodeWithListsOfOneLength) {
  BaselineInput in = input(4, 4, 1, 256, 128, true);
  for (std::uint32_t kv = 0; kv < 4; ++kv) {
    in.chosen.emplace_back();
    for (std::uint32_t t = kv; t < 256; t += 6) in.chosen.back().push_back(t);
  }
  expect_right(in);
}
TEST_F(BaselineOnGpu, Prefill) { expect_right(input(6, 2, 129, 129, 64, true)); }
TEST_F(BaselineOnGpu, Encoder) { expect_right(input(2, 2, 70, 70, 32, false)); }

}  // namespace
}  // namespace winnow::cuda_ref
