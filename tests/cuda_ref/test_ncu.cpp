// Nsight Compute's CSV, read. The sample is written after its documented format (columns of `--csv --page details`),
// not recorded: no GPU was at hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "cuda_ref/baseline/ncu.h"

namespace winnow::cuda_ref {
namespace {

const std::string kHeader =
    R"("ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC","Section Name","Metric Name","Metric Unit","Metric Value")";

std::string row(int id, const std::string& kernel, const std::string& metric, const std::string& unit,
                const std::string& value) {
  return "\"" + std::to_string(id) + R"c(","4242","winnow","127.0.0.1",")c" + kernel +
         R"c(","1","13","(256, 1, 1)","(32, 12, 1)","0","9.0","Command line profiler metrics",")c" + metric + "\",\"" +
         unit + "\",\"" + value + "\"\n";
}
// A kernel has a row a metric.
std::string launch(const std::string& kernel, const std::string& read, const std::string& write,
                   const std::string& unit = "byte") {
  static int id = 0;
  ++id;
  return row(id, kernel, "dram__bytes_read.sum", unit, read) + row(id, kernel, "dram__bytes_write.sum", unit, write);
}
const char* const kMark = "winnow::cuda_ref::gpu_backend::measurement_mark()";

TEST(Ncu, SumsKernelsBetweenMarks) {
  std::string text =
      "==PROF== Connected to process 4242 (/usr/bin/winnow)\n"
      "==PROF== Profiling \"measurement_mark\" - 0: 0%....50%....100% - 1 pass\n" +
      kHeader + "\n";
  // The first kernel: two runs of two launches.
  text += launch(kMark, "0", "0") + launch(kMark, "32", "0");
  text += launch(R"c(void scores<Half>(Shape, const T1 *, ""quoted""))c", "1,048,576", "1,024");
  text += launch("softmax", "512", "0");
  text += launch(kMark, "0", "0");
  text += launch("scores", "2", "1", "Mbyte") + launch("softmax", "0.5", "0", "Kbyte");
  // The second was refused; the third: one run.
  text += launch(kMark, "0", "0") + launch(kMark, "0", "0");
  text += launch(kMark, "0", "0") + launch(kMark, "0", "0");
  text += launch("fused", "64", "32") + "==PROF== Disconnected from process 4242\n";
  const std::vector<NcuBytes> all = parse_ncu(text);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].runs, 2);
  EXPECT_DOUBLE_EQ(all[0].read, 1048576 + 512 + 2e6 + 500);
  EXPECT_DOUBLE_EQ(all[0].write, 1024 + 1e6);
  EXPECT_EQ(all[1].runs, 0);
  EXPECT_EQ(all[2].runs, 1);
  EXPECT_DOUBLE_EQ(all[2].read, 64);
  EXPECT_DOUBLE_EQ(all[2].write, 32);
  std::printf("[ compared ] 8 values\n");
}

std::string refusal(const std::string& text) {
  try {
    parse_ncu(text);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

TEST(Ncu, SaysWhyThereIsNothing) {
  EXPECT_EQ(refusal("==PROF== Connected to process 1\n"
                    "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access NVIDIA GPU Performance "
                    "Counters on the target device 0. For instructions on enabling permissions see https://...\n"),
            "ncu: ERR_NVGPUCTRPERM: this user may not read the GPU's counters");
  EXPECT_EQ(refusal("==ERROR== Failed to initialize the profiler: LibraryNotLoaded\n"),
            "ncu: Failed to initialize the profiler: LibraryNotLoaded");
  EXPECT_EQ(refusal("==WARNING== No kernels were profiled.\n"), "ncu: No kernels were profiled.");
  EXPECT_EQ(refusal(""), "ncu: no table of metrics in what it printed");
  EXPECT_EQ(refusal(kHeader + "\n" + launch("stray", "1", "1")), "ncu: stray: a kernel before the first mark");
  EXPECT_EQ(refusal(kHeader + "\n" + launch(kMark, "0", "0") + launch(kMark, "0", "0") + launch("k", "n/a", "0")),
            "ncu: n/a: must be a number");
  EXPECT_EQ(refusal(kHeader + "\n\"0\",\"cut off\"\n"), "ncu: a row of 2 cells: must be 15");
  std::printf("[ compared ] 7 values\n");
}

TEST(Ncu, LeavesCachesAndClocksAlone) {
  const std::vector<std::string> words = ncu_arguments("x.csv");
  const auto after = [&](const char* option) {
    const auto at = std::find(words.begin(), words.end(), option);
    return at == words.end() || at + 1 == words.end() ? std::string() : at[1];
  };
  EXPECT_EQ(after("--cache-control"), "none");
  EXPECT_EQ(after("--clock-control"), "none");
  EXPECT_EQ(after("--profile-from-start"), "off");
  EXPECT_EQ(after("--log-file"), "x.csv");
  std::printf("[ compared ] 4 values\n");
}

}  // namespace
}  // namespace winnow::cuda_ref
