// Command lines of directed.txt: what once went wrong, and corners that random cases reach seldom.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

IndexRange range_of(const std::string& text) {
  IndexRange r;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%d", &r.first, &r.last), 2) << text;
  return r;
}

RunOptions parse(const std::string& line) {
  RunOptions o;
  std::istringstream in(line);
  std::string word, value;
  in >> word >> word >> o.trace;
  while (in >> word >> value) {
    if (word == "--machine")
      o.machine = value;
    else if (word == "--policy")
      o.policy = value;
    else if (word == "--seed")
      o.seed = std::stoull(value);
    else if (word == "--layers")
      o.layers = range_of(value);
    else if (word == "--steps")
      o.steps = range_of(value);
    else if (word == "--set")
      o.set.push_back(value);
    else
      ADD_FAILURE() << "unknown option " << word;
  }
  return o;
}

TEST(Directed, EqualToGolden) {
  std::ifstream file(WINNOW_SOURCE_DIR "/tests/sim/machine/directed.txt");
  ASSERT_TRUE(file);
  std::string line, about;
  std::uint64_t cases = 0, compared = 0;
  while (std::getline(file, line)) {
    if (line.empty()) continue;
    if (line[0] == '#') {
      about = line;
      continue;
    }
    const Bench bench(parse(line));
    for (Drive drive : {Drive::construction, Drive::shuffled}) {
      const Outcome out = bench.run({drive, true, {}, {}});
      EXPECT_EQ(out.broken, "") << about << "\n" << line;
      EXPECT_EQ(out.compared.differences, 0u) << about << "\n" << out.compared.first << "\n" << line;
      EXPECT_GT(out.compared.outputs, 0u) << about;
      compared += out.compared.total();
    }
    ++cases;
  }
  EXPECT_GE(cases, 20u);
  fmt::print("{} cases, each in two orders of blocks: {} values equal\n", cases, compared);
}

// Keys of zeros in the memory: every score of a row is the same. All rows of a head come out alike, and ties go by
// index.
TEST(Directed, EqualScores) {
  std::uint64_t compared = 0;
  const auto without_keys = [](const Bench& bench) {
    std::vector<std::uint8_t> image = bench.image();
    const Prepared& p = bench.prepared();
    for (int layer = 0; layer < p.shape.layers; ++layer)
      for (int kv = 0; kv < p.shape.kv_heads; ++kv) {
        const golden::Region& r = p.layout->key(layer, kv, 0);
        std::fill_n(image.begin() + static_cast<std::ptrdiff_t>(r.base), r.stride * r.items, std::uint8_t{0});
      }
    return image;
  };
  RunOptions o;
  o.machine = "tiny", o.policy = "dense";
  o.trace = "synthetic:layers=1,heads=2,kv_heads=2,head_dim=32,tokens=45,prompt=45,causal=0,seed=3";
  {
    const Bench bench(o);
    const Outcome out = bench.run({Drive::construction, false, without_keys(bench), {}});
    ASSERT_EQ(out.broken, "");
    const golden::Region& r = out.layers.at(0).out;
    for (std::uint64_t row = 2; row < 90; ++row)
      for (std::uint32_t i = 0; i < r.item_bytes; ++i, ++compared)
        ASSERT_EQ(out.image[r.at(row) + i], out.image[r.at(row % 2) + i]) << "row " << row << " byte " << i;
  }
  o.trace = "synthetic:layers=2,heads=4,kv_heads=2,head_dim=32,tokens=45,prompt=41,causal=1,seed=3";
  for (const auto& [policy, set] : {std::pair{"select", std::vector<std::string>{"select=count", "select_keep=0.5"}},
                                    {"dense", {"local_value=0.5"}}}) {
    o.policy = policy, o.set = set;
    const Bench bench(o);
    const Outcome out = bench.run({Drive::construction, false, without_keys(bench), {}});
    ASSERT_EQ(out.broken, "");
    for (const LayerEnd& layer : out.layers)
      for (const GroupRecord& g : layer.records) {
        ASSERT_EQ(g.values.size(),
                  layer.step == 0
                      ? 0u
                      : (41u + static_cast<std::size_t>(layer.step) + (o.policy == std::string("select"))) / 2);
        for (std::size_t i = 0; i < g.values.size(); ++i, ++compared) ASSERT_EQ(g.values[i], i);
      }
  }
  fmt::print("{} values equal\n", compared);
}

TEST(Directed, MoreHeadsThanTheEngineHoldsAreRefused) {
  RunOptions o;
  o.trace = "synthetic:layers=2,heads=12,kv_heads=12,head_dim=8,tokens=8,prompt=8,seed=1", o.machine = "tiny",
  o.policy = "spatten";
  o.set = {"topk.parallelism=2", "topk.fifo=4"};
  const Bench bench(o);
  try {
    bench.run();
    FAIL() << "12 heads among 8 places";
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(),
                 "heads: 12: machine tiny chooses among at most 8 (topk.parallelism * topk.fifo): raise topk.fifo");
  }
}

}  // namespace
}  // namespace winnow::test
