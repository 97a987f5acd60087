// The tree, and its two printed forms: a table for people, JSON that reads back to the same tree.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "sim/results/progress.h"
#include "sim/results/statistics.h"
#include "sim/results/writers.h"
#include "tests/support/temporary.h"

namespace winnow {
namespace {

using test::error_of;

StatTree sample() {
  StatTree tree("result");
  StatTree& summary = tree.child("summary");
  summary.cycles("cycles", 18446744073709551615u);
  summary.seconds("time", 0.001234);
  summary.ratio("output_error", 1.0 / 3);
  StatTree& memory = tree.child("hbm2");
  memory.bytes("read", 1234567);
  memory.bytes_per_second("achieved", 4.5e11);
  memory.joules("energy", 1e-5);
  memory.child("channel0").count("row_hits", 12);
  tree.child("cost").square_micrometres("area", 1.5e6);
  return tree;
}

TEST(Statistics, JsonReadsBackExactly) {
  const std::string json = to_json(sample());
  EXPECT_EQ(to_json(from_json("r", json)), json);
  EXPECT_NE(json.find("\"cycles\": {\n      \"value\": 18446744073709551615,\n      \"unit\": \"cycles\""),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\"value\": 0.3333333333333333,"), std::string::npos) << json;
  const StatTree again = from_json("r", json);
  EXPECT_EQ(again.find("summary")->statistics()[2].number(), 1.0 / 3);
  EXPECT_EQ(again.find("hbm2")->find("channel0")->statistics()[0].number(), 12);
  EXPECT_EQ(again.find("nothing"), nullptr);
}

TEST(Statistics, ShownValues) {
  const std::pair<Statistic, const char*> cases[] = {
      {{"", Unit::count, std::uint64_t{0}}, "0"},
      {{"", Unit::count, std::uint64_t{999}}, "999"},
      {{"", Unit::cycles, std::uint64_t{1000}}, "1,000 cycles"},
      {{"", Unit::bytes, std::uint64_t{1234567}}, "1,234,567 B"},
      {{"", Unit::bytes_per_second, 4.5e11}, "450 GB/s"},
      {{"", Unit::ratio, 0.123456}, "0.1235"},
      {{"", Unit::seconds, 0.0012}, "0.0012 s"},
  };
  for (const auto& [statistic, text] : cases) EXPECT_EQ(show(statistic), text);
  EXPECT_EQ(to_table(sample()).substr(0, 7), "result\n");
}

TEST(Statistics, AlignPadsColumns) {
  EXPECT_EQ(align({{"a", "bb"}, {"ccc", "d"}, {"e", ""}}), "a    bb\n-------\nccc   d\ne\n");
}

TEST(Statistics, MistakesAreRefused) {
  StatTree tree("block");
  tree.count("x", 1);
  EXPECT_NE(error_of([&] { tree.bytes("x", 1); }), "");
  EXPECT_NE(error_of([&] { tree.ratio("y", std::nan("")); }), "");
  EXPECT_NE(error_of([&] { tree.ratio("y", std::numeric_limits<double>::infinity()); }), "");
  for (const char* bad :
       {"", "[1]", "{\"a\": 1}", "{\"a\": {\"unit\": \"bytes\"}}", "{\"a\": {\"unit\": \"mile\", \"value\": 1}}",
        "{\"a\": {\"unit\": \"bytes\", \"value\": \"1\"}}"})
    EXPECT_NE(error_of([&] { from_json("r", bad); }), "") << bad;
}

TEST(Progress, ShowsRateAndTimeLeft) {
  const Progress progress("spatten", 200, "kcycles");
  EXPECT_EQ(progress.line(50, 3000, 30), "spatten [######..................]  25 %  100 kcycles/s  1:30 left");
  EXPECT_EQ(progress.line(200, 4000, 40), "spatten [########################] 100 %  100 kcycles/s");
  EXPECT_EQ(progress.line(0, 0, 0), "spatten [........................]   0 %");
}

}  // namespace
}  // namespace winnow
