// cuDNN's graph without a GPU: the library plans for an H100 that is described to it. That it gives right outputs, only
// a GPU shows (test_cuda_gpu_baseline, `winnow gpu`).
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "cuda_ref/baseline/cudnn.h"

namespace winnow::cuda_ref {
namespace {

// What cuDNN writes about a device, with an H100's public figures.
const char* const kH100 = R"({"version":1,"regsPerBlock":65536,"multiProcessorCount":132,"warpSize":32,
  "maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,
  "maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":587218142,
  "isTccDriver":0,"supportCoopLaunch":1,"totalGlobalMem":85000000000,"smClockRateKHz":1980000,
  "memClockRateKHz":2619000,"l2CacheSize":52428800,"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,
  "maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"deviceName":"NVIDIA H100 80GB HBM3"})";

class Cudnn : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    version = cudnn_version(why);
    if (version.empty()) GTEST_SKIP() << "skipped: no cuDNN (" << why << ")";
    // cuDNN wants a driver's library before it plans; the toolkit's stub will do.
    if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) &&
        !dlopen("/usr/local/cuda/lib64/stubs/libcuda.so", RTLD_NOW | RTLD_GLOBAL))
      GTEST_SKIP() << "skipped: neither a driver nor the toolkit's stub of it";
    const std::string why_not = cudnn_refusal(FusedShape(), kH100, 90);
    if (why_not.starts_with("cuDNN: described device: "))
      GTEST_SKIP() << "skipped: cuDNN " << version << " takes no described device (" << why_not << ")";
  }
  std::string version;
};

FusedShape shape(std::int64_t batch, std::int64_t heads, std::int64_t kv_heads, std::int64_t rows, std::int64_t keys,
                 std::int64_t head_dim) {
  FusedShape s;
  s.batch = batch, s.heads = heads, s.kv_heads = kv_heads, s.rows = rows, s.keys = keys, s.head_dim = head_dim;
  s.scale = 0.125;
  return s;
}

TEST_F(Cudnn, HasAnEngineForEveryShapeThatIsMeasured) {
  int planned = 0;
  const auto expect = [&](FusedShape s, const char* what) {
    for (const bool bf16 : {false, true}) {
      s.bf16 = bf16;
      EXPECT_EQ(cudnn_refusal(s, kH100, 90), "") << what << (bf16 ? ", bf16" : ", fp16");
      ++planned;
    }
  };
  expect(shape(1, 12, 12, 1, 1024, 64), "decode");
  expect(shape(64, 12, 12, 1, 1024, 64), "decode, batch 64");
  expect(shape(2, 9, 3, 1, 160, 64), "decode, grouped heads");
  expect(shape(2, 9, 3, 1, 37, 64), "decode, odd number of keys");
  expect(shape(1, 32, 8, 1, 4096, 128), "decode, D 128");
  expect(shape(1, 12, 12, 384, 384, 64), "encoder");
  expect(shape(2, 12, 12, 128, 128, 32), "encoder, D 32");
  FusedShape prefill = shape(1, 9, 3, 129, 129, 64);
  prefill.causal = true;
  expect(prefill, "prefill");
  FusedShape chosen = head_by_head(shape(4, 9, 3, 1, 77, 64));
  expect(chosen, "chosen tokens");
  chosen.padded = true;
  expect(chosen, "chosen tokens, lists of different lengths");
  std::printf("[ compared ] %d plans, cuDNN %s\n", planned, version.c_str());
}

TEST_F(Cudnn, RefusesInOneLine) {
  int compared = 0;
  for (const FusedShape& s : {shape(1, 9, 2, 1, 64, 64), shape(1, 4, 4, 1, 64, 60)}) {
    const std::string why = cudnn_refusal(s, kH100, 90);
    EXPECT_TRUE(why.starts_with("cuDNN: ")) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
    ++compared;
  }
  EXPECT_TRUE(cudnn_refusal(shape(1, 1, 1, 1, 64, 64), "{}", 90).starts_with("cuDNN: described device: "));
  std::printf("[ compared ] %d values\n", compared + 1);
}

TEST_F(Cudnn, WithoutAGpuItIsAnErrorInOneLine) {
  std::string text;
  try {
    fused_attention(shape(1, 1, 1, 1, 64, 64));
    GTEST_SKIP() << "skipped: there is a GPU";
  } catch (const std::exception& e) {
    text = e.what();
  }
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  std::printf("[ compared ] 2 values: %s\n", text.c_str());
}

// A KV head as a batch entry of its own is the same memory: heads of a group lie side by side.
TEST(HeadByHead, IsTheSameMemory) {
  const FusedShape a = shape(2, 9, 3, 2, 5, 8), b = head_by_head(a);
  EXPECT_EQ(b.batch, 6);
  EXPECT_EQ(b.heads, 3);
  EXPECT_EQ(b.kv_heads, 1);
  int compared = 3;
  const auto offset = [](const FusedShape& s, std::int64_t batch, std::int64_t head) {
    return (batch * s.heads + head) * s.rows * s.head_dim;
  };
  const auto kv_offset = [](const FusedShape& s, std::int64_t batch, std::int64_t kv) {
    return (batch * s.kv_heads + kv) * s.keys * s.head_dim;
  };
  for (std::int64_t batch = 0; batch < a.batch; ++batch)
    for (std::int64_t head = 0; head < a.heads; ++head) {
      const std::int64_t kv = head / 3;
      EXPECT_EQ(offset(a, batch, head), offset(b, batch * 3 + kv, head % 3));
      EXPECT_EQ(kv_offset(a, batch, kv), kv_offset(b, batch * 3 + kv, 0));
      compared += 2;
    }
  std::printf("[ compared ] %d values\n", compared);
}

}  // namespace
}  // namespace winnow::cuda_ref
