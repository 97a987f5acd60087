// `winnow check`, `winnow gpu` and `winnow run --engine cuda` as a user types them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

struct Ran {
  int code = -1;
  std::string text;
};
Ran winnow(const std::string& arguments) {
  Ran r;
  FILE* pipe = popen((std::string(WINNOW_PROGRAM " ") + arguments + " 2>&1").c_str(), "r");
  char part[4096];
  while (const std::size_t n = fread(part, 1, sizeof part, pipe)) r.text.append(part, n);
  const int status = pclose(pipe);
  r.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return r;
}

const std::string kTrace = "synthetic:layers=3,heads=4,kv_heads=2,head_dim=16,tokens=24,prompt=20,causal=1";

TEST(CheckCommand, SaysWhichEnginesItHadAndHowMuchItCompared) {
  const Ran r =
      winnow("check " + kTrace + " --engines golden,cuda,systemc --policy select --set select_keep=0.9 --steps 1-2");
  EXPECT_EQ(r.code, 0) << r.text;
  for (const char* part : {"engines: golden (host), cuda (cuda ", "systemc (the machine's models", "6 layers compared",
                           "cuda against golden", "systemc against golden", "probabilities", "byte and burst counts"})
    EXPECT_NE(r.text.find(part), std::string::npos) << part << r.text;
  EXPECT_EQ(r.text.find("first difference"), std::string::npos);
  EXPECT_EQ(r.text.find("host shim ("), std::string::npos) << r.text;  // no brackets in brackets
  std::printf("[ compared ] 9 parts of the output\n");
}

TEST(CheckCommand, BadInputIsOneLine) {
  const struct {
    const char *arguments, *part;
  } cases[] = {{"--engines golden", "a check needs two"},
               {"--engines golden,abacus", "known are golden, cuda"},
               {"--layers 9", "--layers: 9-9: the trace has layers 0-2"},
               {"--policy nobody", "--policy: 'nobody': no such policy"},
               {"--set no_such=1", "no_such"}};
  for (const auto& c : cases) {
    const Ran r = winnow("check " + kTrace + " " + c.arguments);
    EXPECT_EQ(r.code, 2) << r.text;
    EXPECT_NE(r.text.find(c.part), std::string::npos) << r.text;
    EXPECT_EQ(std::count(r.text.begin(), r.text.end(), '\n'), 1) << r.text;
  }
  const Ran shapes = winnow("check " WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv");
  EXPECT_EQ(shapes.code, 2) << shapes.text;
  EXPECT_NE(shapes.text.find("workload.csv: holds shapes without values"), std::string::npos) << shapes.text;
  std::printf("[ compared ] %zu refusals\n", std::size(cases) + 1);
}

TEST(GpuCommand, WithoutAGpuOneLineAndCode2) {
  const Ran r =
      winnow("gpu " + kTrace + " --runs 10 --batches 1 -o " + testing::TempDir() + "winnow_gpu_command --force");
  if (r.code == 0) GTEST_SKIP() << "a GPU is there: scripts/gpu_check measures it";
  EXPECT_EQ(r.code, 2) << r.text;
  EXPECT_EQ(r.text.find("winnow: gpu: no GPU: "), 0u) << r.text;
  EXPECT_EQ(std::count(r.text.begin(), r.text.end(), '\n'), 1) << r.text;
  std::printf("[ compared ] 1 refusal\n");
}

// Where there is a GPU and where there is none, the input is looked at first.
TEST(GpuCommand, BadInputIsOneLineBeforeAnyGpu) {
  const struct {
    std::string arguments, part;
  } cases[] = {{"no-such-file.safetensors", "no-such-file.safetensors"},
               {kTrace + " --layer 99", "--layer: 99: the trace has layers 0-2"},
               {kTrace + " --policy nobody", "--policy: 'nobody': no such policy"},
               {WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv", "workload.csv: holds shapes without values"}};
  for (const auto& c : cases) {
    const Ran r = winnow("gpu " + c.arguments + " --probe");
    EXPECT_EQ(r.code, 2) << r.text;
    EXPECT_NE(r.text.find(c.part), std::string::npos) << r.text;
    EXPECT_EQ(r.text.find("no GPU"), std::string::npos) << r.text;
    EXPECT_EQ(std::count(r.text.begin(), r.text.end(), '\n'), 1) << r.text;
  }
  std::printf("[ compared ] %zu refusals\n", std::size(cases));
}

TEST(RunCommand, CudaWritesTheBytesThatGoldenWrites) {
  namespace fs = std::filesystem;
  const fs::path base = fs::path(testing::TempDir()) / fmt::format("winnow_cuda_run_{}", getpid());
  std::size_t compared = 0;
  for (const char* engine : {"golden", "cuda"}) {
    const Ran r =
        winnow(fmt::format("run {} --policy spatten --engine {} -o {}-{}", kTrace, engine, base.string(), engine));
    ASSERT_EQ(r.code, 0) << r.text;
  }
  for (const char* file : {"layers.csv", "result.json"}) {
    std::string text[2];
    for (int i = 0; i < 2; ++i) {
      std::ostringstream all;
      all << std::ifstream(base.string() + (i ? "-cuda/" : "-golden/") + file).rdbuf();
      text[i] = all.str();
    }
    EXPECT_GT(text[0].size(), 200u);
    EXPECT_EQ(text[0], text[1]) << file;
    compared += text[0].size();
  }
  for (const char* engine : {"golden", "cuda"}) fs::remove_all(base.string() + "-" + engine);
  std::printf("[ compared ] %zu bytes\n", compared);
}

}  // namespace
