// Two and more stored runs beside each other.
#include <gtest/gtest.h>

#include "sim/results/compare.h"

namespace winnow {
namespace {

StoredRun run(const std::string& label, std::uint64_t cycles, double error, const std::string& channels) {
  StoredRun run;
  run.label = label;
  run.settings = {{"command", "winnow " + label},
                  {"trace", "x/t.safetensors"},
                  {"policy.name", label},
                  {"machine.hbm2.channels", channels}};
  StatTree& summary = run.result.child("summary");
  summary.cycles("cycles", cycles);
  summary.ratio("error", error);
  run.result.child("hbm2").bytes("read", 64);
  return run;
}

TEST(Compare, DifferenceNamesWhatChanged) {
  StoredRun a = run("dense", 2000, 0.5, "16"), b = run("select", 500, 0.5, "2");
  b.result.child("topk").count("passes", 3);
  const std::string text = difference(a, b);
  EXPECT_NE(text.find("policy.name            dense  select\n"), std::string::npos) << text;
  EXPECT_NE(text.find("machine.hbm2.channels     16       2\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("command"), std::string::npos) << text;
  EXPECT_NE(text.find("summary.cycles  2,000 cycles  500 cycles  -1,500 cycles  -75.00 %\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("summary.error"), std::string::npos) << text;
  EXPECT_NE(text.find("topk.passes"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("4 statistics compared, 2 differ\n")) << text;
}

TEST(Compare, EqualRunsDifferInNothing) {
  EXPECT_EQ(difference(run("a", 1, 0.5, "2"), run("a", 1, 0.5, "2")),
            "settings: all equal\n\n3 statistics compared, 0 differ\n");
}

TEST(Compare, SideBySide) {
  std::vector<StoredRun> runs{run("dense", 2000, 0.5, "16"), run("select", 500, 0.25, "16")};
  runs[1].result.child("summary").ratio("refetch", 0.125);
  EXPECT_EQ(side_by_side(runs, false),
            "                     dense         select\n"
            "-----------------------------------------\n"
            "trace        t.safetensors  t.safetensors\n"
            "policy.name          dense         select\n"
            "cycles        2,000 cycles     500 cycles\n"
            "error                  0.5           0.25\n"
            "refetch                  -          0.125\n");
  EXPECT_NE(side_by_side(runs, true).find("hbm2.read"), std::string::npos);
  EXPECT_EQ(side_by_side(runs, false).find("hbm2.read"), std::string::npos);
}

}  // namespace
}  // namespace winnow
