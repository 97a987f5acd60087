// A valid small file, damaged many thousand times from one seed: it loads or it is refused with one line.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/traces/reader/trace_file.h"
#include "traces/workload.h"

namespace winnow {
namespace {

using test::TempFile;
using test::TraceFile;

class Xorshift {
 public:
  explicit Xorshift(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t n) {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_ % n;
  }

 private:
  std::uint64_t state_;
};

// Flips, overwrites, inserts, deletes, truncates; more often in the header, where the structure is.
std::string damage(std::string bytes, std::size_t header, Xorshift& random) {
  const std::uint64_t times = 1 + random.below(4);
  for (std::uint64_t i = 0; i < times && !bytes.empty(); ++i) {
    const std::size_t reach = random.below(4) != 0 ? std::min(header, bytes.size()) : bytes.size();
    const std::size_t at = random.below(reach);
    const char some[] = "0123456789{}[]\",:-.eE \n\\u\x00\xff";
    switch (random.below(6)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
      case 1: bytes[at] = static_cast<char>(random.below(256)); break;
      case 2: bytes[at] = some[random.below(sizeof some - 1)]; break;
      case 3: bytes.insert(at, 1 + random.below(3), some[random.below(sizeof some - 1)]); break;
      case 4: bytes.erase(at, 1 + random.below(8)); break;
      default:
        if (random.below(8) == 0)
          bytes.resize(at);
        else
          std::swap(bytes[at], bytes[random.below(bytes.size())]);
    }
  }
  return bytes;
}

TEST(Fuzz, TraceLoadsOrIsRefused) {
  constexpr int kTimes = 20000;
  const TraceFile good = TraceFile::make();
  const std::string bytes = good.bytes();
  const std::size_t header = bytes.size() - good.body.size();
  const TempFile file(bytes);
  Xorshift random(1);
  int loaded = 0, refused = 0;
  double sum = 0;
  for (int i = 0; i < kTimes; ++i) {
    // The length in front is mended in half of the cases, so that damage reaches what lies behind it.
    std::string bad = damage(bytes, header, random);
    if (random.below(2) == 0 && bad.size() >= bytes.size() - 64 && bad.size() > 8) {
      const std::uint64_t length = header - 8 + bad.size() - bytes.size();
      std::memcpy(bad.data(), &length, 8);
    }
    file.write(bad);
    const std::string line = test::error_of([&] {
      const Trace trace = Trace::open(file.path());
      std::vector<float> rows(static_cast<std::size_t>(trace.meta().tokens) * trace.meta().head_dim);
      for (int layer = 0; layer < trace.meta().layers; ++layer)
        for (const TraceTensor which : {TraceTensor::q, TraceTensor::k, TraceTensor::v})
          for (int head = 0; head < trace.head_count(which); ++head) {
            trace.read(which, layer, head, rows.data());
            for (const float x : rows) sum += x;
          }
    });
    ASSERT_EQ(line.find('\n'), std::string::npos) << line;
    ++(line.empty() ? loaded : refused);
  }
  std::printf("%d damaged files: %d loaded, %d refused\n", kTimes, loaded, refused);
  EXPECT_TRUE(std::isfinite(sum));
  EXPECT_GT(loaded, 100);
  EXPECT_GT(refused, 10000);
}

TEST(Fuzz, WorkloadLoadsOrIsRefused) {
  constexpr int kTimes = 20000;
  std::ifstream file(WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(text.size(), 1000u);
  Xorshift random(2);
  int loaded = 0, refused = 0;
  for (int i = 0; i < kTimes; ++i) {
    const std::string bad = damage(text, text.size() / 2, random);
    const std::string line = test::error_of([&] { total_bytes(parse_workload("f.csv", bad)); });
    ASSERT_EQ(line.find('\n'), std::string::npos) << line;
    ASSERT_TRUE(line.empty() || line.starts_with("f.csv: line ")) << line;
    ++(line.empty() ? loaded : refused);
  }
  std::printf("%d damaged files: %d loaded, %d refused\n", kTimes, loaded, refused);
  EXPECT_GT(loaded, 100);
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace winnow
