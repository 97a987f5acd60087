// The built command line itself: what it prints, its exit codes, one line for every bad input.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "sim/results/run_folder.h"
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
      {"machines --show nothing", "must be one of spatten"},
      {"machines --show " + (temp / "machine.yaml"), "line 2: clock_ghz: '0': must be a number 0.01..10"},
      {"policies --show nothing", "nothing"},
      {"diff " + (temp / "a") + " " + (temp / "b"), "no such folder"},
      {"table " + (temp / "a"), "no such folder"},
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

TEST(Commands, InfoPrintsTheTrace) {
  const Outcome outcome = winnow_of("info " + kSamples + "smollm2-160.safetensors");
  EXPECT_EQ(outcome.code, 0);
  for (const char* words :
       {"SmolLM2-135M-Instruct", "licence          model: Apache-2.0", "query heads      9", "KV heads         3",
        "tokens           160 (128 prompt, 32 generated)", "attention scale  0.125", "9,226,368 B"})
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
  for (const char* name : {"spatten ", "spatten-eighth ", "tiny "}) {
    EXPECT_NE(machines.out.find(name), std::string::npos) << name;
    EXPECT_NE(winnow_of(std::string("machines --show ") + name).out.find(std::string("name: ") + name),
              std::string::npos);
  }
  for (const char* name : {"dense", "spatten", "spatten-protected", "select"}) {
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
    result.child("summary").cycles("cycles", static_cast<std::uint64_t>(cycles));
    RunFolder(temp / name, false, manifest).finish(manifest, result);
  }
  const Outcome diff = winnow_of("diff " + (temp / "a") + " " + (temp / "b"));
  EXPECT_EQ(diff.code, 0);
  EXPECT_NE(diff.out.find("summary.cycles  100 cycles  50 cycles  -50 cycles  -50.00 %"), std::string::npos)
      << diff.out;
  const Outcome table = winnow_of("table " + (temp / "a") + " " + (temp / "b"));
  EXPECT_NE(table.out.find("cycles       100 cycles  50 cycles"), std::string::npos) << table.out;
}

}  // namespace
}  // namespace winnow
