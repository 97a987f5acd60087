// The reader on good files: every value of a small file, every half, and the shipped samples.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "tests/traces/reader/trace_file.h"
#include "traces/trace.h"

namespace winnow {
namespace {

using test::TempFile;
using test::TraceFile;

TEST(Half, EveryValueIsExact) {
  int compared = 0;
  for (int h = 0; h < 65536; ++h) {
    const int sign = h >> 15, exponent = (h >> 10) & 31, fraction = h & 1023;
    const float got = half_to_float(static_cast<std::uint16_t>(h));
    ++compared;
    if (exponent == 31) {
      ASSERT_TRUE(fraction != 0 ? std::isnan(got) : std::isinf(got)) << h;
      continue;
    }
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(static_cast<double>(got), sign != 0 ? -magnitude : magnitude) << h;
    ASSERT_EQ(std::signbit(got), sign != 0) << h;
  }
  std::printf("compared %d halves\n", compared);
  ASSERT_EQ(compared, 65536);
}

TEST(Bfloat, EveryValueIsExact) {
  int compared = 0;
  for (int b = 0; b < 65536; ++b, ++compared) {
    const int sign = b >> 15, exponent = (b >> 7) & 255, fraction = b & 127;
    const float got = bfloat_to_float(static_cast<std::uint16_t>(b));
    ASSERT_EQ(std::signbit(got), sign != 0) << b;
    if (exponent == 255) {
      ASSERT_TRUE(fraction != 0 ? std::isnan(got) : std::isinf(got)) << b;
      continue;
    }
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134);
    ASSERT_EQ(static_cast<double>(got), sign != 0 ? -magnitude : magnitude) << b;
  }
  std::printf("compared %d bfloats\n", compared);
}

TEST(Trace, ReadsEveryValueOfAFile) {
  for (const TraceDtype dtype : {TraceDtype::f16, TraceDtype::bf16, TraceDtype::f32}) {
    const TempFile file(TraceFile::make(dtype).bytes());
    const Trace trace = Trace::open(file.path());
    const TraceMeta& meta = trace.meta();
    EXPECT_EQ(meta.model, "m");
    EXPECT_EQ(meta.licence, "l");
    EXPECT_EQ(meta.source, "s");
    EXPECT_EQ(meta.tool, "t");
    EXPECT_EQ(meta.group(), 2);
    EXPECT_EQ(meta.generated(), 1);
    EXPECT_TRUE(meta.causal);
    EXPECT_EQ(meta.attention_scale, 0.35355339059327373);
    EXPECT_EQ(trace.dtype(), dtype);
    ASSERT_EQ(trace.token_ids().size(), 3u);
    EXPECT_EQ(trace.token_ids()[2], 2);
    int compared = 0;
    for (int layer = 0; layer < 2; ++layer)
      for (int which = 0; which < 3; ++which)
        for (int head = 0; head < (which == 0 ? 4 : 2); ++head) {
          std::vector<float> rows(24), last(8);
          trace.read(static_cast<TraceTensor>(which), layer, head, rows.data());
          trace.read(static_cast<TraceTensor>(which), layer, head, 2, 1, last.data());
          for (int i = 0; i < 24; ++i, ++compared)
            ASSERT_EQ(rows[i], TraceFile::value(layer, which, head * 24 + i)) << layer << which << head << " " << i;
          for (int i = 0; i < 8; ++i, ++compared) ASSERT_EQ(last[i], rows[16 + i]);
        }
    std::printf("compared %d values of %s\n", compared, name_of(dtype));
    ASSERT_EQ(compared, 2 * 8 * 32);
  }
}

TEST(Trace, ReadsOutsideItAreRefused) {
  const TempFile file(TraceFile::make().bytes());
  const Trace trace = Trace::open(file.path());
  std::vector<float> rows(24);
  for (const auto& [layer, head, first, count] :
       {std::array{2, 0, 0, 3}, {-1, 0, 0, 3}, {0, 4, 0, 3}, {0, 0, 1, 3}, {0, 0, -1, 1}, {0, 0, 0, -1}})
    EXPECT_NE(test::error_of([&] { trace.read(TraceTensor::q, layer, head, first, count, rows.data()); }), "");
}

TEST(Trace, HashIsOfTheFile) {
  const TempFile file(TraceFile::make().bytes());
  const std::string hash = Trace::open(file.path()).sha256();
  FILE* pipe = ::popen(("sha256sum " + file.path()).c_str(), "r");
  char text[65] = {};
  ASSERT_EQ(std::fread(text, 1, 64, pipe), 64u);
  ::pclose(pipe);
  EXPECT_EQ(hash, text);
}

TEST(Trace, ShippedSamplesLoad) {
  struct Sample {
    const char* name;
    int layers, heads, kv_heads, head_dim, tokens, prompt;
    bool causal;
  };
  std::size_t seen = 0;
  for (const Sample& sample :
       {Sample{"smollm2-160", 30, 9, 3, 64, 160, 128, true}, Sample{"minilm-128", 6, 12, 12, 32, 128, 128, false}}) {
    const Trace trace = Trace::open(std::string(WINNOW_SOURCE_DIR "/traces/samples/") + sample.name + ".safetensors");
    const TraceMeta& meta = trace.meta();
    EXPECT_EQ(meta.layers, sample.layers);
    EXPECT_EQ(meta.heads, sample.heads);
    EXPECT_EQ(meta.kv_heads, sample.kv_heads);
    EXPECT_EQ(meta.head_dim, sample.head_dim);
    EXPECT_EQ(meta.tokens, sample.tokens);
    EXPECT_EQ(meta.prompt, sample.prompt);
    EXPECT_EQ(meta.causal, sample.causal);
    EXPECT_NEAR(meta.attention_scale, 1.0 / std::sqrt(sample.head_dim), 1e-12);
    EXPECT_FALSE(meta.licence.empty());
    std::vector<float> rows(static_cast<std::size_t>(meta.tokens) * meta.head_dim);
    for (int layer = 0; layer < meta.layers; ++layer)
      for (const TraceTensor which : {TraceTensor::q, TraceTensor::k, TraceTensor::v})
        for (int head = 0; head < trace.head_count(which); ++head) {
          trace.read(which, layer, head, rows.data());
          double energy = 0;
          for (const float x : rows) energy += static_cast<double>(x) * x;
          ASSERT_TRUE(std::isfinite(energy) && energy > 0) << sample.name << " " << layer << " " << head;
          seen += rows.size();
        }
  }
  std::printf("checked %zu values\n", seen);
  ASSERT_EQ(seen, 160u * 64 * 15 * 30 + 128u * 32 * 36 * 6);
}

}  // namespace
}  // namespace winnow
