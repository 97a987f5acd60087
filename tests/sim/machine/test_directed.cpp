// Cases of directed.yaml: what once went wrong, and corners that random cases reach seldom.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>

#include "tests/sim/machine/harness.h"

namespace winnow::test {
namespace {

IndexRange range_of(const YAML::Node& node) {
  IndexRange r;
  if (!node) return r;
  EXPECT_EQ(std::sscanf(node.as<std::string>().c_str(), "%d-%d", &r.first, &r.last), 2) << node;
  return r;
}

// A value as the command line has it: a list without its brackets.
std::string text_of(const YAML::Node& node) {
  if (!node.IsSequence()) return node.as<std::string>();
  std::string text;
  for (const YAML::Node& one : node) text += (text.empty() ? "" : ",") + one.as<std::string>();
  return text;
}

RunOptions parse(const YAML::Node& one) {
  RunOptions o;
  for (const auto& entry : one) {
    const std::string key = entry.first.as<std::string>();
    const YAML::Node& value = entry.second;
    if (key == "trace")
      o.trace = value.as<std::string>();
    else if (key == "machine")
      o.machine = value.as<std::string>();
    else if (key == "policy")
      o.policy = value.as<std::string>();
    else if (key == "seed")
      o.seed = value.as<std::uint64_t>();
    else if (key == "layers")
      o.layers = range_of(value);
    else if (key == "steps")
      o.steps = range_of(value);
    else if (key == "set")
      for (const auto& set : value) o.set.push_back(set.first.as<std::string>() + "=" + text_of(set.second));
    else if (key != "about")
      ADD_FAILURE() << "directed.yaml: " << key << ": no such key";
  }
  return o;
}

TEST(Directed, EqualToGolden) {
  std::uint64_t cases = 0, compared = 0;
  for (const YAML::Node& one : YAML::LoadFile(WINNOW_SOURCE_DIR "/tests/sim/machine/directed.yaml")) {
    const auto about = one["about"].as<std::string>();
    const RunOptions options = parse(one);
    const Bench bench(options);
    for (Drive drive : {Drive::construction, Drive::shuffled}) {
      const Outcome out = bench.run({drive, true, {}, {}});
      EXPECT_EQ(out.broken, "") << about << "\n" << command_of(options);
      EXPECT_EQ(out.compared.different(), 0u) << about << "\n"
                                              << out.compared.first_difference() << "\n"
                                              << command_of(options);
      EXPECT_GT(out.compared.compared(CompareKind::outputs), 0u) << about;
      compared += out.compared.compared();
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
