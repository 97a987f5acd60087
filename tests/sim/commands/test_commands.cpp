// The built command line itself: what it prints, its exit codes, one line for every bad input.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/results/run_folder.h"
#include "sim/results/stored_run.h"
#include "sim/results/writers.h"
#include "tests/support/temporary.h"

namespace winnow {
namespace {

using test::TempFolder;

struct Outcome {
  int code = -1;
  std::string out, err;
};

// `arguments` as a shell reads them.
Outcome winnow_of(const std::string& arguments) {
  const TempFolder temp;
  // Redirections first, so that the arguments may hold their own.
  const std::string command =
      std::string(WINNOW_PROGRAM) + " >" + (temp / "out") + " 2>" + (temp / "err") + " " + arguments;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_whole(temp / "out"), read_whole(temp / "err")};
}

const std::string kSamples = WINNOW_SOURCE_DIR "/traces/samples/";

TEST(Commands, EveryHelpHasAnExample) {
  const Outcome top = winnow_of("--help");
  EXPECT_EQ(top.code, 0);
  int commands = 0;
  std::istringstream lines(top.out.substr(top.out.find("Subcommands:")));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ") || line[2] == ' ') continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    const Outcome help = winnow_of(name + " --help");
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_NE(help.out.find("xample"), std::string::npos) << name;
    EXPECT_NE(help.out.find("winnow " + name), std::string::npos) << name;
    ++commands;
  }
  std::printf("%d commands\n", commands);
  EXPECT_GE(commands, 6);
}

TEST(Commands, BadInputIsOneLineAndCode2) {
  const TempFolder temp;
  std::ofstream(temp / "short.safetensors") << "abc";
  std::ofstream(temp / "machine.yaml") << "name: x\nclock_ghz: 0\n";
  std::ofstream(temp / "empty.csv");
  const std::pair<std::string, const char*> bad[] = {
      {"", "no command"},
      {"inof", "did you mean info?"},
      {"info", "TRACE is required"},
      {"info --frob x", "--frob"},
      {"info /no/such.safetensors", "No such file"},
      {"info " + (temp / "short.safetensors"), "header length"},
      {"info " + (temp / "empty.csv"), "line 1: empty file"},
      {"info synthetic:layer=1", "no such key"},
      {"machines --show nothing", "must be one of a3"},
      {"machines --show " + (temp / "machine.yaml"), "line 2: clock_ghz: '0': must be a number 0.01..10"},
      {"policies --show nothing", "nothing"},
      {"diff " + (temp / "a") + " " + (temp / "b"), "no such folder"},
      {"table " + (temp / "a"), "no such folder"},
      {"run " + kSamples + "smollm2-160.safetensors --policy dense --set first_q_bits=8 --engine golden -o " +
           (temp / "never"),
       "first_q_bits: 8: must be 12 where select is none"},
      {"run " + kSamples + "smollm2-160.safetensors --policy winnow --set k_digits=5,3 -o " + (temp / "never"),
       "policy: first_q_bits: 8: must be 12 unless K has two digits"},
      {"info " + kSamples + "minilm-128.safetensors >/dev/full", "standard output"},
  };
  for (const auto& [arguments, words] : bad) {
    const Outcome outcome = winnow_of(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_TRUE(outcome.err.starts_with("winnow: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << words << " not in: " << outcome.err;
  }
  std::printf("%zu bad calls\n", std::size(bad));
}

// Every link and memory of the inventory has its line, K and V their paper's size, and the sums are sums.
TEST(Commands, StorageCountsEveryBit) {
  const auto parts = nlohmann::json::parse(winnow_of("machines --parts spatten --json").out);
  const auto storage = nlohmann::json::parse(winnow_of("machines --show spatten --storage --json").out);
  std::map<std::string, std::uint64_t> by_block;
  std::set<std::string> names;
  std::uint64_t total = 0, lines = 0;
  for (const auto& s : storage["storage"]) {
    const std::uint64_t bits = s["total_bits"];
    EXPECT_EQ(bits, s["words"].get<std::uint64_t>() * s["bits"].get<std::uint64_t>());
    EXPECT_GT(bits, 0u) << s["name"];
    by_block[s["block"]] += bits, total += bits, ++lines;
    names.insert(s["name"]);
  }
  for (const char* kind : {"links", "memories"})
    for (const auto& part : parts[kind]) EXPECT_EQ(names.count(part["name"]), 1u) << part["name"];
  EXPECT_EQ(storage["total_bits"], total);
  for (const auto& [block, bits] : by_block) EXPECT_EQ(storage["by_block"][block], bits) << block;
  EXPECT_EQ(storage["key_value_bits"], 2u * 2 * 1024 * 64 * 12);  // 2 x 1024 x 64 x 12 b, of K and of V
  EXPECT_EQ(winnow_of("machines --storage").code, 2);
  std::printf("[ compared ] %llu lines\n", static_cast<unsigned long long>(lines));
}

TEST(Commands, InfoPrintsTheTrace) {
  const Outcome outcome = winnow_of("info " + kSamples + "smollm2-160.safetensors");
  EXPECT_EQ(outcome.code, 0);
  for (const char* words :
       {"SmolLM2-135M-Instruct", "licence          model: Apache-2.0", "query heads      9", "KV heads         3",
        "tokens           160 (128 prompt, 32 generated)", "attention scale  0.125", "9,227,216 B"})
    EXPECT_NE(outcome.out.find(words), std::string::npos) << words;
  int rows = 0;
  std::istringstream lines(outcome.out.substr(outcome.out.find("-----")));
  for (std::string line; std::getline(lines, line);) rows += line.find('.') != std::string::npos;
  EXPECT_EQ(rows, 30 * 9);
  const Outcome workload = winnow_of("info " WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv");
  EXPECT_EQ(workload.code, 0);
  EXPECT_NE(workload.out.find("97,344 B + 22,016 B refetched"), std::string::npos) << workload.out;
}

// The encoder form, with the marks of a spreadsheet: described, run on the machine, and by its closed form alone.
TEST(Commands, AnEncodersWorkload) {
  const TempFolder temp;
  const std::string file = temp / "encoder.csv";
  std::ofstream(file)
      << "\xef\xbb\xbf\"layer_id\";head_id;embedding_length_D;sentence_length_L;key_value_query_fetch_num;"
         "quant_key_bit;quant_value_bit;quant_query_bit;auto_requant_thres;if_requant;"
         "auto_requant_incre;auto_requant_num;if_accumulate_importance;if_topk;topk\r\n"
         "0;0;72,0;40;40;6;8;12;0,05;True;4;3;True;True;30\r\n"
         "1;0;72,0;40;30;6;8;12;0,05;False;4;0;True;False;-1\r\n";
  const Outcome info = winnow_of("info " + file);
  EXPECT_EQ(info.code, 0) << info.err;
  EXPECT_NE(info.out.find("form             encoder"), std::string::npos) << info.out;
  // 40 keys of 10 bits and 30 of 6; 70 values of 8 bits.
  EXPECT_NE(info.out.find("key bytes        5,220 B"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("value bytes      5,040 B"), std::string::npos) << info.out;
  for (const char* engine : {"systemc", "golden"}) {
    const Outcome run = winnow_of("run " + file + " --engine " + engine + " -o " + (temp / engine));
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_NE(run.out.find(" 0 differences"), std::string::npos) << run.out;
  }
}

TEST(Commands, ListsNameWhatCanBeNamed) {
  const Outcome machines = winnow_of("machines"), policies = winnow_of("policies");
  for (const char* name : {"a3 ", "mnnfast ", "spatten ", "spatten-eighth ", "spatten-fast ", "tiny ", "winnow "}) {
    EXPECT_NE(machines.out.find(name), std::string::npos) << name;
    EXPECT_NE(winnow_of(std::string("machines --show ") + name).out.find(std::string("name: ") + name),
              std::string::npos);
  }
  for (const char* name : {"dense", "spatten", "spatten-protected", "select", "winnow", "a3", "mnnfast"}) {
    EXPECT_NE(policies.out.find(name), std::string::npos) << name;
    EXPECT_NE(winnow_of(std::string("policies --show ") + name).out.find("k_digits: "), std::string::npos);
  }
}

// A policy of a file is one like any other: shown, changed by --set, in the manifest, in diff.
TEST(Commands, APolicyMayBeAFile) {
  const TempFolder temp;
  const std::string shown = winnow_of("policies --show spatten").out, file = temp / "mine.yaml";
  EXPECT_TRUE(shown.starts_with("name: spatten ")) << shown;
  std::ofstream(file) << shown;
  const Outcome again = winnow_of("policies --show " + file);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, shown);

  const std::string trace = "run synthetic:layers=2,heads=2,kv_heads=1,head_dim=8,tokens=20,prompt=18,causal=1,seed=3 ";
  const auto run = [&](const std::string& policy, const std::string& to) {
    const Outcome o = winnow_of(trace + "--machine tiny --policy " + policy + " -o " + (temp / to));
    EXPECT_EQ(o.code, 0) << o.err;
  };
  run("spatten", "preset"), run(file, "file");
  EXPECT_EQ(read_whole(temp / "file/result.json"), read_whole(temp / "preset/result.json"));
  EXPECT_NE(winnow_of("diff " + (temp / "preset") + " " + (temp / "file")).out.find("settings: all equal"),
            std::string::npos);

  std::string other = shown;
  other.replace(other.find("spatten"), 7, "mine   "), other.replace(other.find("v_bits: 8"), 9, "v_bits: 4");
  std::ofstream(file, std::ios::trunc) << other;
  run(file + " --set local_value=0.5", "other");
  const std::string diff = winnow_of("diff " + (temp / "preset") + " " + (temp / "other")).out;
  for (const char* words : {"policy.name", " mine", "policy.v_bits", "policy.local_value"})
    EXPECT_NE(diff.find(words), std::string::npos) << words << " not in: " << diff;
  EXPECT_EQ(diff.find("policy.threshold"), std::string::npos) << diff;
  EXPECT_NE(read_whole(temp / "other/manifest.json").find("\"v_bits\": \"4\""), std::string::npos);
}

TEST(Commands, DiffAndTableReadStoredRuns) {
  const TempFolder temp;
  for (const auto& [name, cycles] : {std::pair{"a", 100}, {"b", 50}}) {
    Manifest manifest;
    manifest.trace = "t", manifest.policy = {{"name", name}};
    StatTree result("result");
    result.part("summary", "summary").cycles("cycles", "cycles", static_cast<std::uint64_t>(cycles));
    RunFolder(temp / name, false, manifest).finish(manifest, result);
  }
  const Outcome diff = winnow_of("diff " + (temp / "a") + " " + (temp / "b"));
  EXPECT_EQ(diff.code, 0);
  EXPECT_NE(diff.out.find("summary.cycles  100 cycles  50 cycles  -50 cycles  -50.00 %"), std::string::npos)
      << diff.out;
  const Outcome table = winnow_of("table " + (temp / "a") + " " + (temp / "b"));
  EXPECT_NE(table.out.find("clock cycles                    100  50\n"), std::string::npos) << table.out;
  // What a run of an earlier winnow left.
  std::ofstream(temp / "a/result.json") << "{\"summary\": {\"cycles\": {\"value\": 1, \"unit\": \"cycles\"}}}";
  for (const std::string& command : {"table " + (temp / "a"), "diff " + (temp / "a") + " " + (temp / "b")}) {
    const Outcome old = winnow_of(command);
    EXPECT_EQ(old.code, 2);
    EXPECT_NE(old.err.find("a/result.json: format: '': a result of version 1"), std::string::npos) << old.err;
    EXPECT_EQ(std::count(old.err.begin(), old.err.end(), '\n'), 1) << old.err;
  }
}

const std::string kDecode = "synthetic:layers=2,heads=4,kv_heads=2,head_dim=32,tokens=40,prompt=36,causal=1,seed=3";

// The last lines that a run prints: those after the blank one.
std::vector<std::string> block_of(const std::string& out) {
  const std::size_t at = out.rfind("\n\n");
  return lines_of(at == std::string::npos ? out : out.substr(at + 2));
}

TEST(Answer, IsAtMost14LinesOf100ColumnsWhateverRuns) {
  const TempFolder temp;
  const std::string encoder = "synthetic:layers=1,heads=2,kv_heads=2,head_dim=32,tokens=24,prompt=24,causal=0,seed=3";
  const std::string csv = WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv";
  std::vector<std::string> cases;
  for (const char* machine : {"a3", "mnnfast", "tiny", "spatten-eighth", "spatten-fast", "spatten", "winnow"})
    for (const char* policy : {"dense", "spatten", "spatten-protected", "select"})
      for (const std::string& trace : {kDecode, encoder})
        cases.push_back(trace + " --machine " + machine + " --policy " + policy);
  for (const char* engine : {"golden", "cuda"})
    for (const char* policy : {"dense", "winnow"})
      cases.push_back(kDecode + " --machine tiny --policy " + policy + " --engine " + engine);
  for (const char* rival : {"a3", "mnnfast"})
    for (const std::string& trace : {kDecode, encoder})
      cases.push_back(trace + " --machine " + rival + " --policy " + rival);
  cases.push_back(kDecode + " --machine tiny --policy select --steps 1-2 --against dense");
  cases.push_back(encoder + " --machine tiny --policy spatten --against spatten-protected --engine golden");
  cases.push_back(csv + " --machine spatten"), cases.push_back(csv + " --machine spatten --engine golden");
  for (const std::string& one : cases) {
    const Outcome run = winnow_of("run " + one + " -o " + (temp / "run") + " --force");
    ASSERT_EQ(run.code, 0) << one << run.err;
    const std::vector<std::string> block = block_of(run.out);
    EXPECT_EQ(block.size(), 14u) << one << "\n" << run.out;
    for (const std::string& line : block) EXPECT_LE(line.size(), 100u) << one << "\n" << line;
    EXPECT_TRUE(block.back().ends_with(".")) << block.back();
    const bool timed = one.find("--engine") == std::string::npos;
    EXPECT_EQ(block.back().starts_with("Bound "), timed) << block.back();
    // The shares of the time are all of it.
    double sum = 0;
    for (std::size_t row = 4; row < 9; ++row) {
      const std::size_t percent = block[row].find(" %");
      if (percent != std::string::npos) sum += std::stod(block[row].substr(block[row].rfind(' ', percent - 1)));
    }
    EXPECT_NEAR(sum, timed ? 100 : 0, timed ? 2.5 : 0) << run.out;
    const Outcome table = winnow_of("table " + (temp / "run"));
    ASSERT_EQ(table.code, 0) << table.err;
    for (const std::string& line : lines_of(table.out)) EXPECT_LE(line.size(), 100u) << one << "\n" << line;
  }
  std::printf("[ compared ] %zu blocks\n", cases.size());
}

// What a run prints last, as a whole: read it as somebody who sees it for the first time.
constexpr const char* kGoldenAlone = R"(synthetic on tiny                 select  dense, 12 bit           difference
K and V read from memory        40.19 kB       59.14 kB          1.47x fewer
  of it used                    32.59 kB       59.14 kB          1.81x fewer
clock cycles                       6,016              -  add --against dense
  waiting for memory              15.1 %              -
  multiplying Q x K               35.3 %              -
  waiting for softmax             27.4 %              -
  waiting for top-k choices        9.0 %              -
  draining: P x V, layer's end    13.1 %              -
output error                       3.8 %              -
tokens kept                      100.0 %        100.0 %
heads kept                       100.0 %        100.0 %
bits a number of K and V            6.61          12.00
Bound mostly by the multipliers of Q x K: they work in 35.3 % of the cycles; next softmax.
)";
constexpr const char* kGoldenAgainst = R"(synthetic on tiny                 select     dense   difference
K and V read from memory        40.19 kB  59.39 kB  1.48x fewer
  of it used                    32.59 kB  59.14 kB  1.81x fewer
clock cycles                       6,016     3,468   1.73x more
  waiting for memory              15.1 %    11.9 %
  multiplying Q x K               35.3 %    35.5 %
  waiting for softmax             27.4 %    21.9 %
  waiting for top-k choices        9.0 %    0.46 %
  draining: P x V, layer's end    13.1 %    30.3 %
output error                       3.8 %    0.25 %
tokens kept                      100.0 %   100.0 %
heads kept                       100.0 %   100.0 %
bits a number of K and V            6.61     12.00
Bound mostly by the multipliers of Q x K: they work in 35.3 % of the cycles; next softmax.
)";

TEST(Answer, SaysWhatItSavedAtWhatCostBoundByWhat) {
  const TempFolder temp;
  const std::string run = "run " + kDecode + " --machine tiny --policy select --steps 1-4 -o " + (temp / "run");
  const Outcome alone = winnow_of(run);
  ASSERT_EQ(alone.code, 0) << alone.err;
  std::string text;
  for (const std::string& line : block_of(alone.out)) text += line + "\n";
  EXPECT_EQ(text, kGoldenAlone);
  const Outcome against = winnow_of(run + " --force --against dense");
  ASSERT_EQ(against.code, 0) << against.err;
  text.clear();
  for (const std::string& line : block_of(against.out)) text += line + "\n";
  EXPECT_EQ(text, kGoldenAgainst);
  // The other run's figures are its own run's, and stand in the result with their keys.
  const std::string own = temp / "dense";
  ASSERT_EQ(winnow_of("run " + kDecode + " --machine tiny --policy dense --steps 1-4 -o " + own).code, 0);
  const StatTree result = load_run(temp / "run").result, dense = load_run(own).result;
  const StatTree* there = result.find("against");
  ASSERT_NE(there, nullptr);
  std::size_t compared = 0;
  for (const Statistic& one : dense.find("summary")->statistics()) {
    const Statistic* other = there->statistic(one.key);
    ASSERT_NE(other, nullptr) << one.key;
    EXPECT_EQ(other->value, one.value) << one.key;
    ++compared;
  }
  EXPECT_GT(compared, 30u);
  EXPECT_EQ(there->statistic("ratio_cycles")->number(), result.find("summary")->statistic("cycles")->number() /
                                                            dense.find("summary")->statistic("cycles")->number());
  EXPECT_NE(winnow_of("table " + (temp / "run")).out.find("run: reads "), std::string::npos);
  std::printf("[ compared ] %zu figures\n", compared);
}

TEST(Answer, DetailsAreThereWhenAsked) {
  const TempFolder temp;
  const std::string run = "run " + kDecode + " --machine tiny --steps 1-1 --force -o " + (temp / "run");
  const Outcome brief = winnow_of(run), whole = winnow_of(run + " --details");
  for (const char* words : {"qk without a task", "DRAM key_lsb, useful", "cycles a step"}) {
    EXPECT_EQ(brief.out.find(words), std::string::npos) << words;
    EXPECT_NE(whole.out.find(words), std::string::npos) << words;
  }
  EXPECT_EQ(block_of(brief.out), block_of(whole.out));
}

TEST(Answer, WhatCannotBeComparedIsRefused) {
  const TempFolder temp;
  const std::pair<std::string, const char*> bad[] = {
      {WINNOW_SOURCE_DIR "/tests/traces/reader/workload.csv --against dense", "says itself what is fetched"},
      {kDecode + " --against nothing", "nothing"}};
  for (const auto& [arguments, words] : bad) {
    const Outcome run = winnow_of("run " + arguments + " -o " + (temp / "run"));
    EXPECT_EQ(run.code, 2);
    EXPECT_NE(run.err.find(words), std::string::npos) << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_EQ(run.out, "");
  }
}

}  // namespace
}  // namespace winnow
