// `winnow cost` and the energy of `winnow run`: that a reader can follow every joule from events and figures.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "sim/results/run_folder.h"
#include "tests/support/temporary.h"

namespace winnow {
namespace {

using nlohmann::json;
using test::TempFolder;

struct Outcome {
  int code = -1;
  std::string out, err;
};

Outcome winnow_of(const std::string& arguments) {
  const TempFolder temp;
  const std::string command =
      std::string(WINNOW_PROGRAM) + " >" + (temp / "out") + " 2>" + (temp / "err") + " " + arguments;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_whole(temp / "out"), read_whole(temp / "err")};
}

json cost_of(const std::string& arguments) {
  const Outcome o = winnow_of("cost --json " + arguments);
  EXPECT_EQ(o.code, 0) << o.err;
  return o.code == 0 ? json::parse(o.out) : json::object();
}

TEST(CostCommand, BlocksAreTheSumOfComponentsAndEachHasASource) {
  int components = 0;
  for (const char* machine : {"a3", "mnnfast", "spatten", "spatten-eighth", "spatten-fast", "tiny", "winnow"}) {
    const json all = cost_of(std::string("--machine ") + machine);
    std::map<std::string, double> area;
    double sum = 0;
    for (const json& c : all.at("components")) {
      EXPECT_FALSE(c.at("source").get<std::string>().empty()) << machine << ' ' << c.at("name");
      EXPECT_GT(c.at("area_um2").get<double>(), 0) << machine << ' ' << c.at("name");
      area[c.at("block")] += c.at("area_um2").get<double>() * 1e-6;
      ++components;
    }
    for (const auto& [block, figures] : all.at("blocks").items()) {
      EXPECT_NEAR(figures.at("area_mm2").get<double>(), area.at(block), 1e-9) << machine << ' ' << block;
      EXPECT_GE(figures.at("peak_w").get<double>(), figures.at("leakage_w").get<double>());
      sum += figures.at("area_mm2").get<double>();
    }
    EXPECT_NEAR(all.at("area_mm2").get<double>(), sum, 1e-9);
  }
  std::printf("cost: %d components of 7 machines\n", components);
  EXPECT_GT(components, 300);
}

TEST(CostCommand, AnotherNodeIsAnotherTable) {
  const double paper = cost_of("--machine tiny").at("area_mm2"),
               older = cost_of("--machine tiny --technology nangate45").at("area_mm2");
  EXPECT_LT(paper, older);
}

TEST(CostCommand, BadInputIsOneLineAndCode2) {
  const TempFolder temp;
  std::ofstream(temp / "mine.yaml")
      << "name: mine\nsources: {a: b}\nbase: paper40\nunits:\n  dot: {area: {um2: -3, source: a}}\n";
  for (const auto& [arguments, expected] :
       {std::pair<std::string, std::string>{"cost --technology nobody", "--technology: nobody: no such technology"},
        {"cost --machine nobody", "nobody"},
        {"cost --set topk.parallelism=3", "topk.parallelism"},
        {"cost --technology " + (temp / "mine.yaml"), "line 5: units.dot.area.um2: -3: must be a number, 0 or above"},
        {"cost --set qk.sram.tokens=1000 --set pv.sram.tokens=1000", "scripts/cost/sram --cacti PATH"},
        {"run synthetic:layers=1,heads=2,tokens=16,head_dim=32 --engine golden --sources",
         "must go with --engine systemc"}}) {
    const Outcome o = winnow_of(arguments);
    EXPECT_EQ(o.code, 2) << arguments;
    EXPECT_NE(o.err.find(expected), std::string::npos) << arguments << "\n  " << o.err;
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
  }
}

// Every joule of a run, from what result.json says happened and what `winnow cost` says that it takes.
TEST(CostCommand, ARunsEnergyFollowsFromItsEvents) {
  const TempFolder temp;
  const std::string sample = WINNOW_SOURCE_DIR "/traces/samples/minilm-128.safetensors";
  const Outcome run = winnow_of("run " + sample + " --machine tiny --policy spatten --layers 0-1 -o " + (temp / "run") +
                                " --accelergy " + (temp / "counts.yaml"));
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("memory (off chip)"), std::string::npos);
  const json result = json::parse(read_whole(temp / "run/result.json")), cost = result.at("cost");
  const auto value = [](const json& part, const char* key) { return part.at(key).at("value").get<double>(); };
  std::map<std::string, double> count;
  for (const auto& [key, one] : cost.at("events").items())
    if (key != "label") count[one.at("label")] = one.at("value").get<double>();

  std::map<std::string, double> dynamic, leakage;
  const double seconds = value(result.at("summary"), "time_at_the_clock");
  const json priced = cost_of("--machine tiny");  // outlives the loop
  for (const json& c : priced.at("components")) {
    leakage[c.at("block")] += c.at("leakage_w").get<double>() * seconds;
    for (const json& a : c.at("actions"))
      dynamic[c.at("block")] += count.at(a.at("event")) * a.at("pj").get<double>() * 1e-12;
  }
  double sum = 0;
  for (const auto& [block, joules] : dynamic) {
    const json& part = cost.at("block_" + block);
    EXPECT_NEAR(value(part, "dynamic") / joules, 1, 1e-9) << block;
    EXPECT_NEAR(value(part, "leakage") / leakage[block], 1, 1e-9) << block;
    sum += joules + leakage[block];
  }
  const double memory = value(cost.at("memory"), "energy");
  EXPECT_NEAR(memory / value(result.at("hbm2"), "energy"), 1, 1e-9);
  EXPECT_NEAR(value(cost, "energy") / (sum + memory), 1, 1e-9);
  EXPECT_NEAR(value(cost, "power") / (value(cost, "energy") / seconds), 1, 1e-9);
  EXPECT_LT(value(cost.at("chip"), "power"), value(cost, "peak_power"));
  EXPECT_GT(dynamic.at("qk"), 0);
  std::printf("energy: %zu blocks from %zu events\n", dynamic.size(), count.size());

  const std::string counts = read_whole(temp / "counts.yaml");
  EXPECT_EQ(counts.rfind("action_counts:\n  version: 0.4\n  local:\n", 0), 0u);
  EXPECT_NE(counts.find("  - name: tiny.qk.whole_dot\n    action_counts:\n    - name: multiply\n      counts: " +
                        std::to_string(static_cast<std::uint64_t>(count.at("qk.multiplications")))),
            std::string::npos);
}

// A machine whose arrays nobody measured still runs; it says why there is no energy.
TEST(CostCommand, ARunWithoutATableSaysSo) {
  const TempFolder temp;
  const std::string sample = WINNOW_SOURCE_DIR "/traces/samples/minilm-128.safetensors";
  const std::string run =
      "run " + sample + " --machine tiny --policy dense --layers 0-0 --set fetcher.data_fifo=96 -o " + (temp / "run");
  const Outcome quiet = winnow_of(run);
  ASSERT_EQ(quiet.code, 0) << quiet.err;
  EXPECT_NE(quiet.out.find("no energy: "), std::string::npos);
  EXPECT_FALSE(json::parse(read_whole(temp / "run/result.json")).contains("cost"));
  const Outcome asked = winnow_of(run + " --force --technology paper40");
  EXPECT_EQ(asked.code, 2);
  EXPECT_NE(asked.err.find("scripts/cost/sram"), std::string::npos);
}

}  // namespace
}  // namespace winnow
