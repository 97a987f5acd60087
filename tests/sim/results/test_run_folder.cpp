// Run folders: what stands in them, when; a full disk and a kill leave the finished layers readable and nothing that
// looks whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "sim/results/run_folder.h"
#include "sim/results/stored_run.h"
#include "sim/results/writers.h"
#include "tests/support/temporary.h"

namespace winnow {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TempFolder;

Manifest manifest() {
  Manifest m;
  m.version = "1", m.command = "winnow run \xff", m.trace = "t.safetensors", m.trace_sha256 = "ab", m.engine = "golden";
  m.seed = 7, m.machine = {{"name", "tiny"}, {"hbm2.channels", "2"}}, m.policy = {{"name", "dense"}},
  m.date = utc_now();
  return m;
}

StatTree result() {
  StatTree tree("result");
  tree.part("summary", "summary").cycles("cycles", "cycles", 5);
  return tree;
}

int count_lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

TEST(RunFolder, HoldsTheRunWhenFinished) {
  const TempFolder temp;
  const std::string path = temp / "a/b";
  RunFolder folder(path, false, manifest());
  EXPECT_FALSE(fs::exists(path + "/result.json"));
  EXPECT_NE(error_of([&] { load_run(path); }).find("did not finish"), std::string::npos);
  folder.begin_layers({"layer", "cycles"});
  folder.layer({"0", "10"});
  EXPECT_EQ(read_whole(path + "/layers.csv"), "layer,cycles\n0,10\n");  // before the run ends
  folder.layer({"1", "12"});
  EXPECT_NE(error_of([&] { folder.layer({"1"}); }), "");
  Manifest end = manifest();
  end.wall_seconds = 1.5;
  folder.finish(end, result());
  EXPECT_EQ(read_whole(path + "/layers.csv"), "layer,cycles\n0,10\n1,12\n");
  EXPECT_EQ(read_whole(path + "/result.json"), to_json(result()));
  const StoredRun run = load_run(path + "/");
  EXPECT_EQ(run.label, "b");
  EXPECT_EQ(run.setting("machine.hbm2.channels"), "2");
  EXPECT_EQ(run.setting("seed"), "7");
  EXPECT_EQ(run.setting("finished"), "true");
  EXPECT_EQ(run.setting("wall_seconds"), "1.5");
  EXPECT_EQ(run.result.find("summary")->statistics()[0].number(), 5);
}

TEST(RunFolder, OneThatExistsNeedsForce) {
  const TempFolder temp;
  const std::string path = temp / "run";
  { RunFolder(path, false, manifest()).finish(manifest(), result()); }
  std::ofstream(path + "/notes.txt") << "mine";
  EXPECT_EQ(error_of([&] { RunFolder(path, false, manifest()); }),
            path + ": output folder: exists: --force replaces the run in it");
  EXPECT_TRUE(fs::exists(path + "/result.json"));
  RunFolder again(path, true, manifest());
  EXPECT_FALSE(fs::exists(path + "/result.json"));
  EXPECT_TRUE(fs::exists(path + "/notes.txt"));
  std::ofstream(temp / "file") << "x";
  EXPECT_NE(error_of([&] { RunFolder(temp / "file", true, manifest()); }).find("is a file"), std::string::npos);
  EXPECT_NE(error_of([&] { RunFolder("/dev/null/run", true, manifest()); }), "");
}

TEST(RunFolder, FullDevice) {
  const std::string line = error_of([] { CsvFile("/dev/full", {"layer"}); });
  EXPECT_EQ(line, "/dev/full: write: No space left on device: the rows before stay readable");
}

// In a child whose files may not grow past 4 KiB: rows go on until the limit, then the run ends with an error.
TEST(RunFolder, FullDiskKeepsTheRowsBefore) {
  const TempFolder temp;
  const std::string path = temp / "run";
  constexpr int kLimit = 4096;
  const std::string cell(99, '7');
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{kLimit, kLimit};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int code = 1;
    try {
      RunFolder folder(path, false, manifest());
      folder.begin_layers({"layer"});
      for (int i = 0; i < 1000; ++i) folder.layer({cell});
      folder.finish(manifest(), result());
    } catch (const Error& e) {
      code =
          std::string(e.what()) == path + "/layers.csv: write: File too large: the rows before stay readable" ? 2 : 3;
    }
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 2);
  const std::string rows = read_whole(path + "/layers.csv");
  EXPECT_EQ(count_lines(rows), 1 + (kLimit - 6) / 100);
  EXPECT_EQ(rows.size() % 100, 6u);  // no half row
  EXPECT_FALSE(fs::exists(path + "/result.json"));
  EXPECT_NE(read_whole(path + "/manifest.json").find("\"finished\": false"), std::string::npos);
  std::printf("%d rows stayed readable\n", count_lines(rows) - 1);
}

TEST(RunFolder, WholeFileOrNone) {
  const TempFolder temp;
  const std::string path = temp / "result.json";
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_whole(path, "old");
    const bool failed = !error_of([&] { write_whole(path, std::string(5000, 'x')); }).empty();
    ::_exit(failed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_whole(path), "old");
  EXPECT_FALSE(fs::exists(path + ".partial"));
  EXPECT_NE(error_of([&] { write_whole(temp / "no/such/file", ""); }), "");
  EXPECT_NE(error_of([&] { read_whole(temp / "nothing"); }), "");
}

// A child writes rows until it is killed.
TEST(RunFolder, KilledRunIsReadableAndNotWhole) {
  int rows = 0;
  for (int round = 0; round < 10; ++round) {
    const TempFolder temp;
    const std::string path = temp / "run";
    const pid_t child = ::fork();
    if (child == 0) {
      RunFolder folder(path, false, manifest());
      folder.begin_layers({"layer", "cycles"});
      while (true) folder.layer({"12345", "67890"});
    }
    const auto size = [&] {
      std::error_code ec;
      const auto bytes = fs::file_size(path + "/layers.csv", ec);
      return ec ? 0 : bytes;
    };
    while (size() < 13u + 12u * 100u * static_cast<unsigned>(round + 1)) ::usleep(100);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string text = read_whole(path + "/layers.csv");
    // The kernel copies a write page by page and stops between two pages for a kill: only there may a row be cut.
    const std::string::size_type whole = text.rfind('\n') + 1;
    EXPECT_EQ((whole - 13) % 12, 0u);
    EXPECT_TRUE(text.substr(0, whole).ends_with("12345,67890\n"));
    const auto page = static_cast<std::size_t>(::getpagesize());
    EXPECT_TRUE(whole == text.size() || text.size() % page == 0) << text.size();
    EXPECT_NE(error_of([&] { load_run(path); }).find("did not finish"), std::string::npos);
    rows += count_lines(text) - 1;
  }
  std::printf("10 kills, %d rows readable\n", rows);
  EXPECT_GE(rows, 5500);
}

}  // namespace
}  // namespace winnow
