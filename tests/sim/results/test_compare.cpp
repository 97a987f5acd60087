// Two and more stored runs beside each other.
#include <gtest/gtest.h>

#include <array>

#include "sim/results/compare.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

StoredRun run(const std::string& label, std::uint64_t cycles, double error, const std::string& channels) {
  StoredRun run;
  run.label = label;
  run.settings = {{"command", "winnow " + label},
                  {"trace", "x/t.safetensors"},
                  {"policy.name", label},
                  {"machine.hbm2.channels", channels}};
  StatTree& summary = run.result.part("summary", "summary");
  summary.cycles("cycles", "cycles", cycles);
  summary.ratio("output_error_mean", "error", error);
  run.result.part("hbm2", "hbm2").bytes("read", "bytes read", 64);
  return run;
}

TEST(Compare, DifferenceNamesWhatChanged) {
  StoredRun a = run("dense", 2000, 0.5, "16"), b = run("select", 500, 0.5, "2");
  b.result.part("topk", "top-k").count("passes", "passes", 3);
  const std::string text = difference(a, b);
  EXPECT_NE(text.find("policy.name            dense  select\n"), std::string::npos) << text;
  EXPECT_NE(text.find("machine.hbm2.channels     16       2\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("command"), std::string::npos) << text;
  EXPECT_NE(text.find("summary.cycles  2,000 cycles  500 cycles  -1,500 cycles  -75.00 %\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("summary.error"), std::string::npos) << text;
  EXPECT_NE(text.find("top-k.passes"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("4 statistics compared, 2 differ\n")) << text;
}

TEST(Compare, EqualRunsDifferInNothing) {
  EXPECT_EQ(difference(run("a", 1, 0.5, "2"), run("a", 1, 0.5, "2")),
            "settings: all equal\n\n3 statistics compared, 0 differ\n");
}

TEST(Compare, SideBySide) {
  std::vector<StoredRun> runs{run("dense", 2000, 0.5, "16"), run("select", 500, 0.25, "16")};
  runs[1].result.part("summary", "summary").bytes("dram_kv_bursts", "K+V", 12345678);
  EXPECT_EQ(side_by_side(runs, false),
            "                                        dense         select\n"
            "------------------------------------------------------------\n"
            "trace                           t.safetensors  t.safetensors\n"
            "machine\n"
            "policy                                  dense         select\n"
            "K and V read from memory                    -       12.35 MB\n"
            "  of it used                                -              -\n"
            "clock cycles                            2,000            500\n"
            "  waiting for memory                        -              -\n"
            "  multiplying Q x K                         -              -\n"
            "  waiting for softmax                       -              -\n"
            "  waiting for top-k choices                 -              -\n"
            "  draining: P x V, layer's end              -              -\n"
            "output error                           50.0 %         25.0 %\n"
            "tokens kept                                 -              -\n"
            "heads kept                                  -              -\n"
            "bits a number of K and V                    -              -\n");
  EXPECT_NE(side_by_side(runs, true).find("hbm2.bytes read"), std::string::npos);
  EXPECT_EQ(side_by_side(runs, false).find("hbm2"), std::string::npos);
}

// Any number of runs, names and figures as long as they get: blocks of four, at most 100 columns.
TEST(Compare, FourRunsAreAtMost100Columns) {
  for (std::size_t n = 1; n <= 9; ++n) {
    std::vector<StoredRun> runs;
    for (std::size_t i = 0; i < n; ++i) {
      StoredRun& one = runs.emplace_back(
          run("a-run-with-a-very-long-name-number-" + std::to_string(i), 9'999'999'999'999, 123.456, "16"));
      one.settings = {{"trace", "results/" + std::string(60, 't')},
                      {"machine.name", std::string(40, 'm')},
                      {"policy.name", std::string(50, 'p')}};
      StatTree& summary = one.result.part("summary", "summary");
      summary.bytes("dram_kv_bursts", "b", 18446744073709551615u), summary.bytes("dram_kv_useful", "u", 999999);
      for (const char* kind : {"memory", "qk", "softmax", "topk", "drain", "other"})
        summary.cycles(std::string("time_") + kind, kind, 18446744073709551615u / 8);
    }
    const std::string text = side_by_side(runs, false) + findings(runs);
    std::size_t cycles_rows = 0;
    for (const std::string& line : lines_of(text)) {
      EXPECT_LE(line.size(), 100u) << line;
      cycles_rows += line.starts_with("clock cycles");
    }
    EXPECT_EQ(cycles_rows, (n + 3) / 4);
  }
}

TEST(Compare, FindingsCompareWithADenseRunOfTheSame) {
  const auto with = [](StoredRun r, std::uint64_t bytes, std::array<std::uint64_t, 5> spent, const char* sha) {
    r.settings.emplace_back("trace_sha256", sha);
    StatTree& summary = r.result.part("summary", "summary");
    summary.bytes("dram_kv_bursts", "b", bytes), summary.bytes("dram_kv_dense", "d", 3100);
    const char* kinds[] = {"memory", "qk", "softmax", "topk", "drain"};
    for (std::size_t i = 0; i < 5; ++i) summary.cycles(std::string("time_") + kinds[i], kinds[i], spent[i]);
    return r;
  };
  const std::vector<StoredRun> runs = {with(run("dense", 1000, 0.005, "16"), 3100, {600, 300, 50, 0, 50}, "1"),
                                       with(run("select", 1700, 0.046, "16"), 1000, {200, 250, 900, 300, 50}, "1"),
                                       with(run("elsewhere", 900, 0.5, "16"), 3100, {900, 0, 0, 0, 0}, "2")};
  const std::string text = findings(runs);
  EXPECT_EQ(text,
            "dense: reads all of K and V at 12 bits; its output error is 0.50 %; bound by memory: in 60.0 % of\n"
            "  the cycles the Q x K multipliers wait for it; next Q x K.\n"
            "select: reads 3.1 times fewer bytes of K and V than dense and takes 1.7 times more cycles, because\n"
            "  it waits 850 cycles longer for softmax; its output error is 4.6 % (dense: 0.50 %).\n"
            "elsewhere: reads all of K and V at 12 bits; its output error is 50.0 %; bound by memory: in 100.0 %\n"
            "  of the cycles the Q x K multipliers wait for it.\n");
}

}  // namespace
}  // namespace winnow
