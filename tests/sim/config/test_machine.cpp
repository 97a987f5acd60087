// The shipped machines, the rules between their parameters, and what a machine can hold.
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "models/dram/spec.h"
#include "models/topk/ranges.h"
#include "sim/config/machine.h"
#include "sim/config/settings.h"
#include "tests/sim/config/text_file.h"

namespace winnow {
namespace {

using test::error_of;
using test::TextFile;

// A machine as text: equal when every parameter is.
std::string shown(Machine machine) { return show_yaml(machine_schema(machine)); }

TEST(Machines, ShippedOnesLoadAndMatchThePaper) {
  EXPECT_EQ(machine_names(),
            (std::vector<std::string>{"a3", "mnnfast", "spatten", "spatten-eighth", "spatten-fast", "tiny", "winnow"}));
  const Machine full = load_machine("spatten");
  EXPECT_EQ(full.qk.multipliers + full.pv.multipliers, 1024);
  EXPECT_EQ(full.hbm2.channels, 16);
  EXPECT_EQ(full.qk.sram.words() * 12 / 8 * 2, 196608);  // 196 KB, double buffered
  EXPECT_EQ(full.qk.latency(), 11);
  EXPECT_EQ(full.pv.latency(), 3);
  EXPECT_EQ(full.topk.parallelism, 16);
  const Machine eighth = load_machine("spatten-eighth");
  EXPECT_EQ(eighth.qk.multipliers + eighth.pv.multipliers, 128);
  EXPECT_EQ(eighth.hbm2.channels, 2);
  const Machine tiny = load_machine("tiny");
  EXPECT_EQ(tiny.qk.multipliers, 32);
  EXPECT_EQ(tiny.qk.sram.tokens, 256);
  for (const Machine* machine : {&full, &eighth, &tiny}) EXPECT_FALSE(find_violation(*machine)) << machine->name;
}

// What the keys of the memory may say comes from its table, whatever that holds.
TEST(Machines, MemoryKeysAskTheTable) {
  for (const std::string& type : dram::memory_types()) {
    Machine machine;
    machine.hbm2.type = type;
    const Schema schema = machine_schema(machine);
    const dram::Spec& table = dram::memory_spec(type);
    const auto rule = [&](const char* key) { return find_param(schema, type + "." + key)->rule; };
    EXPECT_EQ(rule("mapping").choices, table.mapping_names());
    EXPECT_EQ(rule("energy").choices, table.energy_names());
    EXPECT_EQ(rule("refresh_phase").high, table.evaluate(table.refresh_interval) - 1);
    EXPECT_FALSE(table.mapping_names().empty());
    EXPECT_FALSE(table.energy_names().empty());
  }
  EXPECT_EQ(load_machine("tiny").hbm2.type, "hbm2");
}

TEST(Machines, ShownOnesLoadAgain) {
  for (const std::string& name : machine_names()) {
    Machine machine = load_machine(name);
    EXPECT_EQ(machine.name, name);
    const TextFile file(show_yaml(machine_schema(machine)));
    EXPECT_EQ(shown(load_machine(file.path())), shown(machine));
  }
}

TEST(Machines, EveryKeyIsAssignedAlone) {
  Machine machine = load_machine("spatten");
  const std::string before = shown(machine);
  const Schema schema = machine_schema(machine);
  int changed = 0;
  for (const Param& param : schema) {
    const std::string old = param.value_text();
    std::string other;
    if (!param.rule.choices.empty())
      other = param.rule.choices[param.rule.choices[0] == old ? 1 : 0];
    else if (param.key == "name")
      other = "x";
    else
      other = param.key == "clock_ghz" ? "2.5"
                                       : std::to_string(static_cast<int>(param.rule.high) == std::stoi(old)
                                                            ? static_cast<int>(param.rule.low)
                                                            : static_cast<int>(param.rule.high));
    param.assign("test", other);
    EXPECT_FALSE(shown(machine) == before) << param.key;
    EXPECT_EQ(param.value_text(), other);
    param.assign("test", old);
    EXPECT_TRUE(shown(machine) == before) << param.key;
    ++changed;
  }
  std::printf("changed %d keys\n", changed);
  EXPECT_EQ(changed, static_cast<int>(schema.size()));
}

// The engine's ranges are those of models/topk/ranges.h: the last value is taken, the next power of two is not.
TEST(Machines, RangesOfTheTopkEngine) {
  const struct {
    const char* key;
    unsigned low, high;
  } ranges[] = {{"topk.parallelism", topk::kParallelismMin, topk::kParallelismMax},
                {"topk.fifo", topk::kFifoMin, topk::kFifoMax}};
  Machine machine = load_machine("spatten");
  const Schema schema = machine_schema(machine);
  for (const auto& range : ranges) {
    const Param* const param = find_param(schema, range.key);
    ASSERT_TRUE(param) << range.key;
    for (const unsigned good : {range.low, range.high})
      EXPECT_EQ(error_of([&] { param->assign("test", std::to_string(good)); }), "");
    for (const unsigned bad : {range.low / 2, 2 * range.high})
      EXPECT_EQ(error_of([&] { param->assign("test", std::to_string(bad)); }),
                "test: " + std::string(range.key) + ": '" + std::to_string(bad) + "': must be a power of two " +
                    std::to_string(range.low) + ".." + std::to_string(range.high));
  }
}

TEST(Machines, ContradictionsAreRefused) {
  const std::pair<std::vector<const char*>, const char*> bad[] = {
      {{"fetcher.lanes=8"}, "fetcher.lanes: 8: must be at least hbm2.channels (16)"},
      {{"pv.multipliers=256"}, "pv.multipliers: 256: must equal qk.multipliers (512)"},
      {{"qk.multipliers=32", "pv.multipliers=32"}, "qk.sram.head_dim: 64: must divide qk.multipliers (32)"},
      {{"qk.multipliers=128", "pv.multipliers=128", "pv.sram.head_dim=256"},
       "pv.sram.head_dim: 256: must divide pv.multipliers (128)"},
      {{"qk.sram.tokens=1001"}, "qk.sram.tokens: 1001: must be a multiple of the 8 banks"},
      {{"softmax.width=128"}, "softmax.width: 128: must be at most qk.multipliers / 8 (64)"},
      {{"qk.brick_bits=5"}, "qk.brick_bits: 5: must divide 12: a multiplier is made of whole bricks"},
      {{"pv.brick_bits=8"}, "pv.brick_bits: 8: must divide 12"},
      {{"load_chunk=48"}, "load_chunk: 48: must be a multiple of 32"},
      {{"softmax.first_width=4"},
       "softmax.first_width: 4: must be 0, or a power of two and at least softmax.width (8)"},
      {{"softmax.first_width=24"}, "softmax.first_width: 24: must be 0, or a power of two"},
  };
  for (const auto& [sets, line] : bad) {
    Machine machine = load_machine("spatten");
    Settings settings;
    settings.add("machine", machine_schema(machine));
    for (const char* set : sets) settings.apply(set);
    const std::string got = error_of([&] { require_consistent("--set", machine); });
    EXPECT_TRUE(got.starts_with(std::string("--set: ") + line)) << got;
  }
  // In a file the line of the key is named.
  Machine machine = load_machine("spatten");
  machine.fetcher.lanes = 8;
  const std::string text = show_yaml(machine_schema(machine));
  std::istringstream in(text);
  int line = 0;
  for (std::string row; std::getline(in, row) && row.find("  lanes: 8") == std::string::npos;) ++line;
  const TextFile file(text);
  EXPECT_EQ(
      error_of([&] { load_machine(file.path()); }),
      file.path() + ": line " + std::to_string(line + 1) + ": fetcher.lanes: 8: must be at least hbm2.channels (16)");
  std::printf("refused %zu machines\n", std::size(bad) + 1);
}

TEST(Machines, UnknownNameIsRefused) {
  EXPECT_EQ(error_of([] { load_machine("spaten"); }),
            "--machine: 'spaten': no such machine: must be one of a3, mnnfast, spatten, spatten-eighth, spatten-fast, "
            "tiny, winnow, or a "
            ".yaml file");
}

TEST(Capacity, TheLeastParameterIsNamed) {
  struct Case {
    std::vector<const char*> sets;
    int head_dim, group, tokens;
    const char* key;
  };
  const Case cases[] = {
      {{}, 64, 1, 1024, "qk.sram.tokens"},
      {{"qk.sram.tokens=2048"}, 64, 1, 1024, "pv.sram.tokens"},
      {{}, 128, 1, 512, "qk.sram.tokens"},
      // 128 rows of 512 words: seven vectors of 72, six of 80, five of 96, four of 120, two of 248.
      {{}, 72, 1, 896, "qk.sram.tokens"},
      {{}, 80, 1, 768, "qk.sram.tokens"},
      {{}, 96, 1, 640, "qk.sram.tokens"},
      {{}, 120, 1, 512, "qk.sram.tokens"},
      {{}, 248, 1, 256, "qk.sram.tokens"},
      {{}, 64, 9, 448, "score_store_entries"},
      {{"importance.tokens=512"}, 64, 1, 512, "importance.tokens"},
      {{}, 32, 1, 1024, "topk.fifo"},
      {{"topk.fifo=32"}, 64, 1, 512, "topk.fifo"},
      {{"softmax.row_fifo=64"}, 64, 1, 512, "softmax.row_fifo"},
      {{"topk.parallelism=8"}, 64, 1, 512, "topk.fifo"},
  };
  for (const Case& one : cases) {
    Machine machine = load_machine("spatten");
    Settings settings;
    settings.add("machine", machine_schema(machine));
    for (const char* set : one.sets) settings.apply(set);
    Sentence s{one.head_dim, one.group, one.tokens};
    const TokenLimit limit = token_limits(machine, s).front();
    EXPECT_EQ(limit.tokens, one.tokens);
    EXPECT_EQ(limit.key, one.key);
    EXPECT_EQ(error_of([&] { require_fits("t", machine, s); }), "");
    ++s.tokens;
    const std::string line = error_of([&] { require_fits("t", machine, s); });
    EXPECT_NE(line.find(std::string("raise ") + one.key), std::string::npos) << line;
    // What is said to be enough is, and one step less is not: of every memory that is too small.
    for (const TokenLimit& small : token_limits(machine, s)) {
      if (small.tokens >= s.tokens) continue;
      EXPECT_GT(small.need, small.has);
      Settings more;
      Machine raised = machine;
      more.add("machine", machine_schema(raised));
      more.apply(small.key + "=" + std::to_string(small.raise));
      for (const TokenLimit& now : token_limits(raised, s))
        if (now.key == small.key) {
          EXPECT_GE(now.tokens, s.tokens) << small.key;
        }
    }
  }
  std::printf("compared %zu limits\n", std::size(cases));
  const Machine machine = load_machine("spatten");
  for (const int head_dim : {512, 0, 20})
    EXPECT_EQ(error_of([&] { require_fits("t", machine, {head_dim, 1, 8}); }),
              "t: head_dim: " + std::to_string(head_dim) + ": must be a multiple of 8, at most 256");
  const Machine tiny = load_machine("tiny");
  EXPECT_EQ(error_of([&] { require_fits("t", tiny, {40, 1, 8}); }),
            "t: head_dim: 40: must be at most qk.multipliers of machine tiny (32): an array takes "
            "floor(qk.multipliers / head_dim) vectors a cycle");
  EXPECT_EQ(error_of([&] { require_fits("t", machine, {64, 33, 8}); }), "t: heads / kv_heads: 33: must be at most 32");
  Machine wide = machine;
  wide.qk.multipliers = wide.pv.multipliers = 1024;
  EXPECT_EQ(error_of([&] { require_fits("t", wide, {8, 1, 8}); }),
            "t: head_dim: 8: must be at least qk.multipliers / 64 (16)");
}

}  // namespace
}  // namespace winnow
