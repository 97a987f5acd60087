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
  StatTree& summary = tree.part("summary", "summary");
  summary.cycles("cycles", "cycles", 18446744073709551615u);
  summary.seconds("time", "time at the clock", 0.001234);
  summary.ratio("output_error", "output error, mean", 1.0 / 3);
  StatTree& memory = tree.part("hbm2", "HBM2");
  memory.bytes("read", "bytes read", 1234567);
  memory.bytes_per_second("achieved", "achieved", 4.5e11);
  memory.joules("energy", "energy", 1e-5);
  memory.part("channel0", "channel 0").count("row_hits", "row hits", 12);
  tree.part("cost", "cost").square_micrometres("area", "area", 1.5e6);
  return tree;
}

TEST(Statistics, JsonReadsBackExactly) {
  const std::string json = to_json(sample());
  EXPECT_EQ(to_json(from_json("r", json)), json);
  EXPECT_NE(json.find("\"cycles\": {\n      \"value\": 18446744073709551615,\n      \"unit\": \"cycles\",\n"
                      "      \"label\": \"cycles\"\n    }"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\"value\": 0.3333333333333333,"), std::string::npos) << json;
  EXPECT_TRUE(json.starts_with("{\n  \"format\": \"winnow-result-2\",\n")) << json;
  const StatTree again = from_json("r", json);
  EXPECT_EQ(again.find("summary")->statistics()[2].number(), 1.0 / 3);
  EXPECT_EQ(again.find("summary")->statistic("time")->label, "time at the clock");
  EXPECT_EQ(again.find("hbm2")->label(), "HBM2");
  EXPECT_EQ(again.find("hbm2")->find("channel0")->statistics()[0].number(), 12);
  EXPECT_EQ(again.find("nothing"), nullptr);
}

TEST(Statistics, ShownValues) {
  const std::pair<Statistic, const char*> cases[] = {
      {{"", "", Unit::count, std::uint64_t{0}}, "0"},
      {{"", "", Unit::count, std::uint64_t{999}}, "999"},
      {{"", "", Unit::cycles, std::uint64_t{1000}}, "1,000 cycles"},
      {{"", "", Unit::bytes, std::uint64_t{1234567}}, "1,234,567 B"},
      {{"", "", Unit::bytes_per_second, 4.5e11}, "450 GB/s"},
      {{"", "", Unit::ratio, 0.123456}, "0.1235"},
      {{"", "", Unit::seconds, 0.0012}, "0.0012 s"},
  };
  for (const auto& [statistic, text] : cases) EXPECT_EQ(show(statistic), text);
  EXPECT_EQ(to_table(sample()).substr(0, 7), "result\n");
  const std::pair<Statistic, const char*> brief[] = {
      {{"", "", Unit::bytes, std::uint64_t{82428256}}, "82.43 MB"},
      {{"", "", Unit::bytes, std::uint64_t{999}}, "999 B"},
      {{"", "", Unit::bytes, std::uint64_t{999999}}, "1 MB"},
      {{"", "", Unit::bytes, std::uint64_t{0}}, "0 B"},
      {{"", "", Unit::seconds, 8e-6}, "8 us"},
      {{"", "", Unit::seconds, 0.0}, "0 s"},
      {{"", "", Unit::joules, 0.0024}, "2.4 mJ"},
      {{"", "", Unit::bytes_per_second, 4.42e11}, "442 GB/s"},
      {{"", "", Unit::cycles, std::uint64_t{1234567}}, "1,234,567 cycles"},
  };
  for (const auto& [statistic, text] : brief) EXPECT_EQ(show_short(statistic), text);
}

TEST(Statistics, AlignPadsColumns) {
  EXPECT_EQ(align({{"a", "bb"}, {"ccc", "d"}, {"e", ""}}), "a    bb\n-------\nccc   d\ne\n");
}

TEST(Statistics, WordsAreWrapped) {
  EXPECT_EQ(wrapped("one two three four", 9), "one two\n  three\n  four\n");
  EXPECT_EQ(wrapped("short", 80), "short\n");
  EXPECT_EQ(snake_case("fused, cuDNN graph fp16 batch 1 cold"), "fused_cudnn_graph_fp16_batch_1_cold");
}

TEST(Statistics, MistakesAreRefused) {
  StatTree tree("block");
  tree.count("x", "x", 1);
  tree.part("p", "P");
  EXPECT_NE(error_of([&] { tree.bytes("x", "another x", 1); }), "");
  EXPECT_NE(error_of([&] { tree.ratio("y", "y", std::nan("")); }), "");
  EXPECT_NE(error_of([&] { tree.ratio("y", "y", std::numeric_limits<double>::infinity()); }), "");
  EXPECT_NE(error_of([&] { tree.part("p", "Q"); }), "");
  EXPECT_NE(error_of([&] { tree.part("x", "x"); }), "");
  EXPECT_NE(error_of([&] { tree.count("p", "p", 1); }), "");
  for (const char* key : {"", "Upper", "two words", "2nd", "_x", "dash-ed", "label", "unit", "value", "format"}) {
    EXPECT_NE(error_of([&] { tree.count(key, "k", 1); }), "") << key;
    EXPECT_NE(error_of([&] { tree.part(key, "k"); }), "") << key;
  }
  const std::string head = "{\"format\": \"winnow-result-2\"";
  EXPECT_EQ(error_of([&] { from_json("r", head + "}"); }), "");
  for (const char* bad : {"\"a\": 1", "\"a\": {\"unit\": \"bytes\"}", "\"a\": {\"label\": \"a\", \"unit\": \"bytes\"}",
                          "\"a\": {\"label\": \"a\", \"unit\": \"mile\", \"value\": 1}", "\"a\": {\"label\": 3}",
                          "\"a\": {\"label\": \"a\", \"unit\": \"bytes\", \"value\": \"1\"}"})
    EXPECT_NE(error_of([&] { from_json("r", head + ", " + bad + "}"); }), "") << bad;
  for (const char* bad : {"", "[1]", "3", "{"}) EXPECT_NE(error_of([&] { from_json("r", bad); }), "") << bad;
}

// One line: the file, which version it has, and that it cannot be read.
TEST(Statistics, AnotherVersionIsRefused) {
  for (const auto& [text, words] : {std::pair{"{\"summary\": {\"cycles\": {\"value\": 1, \"unit\": \"cycles\"}}}",
                                              "format: '': a result of version 1"},
                                    {"{\"format\": \"winnow-result-3\"}", "format: 'winnow-result-3': another version"},
                                    {"{\"format\": 2}", "format: '2': another version"}}) {
    const std::string line = error_of([&] { from_json("runs/a/result.json", text); });
    EXPECT_TRUE(line.starts_with("runs/a/result.json: ")) << line;
    EXPECT_NE(line.find(words), std::string::npos) << line;
    EXPECT_NE(line.find("reads winnow-result-2 alone"), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(Progress, ShowsRateAndTimeLeft) {
  const Progress progress("spatten", 200, "kcycles");
  EXPECT_EQ(progress.line(50, 3000, 30), "spatten [######..................]  25 %  100 kcycles/s  1:30 left");
  EXPECT_EQ(progress.line(200, 4000, 40), "spatten [########################] 100 %  100 kcycles/s");
  EXPECT_EQ(progress.line(0, 0, 0), "spatten [........................]   0 %");
}

}  // namespace
}  // namespace winnow
