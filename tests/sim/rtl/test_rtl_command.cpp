// `winnow run --rtl topk` as a user types it: the same files with RTL as without, and what a planted bug leaves behind.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/results/files.h"
#include "tests/support/temporary.h"

namespace winnow {
namespace {

using test::TempFolder;
namespace fs = std::filesystem;

struct Ran {
  int code = -1;
  std::string text;
};
Ran shell(const std::string& command) {
  Ran r;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char part[4096];
  while (const std::size_t n = fread(part, 1, sizeof part, pipe)) r.text.append(part, n);
  const int status = pclose(pipe);
  r.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return r;
}
Ran winnow(const std::string& arguments, const std::string& before = "") {
  return shell(before + WINNOW_PROGRAM " " + arguments);
}

constexpr const char* kDecode = "synthetic:layers=3,heads=4,kv_heads=2,head_dim=32,tokens=70,prompt=66,causal=1,seed=3";

// Selection by mass; tokens, heads and values by count; both pivot rules; both engines; a shape-only workload.
TEST(RtlCommand, SameFilesAsWithoutRtl) {
  const TempFolder temp;
  // D 64 on the tiny machine: its arrays are made as wide.
  const std::string workload = std::string(WINNOW_SOURCE_DIR) + "/tests/traces/reader/workload.csv" +
                               " --set qk.multipliers=64 --set pv.multipliers=64";
  const std::string cases[] = {kDecode + std::string(" --policy select --set tokens.avg=0.6"),
                               kDecode + std::string(" --policy spatten --set topk.pivot=random"),
                               kDecode + std::string(" --policy spatten --set topk.prefilter=bracket"), workload};
  std::uint64_t values = 0;
  for (const std::string& one : cases) {
    const std::string run = "run " + one + " --machine tiny";
    const Ran plain = winnow(run + " -o " + (temp / "plain") + " --force"),
              rtl = winnow(run + " --rtl topk -o " + (temp / "rtl") + " --force");
    ASSERT_EQ(plain.code, 0) << plain.text;
    ASSERT_EQ(rtl.code, 0) << rtl.text;
    for (const char* file : {"/result.json", "/layers.csv"})
      EXPECT_EQ(read_whole((temp / "plain") + file), read_whole((temp / "rtl") + file)) << one << file;
    for (const char* block : {"\ntopk in RTL: ", "\ncascade topk in RTL: "}) {
      const std::size_t at = rtl.text.find(block);
      ASSERT_NE(at, std::string::npos) << block << rtl.text;
      unsigned long long cycles = 0, transfers = 0, compared = 0;
      ASSERT_EQ(std::sscanf(rtl.text.c_str() + rtl.text.find(':', at),
                            ": %llu cycles, %llu transfers, %llu values equal", &cycles, &transfers, &compared),
                3);
      EXPECT_GT(cycles, 100u);
      EXPECT_GT(compared, 20 * cycles);
      values += compared;
    }
    EXPECT_NE(read_whole((temp / "rtl") + "/manifest.json").find("\"rtl\": \"topk\""), std::string::npos);
  }
  std::printf("[ compared ] %llu values of RTL with the model\n", static_cast<unsigned long long>(values));
}

// Three blocks at once, on models' values: without stalls the files are those of a run without RTL; with stalls the
// cycles are others, the values are golden's, and RTL and models still do the same in every cycle.
void same_with_and_without_rtl(const std::vector<std::string>& cases) {
  const TempFolder temp;
  int files = 0;
  for (const std::string& one : cases) {
    const std::string before = std::string("cd ") + WINNOW_SOURCE_DIR + " && ";
    const std::string rtl = one + " --rtl topk,writeback,progressive";
    const Ran plain = winnow(one + " -o " + (temp / "plain") + " --force", before),
              same = winnow(rtl + " -o " + (temp / "rtl") + " --force", before),
              stalled = winnow(rtl + " --stall 5 -o " + (temp / "stalled") + " --force", before);
    ASSERT_EQ(plain.code, 0) << plain.text;
    ASSERT_EQ(same.code, 0) << one << same.text;
    ASSERT_EQ(stalled.code, 0) << one << stalled.text;
    for (const char* file : {"/result.json", "/layers.csv"}) {
      const std::string without = read_whole((temp / "plain") + file);
      EXPECT_EQ(without, read_whole((temp / "rtl") + file)) << one << file;
      EXPECT_NE(without, read_whole((temp / "stalled") + file)) << one << file;
      files += 2;
    }
    EXPECT_NE(stalled.text.find(": 0 differences"), std::string::npos) << stalled.text;
    EXPECT_NE(stalled.text.find(" stalls\n"), std::string::npos) << stalled.text;
    for (const char* block : {"\ntopk in RTL: ", "\nwriteback in RTL: ", "\nprogressive in RTL: "}) {
      const std::size_t at = same.text.find(block);
      ASSERT_NE(at, std::string::npos) << block << same.text;
      if (same.text.find("no job in this range", at) < same.text.find('\n', at + 1)) continue;  // nothing to decide
      unsigned long long cycles = 0, transfers = 0, compared = 0;
      ASSERT_EQ(std::sscanf(same.text.c_str() + same.text.find(':', at), ": %llu cycles, %llu transfers, %llu values",
                            &cycles, &transfers, &compared),
                3);
      EXPECT_GT(transfers, 10u);
      EXPECT_GT(compared, 2 * cycles);
    }
    EXPECT_NE(read_whole((temp / "stalled") + "/manifest.json").find("\"stall\": \"5\""), std::string::npos);
  }
  std::printf("[ compared ] %d files with RTL and without\n", files);
}

TEST(RtlCommand, BlocksAtLinksOnBothSamples) {
  same_with_and_without_rtl(
      {"run traces/samples/smollm2-160.safetensors --machine spatten-eighth --policy spatten --steps 1-1",
       "run traces/samples/smollm2-160.safetensors --machine spatten-eighth --policy select --steps 1-1",
       "run traces/samples/minilm-128.safetensors --machine spatten-eighth --policy spatten --layers 0-1",
       std::string("run ") + kDecode + " --machine tiny --policy spatten"});
}

// The same with the engine whose jobs overlap: P 16, and P 64.
TEST(RtlCommand, TheBracketEngineOnBothSamples) {
  same_with_and_without_rtl(
      {"run traces/samples/smollm2-160.safetensors --machine spatten-fast --policy spatten --steps 1-1 --layers 0-9",
       "run traces/samples/smollm2-160.safetensors --machine spatten-fast --policy select --steps 1-1 --layers 0-9",
       "run traces/samples/minilm-128.safetensors --machine spatten-fast --policy spatten --layers 0-1"});
}
TEST(RtlCommand, TheBracketEngineAtP64) {
  same_with_and_without_rtl(
      {"run traces/samples/smollm2-160.safetensors --machine winnow --policy select --steps 1-1 --layers 0-9",
       "run traces/samples/smollm2-160.safetensors --machine winnow --policy winnow --steps 1-1 --layers 0-9"});
}

// Bugs in each of the three blocks, in the machine: cycle, block, link, field, both values, the work, and the waves.
TEST(RtlCommand, APlantedBugAtALinkIsNamed) {
  const struct {
    std::string block, file, good, bad, named, work;
  } cases[] = {{"writeback", "writeback", "bits_q >> BurstBits", "bits_q >> (BurstBits - 1)",
                "link write_bursts, field data[", " bursts sent"},
               {"writeback", "writeback", "address_q + AddressBits'(BurstBytes)",
                "address_q + AddressBits'(2 * BurstBytes)", "link write_bursts, field address: rtl ", "KV head "},
               {"progressive", "progressive", "product > (", "product < (",
                "link verdicts_to_softmax, field refetch: rtl 1 (0x1), model 0", ", theta16 "},
               {"progressive", "progressive", "~verdict | (softmax_ready_i", "~verdict & (softmax_ready_i",
                "link row_sums, taken: rtl 0 (0x0), model 1", "query head "},
               {"topk", "topk_unit", "slot: SlotBits'(out_indices[i])", "slot: SlotBits'(i)",
                "link kept_flags_set, entry ", " given out"},
               {"topk", "topk_unit", "CountBits'(i) < have)", "CountBits'(i) + CountBits'(1) < have)",
                "signal compared_row[", "rtl/topk/topk_engine.sv:"},
               {"topk", "topk_unit", "SlotBits'(kept_q) + SlotBits'(out_count)", "SlotBits'(out_count)",
                "link topk_answers, field kept: rtl ", "the last was step "}};
  int parts = 0;
  for (const auto& c : cases) {
    const std::string folder = WINNOW_BUILD_DIR "/rtl/planted-" + c.block, out = folder + "/run";
    fs::create_directories(folder);
    std::string source = read_whole(WINNOW_SOURCE_DIR "/rtl/" + c.block + "/" + c.file + ".sv");
    ASSERT_NE(source.find(c.good), std::string::npos) << c.good;
    std::ofstream(folder + "/" + c.file + ".sv") << source.replace(source.find(c.good), c.good.size(), c.bad);
    fs::remove_all(out);
    const Ran r =
        winnow(std::string("run ") + kDecode + " --machine tiny --policy " +
               (c.block == "topk" ? "select" : "spatten") + " --rtl " + c.block + "=" + folder + " -o " + out);
    EXPECT_EQ(r.code, 1) << r.text;
    for (const std::string& part :
         {std::string("first difference: cycle "), "block " + c.block + ", " + c.named, c.work,
          std::string("\nmachine cycle "), std::string("repeat: "), std::string("waves: ")}) {
      EXPECT_NE(r.text.find(part), std::string::npos) << part << "\n" << r.text;
      ++parts;
    }
    EXPECT_TRUE(fs::exists(out + "/" + c.block + ".fst"));
    const Ran wave = winnow("wave diff " + out + "/" + c.block + ".fst");
    if (wave.text.find("pywellen is missing") != std::string::npos) continue;
    EXPECT_EQ(wave.code, 1) << wave.text;
    ++parts;
    EXPECT_NE(wave.text.find("rtl_"), std::string::npos) << wave.text;
  }
  std::printf("[ compared ] %d parts of reports\n", parts);
}

// Write-back that gives a burst whether it is taken or not: in this run the fetcher always takes it, so nothing shows
// until its link is held.
TEST(RtlCommand, StallsFindWhatAPoliteMachineHides) {
  const std::string folder = WINNOW_BUILD_DIR "/rtl/planted-impolite", out = folder + "/run";
  fs::create_directories(folder);
  std::string source = read_whole(WINNOW_SOURCE_DIR "/rtl/writeback/writeback.sv");
  const std::string good = "send = burst_valid_o & burst_ready_i;";
  ASSERT_NE(source.find(good), std::string::npos);
  std::ofstream(folder + "/writeback.sv") << source.replace(source.find(good), good.size(), "send = burst_valid_o;");
  const std::string run =
      std::string("run ") + kDecode + " --machine tiny --rtl writeback=" + folder + " -o " + out + " --force";
  const Ran polite = winnow(run), stalled = winnow(run + " --stall 3");
  EXPECT_EQ(polite.code, 0) << polite.text;
  EXPECT_EQ(stalled.code, 1) << stalled.text;
  for (const char* part : {"first difference: cycle ", "block writeback, ", ", stalls 3\n", " --stall 3"})
    EXPECT_NE(stalled.text.find(part), std::string::npos) << part << "\n" << stalled.text;
  std::printf("[ compared ] 2 runs of one bug\n");
}

// A bug in one layer of the zero eliminator, in a copy of its source.
TEST(RtlCommand, APlantedBugIsNamedAndLeavesItsWaves) {
  const std::string folder = WINNOW_BUILD_DIR "/rtl/planted", out = folder + "/run";
  fs::create_directories(folder);
  std::string source = read_whole(WINNOW_SOURCE_DIR "/rtl/topk/topk_zero_eliminator.sv");
  const std::string good = "item[i] = item_before[i+2**l];", bad = "item[i] = item_before[(l == 1) ? i : i+2**l];";
  ASSERT_NE(source.find(good), std::string::npos);
  source.replace(source.find(good), good.size(), bad);
  std::ofstream(folder + "/topk_zero_eliminator.sv") << source;
  const std::string command =
      std::string("run ") + kDecode + " --machine tiny --policy select --rtl topk=" + folder + " -o " + out;
  fs::remove_all(out);
  const Ran r = winnow(command);
  EXPECT_EQ(r.code, 1) << r.text;
  for (const char* part : {"first difference: cycle ", "block topk, signal zero_eliminator_", "working on: step ",
                           "layer ", "KV head ", "query ", "tokens stay: n ", "seed 1", "repeat: ", "waves: "})
    EXPECT_NE(r.text.find(part), std::string::npos) << part << "\n" << r.text;
  EXPECT_TRUE(fs::exists(out + "/topk.fst"));
  const std::string save = read_whole(out + "/topk.gtkw");
  EXPECT_NE(save.find("-first difference: zero_eliminator_"), std::string::npos) << save;
  unsigned long long cycle = 0;
  ASSERT_EQ(std::sscanf(r.text.c_str() + r.text.find("first difference"), "first difference: cycle %llu", &cycle), 1);
  EXPECT_NE(save.find("\n*-3.000000 " + std::to_string(cycle) + "\n"), std::string::npos) << save;
  EXPECT_FALSE(fs::exists(out + "/result.json")) << "a run that parted has no result";
  // The printed command repeats it: the same report.
  const auto report = [](const std::string& text) {
    const std::size_t from = text.find("first difference");
    return text.substr(from, text.find("\nmachine cycle") - from);
  };
  const std::size_t at = r.text.find("repeat: ") + 8;
  const Ran again = shell(r.text.substr(at, r.text.find('\n', at) - at));
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(report(again.text), report(r.text));
  // The waveform says the same.
  const Ran wave = winnow("wave diff " + out + "/topk.fst");
  int seen = 9;
  if (wave.text.find("pywellen is missing") == std::string::npos) {
    EXPECT_EQ(wave.code, 1) << wave.text;
    EXPECT_NE(wave.text.find("cycle " + std::string(8 - std::min<std::size_t>(8, std::to_string(cycle).size()), ' ') +
                             std::to_string(cycle)),
              std::string::npos)
        << wave.text;
    EXPECT_NE(wave.text.find("rtl_zero_eliminator_"), std::string::npos) << wave.text;
    const Ran all = winnow("wave " + out + "/topk.fst");
    for (const char* part : {"job  ", "row  ", "out  ", "taken", "transactions", "n=", "row=["})
      EXPECT_NE(all.text.find(part), std::string::npos) << part << "\n" << all.text;
    // Time counts cycles: the file holds those up to the difference, each once, a nanosecond each.
    EXPECT_NE(all.text.find(" of " + std::to_string(std::min<unsigned long long>(cycle, 2000) + 1) + " cycles\n"),
              std::string::npos)
        << all.text;
    const Ran unit = shell(WINNOW_SOURCE_DIR
                           "/.venv/bin/python -c 'import pywellen, sys; t = pywellen.Waveform(sys.argv["
                           "1]).timescale; print(t.factor, t.unit)' " +
                           out + "/topk.fst");
    EXPECT_EQ(unit.text, "1 ns\n");
    seen += 12;
  } else {
    std::printf("wave: %s", wave.text.c_str());
  }
  // A good run in its place takes the waves away.
  EXPECT_EQ(winnow(std::string("run ") + kDecode + " --machine tiny --policy select -o " + out + " --force").code, 0);
  EXPECT_FALSE(fs::exists(out + "/topk.fst") || fs::exists(out + "/topk.gtkw"));
  // A check fails too.
  const Ran check = winnow(std::string("check ") + kDecode +
                           " --machine tiny --policy select --engines golden,systemc,rtl --rtl topk=" + folder +
                           " -o " + folder + "/check");
  EXPECT_EQ(check.code, 1) << check.text;
  EXPECT_TRUE(fs::exists(folder + "/check/topk.fst"));
  EXPECT_NE(check.text.find("first difference: rtl ends: its RTL parted from the model"), std::string::npos)
      << check.text;
  std::printf("[ compared ] %d parts of reports\n", seen);
}

// A bug that trips an assertion of a bound checker, here by popping an empty FIFO, is a difference like any other.
TEST(RtlCommand, AFailedAssertionIsADifference) {
  const std::string folder = WINNOW_BUILD_DIR "/rtl/planted assertion", out = folder + "/run";
  fs::create_directories(folder);
  std::string source = read_whole(WINNOW_SOURCE_DIR "/rtl/topk/topk_quick_select.sv");
  const std::string good = "pop_i & ~in_right_q";
  ASSERT_NE(source.find(good), std::string::npos);
  std::ofstream(folder + "/topk_quick_select.sv") << source.replace(source.find(good), good.size(), "pop_i");
  const Ran r = winnow(std::string("run ") + kDecode + " --machine tiny --policy select --rtl 'topk=" + folder +
                       "' -o '" + out + "' --force");
  EXPECT_EQ(r.code, 1) << r.text;
  for (const char* part : {"popped while empty", "first difference: cycle ",
                           "assertion topk_row_fifo_checker.sv:", "working on: step ", "repeat: "})
    EXPECT_NE(r.text.find(part), std::string::npos) << part << "\n" << r.text;
  EXPECT_TRUE(fs::exists(out + "/topk.fst"));
  EXPECT_NE(read_whole(out + "/topk.gtkw").find("-first difference: assertion topk_row_fifo_checker.sv:"),
            std::string::npos);
  std::printf("[ compared ] 8 parts of a report\n");
}

// RTL that shows nothing is not called equal.
TEST(RtlCommand, ACheckCountsWhatRtlDid) {
  const std::string check = std::string("check ") + kDecode + " --machine tiny ";
  const Ran some = winnow(check + "--policy select --engines golden,rtl --steps 1-1");
  EXPECT_EQ(some.code, 0) << some.text;
  EXPECT_NE(some.text.find("topk in RTL: "), std::string::npos) << some.text;
  EXPECT_NE(some.text.find(" values equal to the model's"), std::string::npos) << some.text;
  const struct {
    const char *arguments, *part;
  } cases[] = {{"--policy dense --engines golden,rtl", "policy dense asks for no choice"},
               {"--policy select --engines golden,rtl --steps 0-0", "no choice in this range is made by its RTL"},
               {"--policy select --engines golden,systemc,rtl --rtl ''", "must name a block"},
               {"--policy select --engines golden,systemc,rtl --rtl topk=/nowhere", "/nowhere: no such folder"},
               {"--policy select --engines golden,systemc --seed -1", "must be an integer"}};
  for (const auto& c : cases) {
    const Ran r = winnow(check + c.arguments);
    EXPECT_EQ(r.code, 2) << r.text;
    EXPECT_NE(r.text.find(c.part), std::string::npos) << r.text;
  }
  const Ran two = winnow(check + "--policy select --engines golden,systemc,rtl --steps 0-0");
  EXPECT_EQ(two.code, 0) << two.text;
  EXPECT_NE(two.text.find("not there: rtl (no choice in this range"), std::string::npos) << two.text;
  std::printf("[ compared ] %zu outcomes\n", std::size(cases) + 2);
}

TEST(RtlCommand, BadInputIsOneLine) {
  const TempFolder temp;
  std::ofstream(temp / "unrelated.sv") << "module unrelated; endmodule\n";
  fs::create_directories(temp / "misspelled");
  fs::copy_file(WINNOW_SOURCE_DIR "/rtl/topk/topk_filter.sv", temp / "misspelled/topk_filter.sv");
  std::ofstream(temp / "misspelled/topk_zero_eliminater.sv") << "module topk_zero_eliminater; endmodule\n";
  const struct {
    std::string arguments, part;
  } cases[] = {{"--rtl softmax", "--rtl: 'softmax': in RTL there is: progressive, topk, writeback"},
               {"--rtl writeback,softmax", "--rtl: 'softmax': in RTL there is: progressive, topk, writeback"},
               {"--rtl topk,topk", "named twice"},
               {"--stall 3", "--stall: 3: must go with --rtl"},
               {"--rtl topk=", "a folder of RTL sources must follow"},
               {"--rtl topk=/nowhere", "/nowhere: no such folder"},
               {"--rtl writeback=/nowhere", "/nowhere: no such folder"},
               {"--rtl topk=" + (temp / ""), "no source there has the name of one of the block's"},
               {"--rtl topk=" + (temp / "misspelled"), "topk_zero_eliminater.sv: no source of rtl/ has that name"},
               {"--rtl topk --engine golden", "must go with --engine systemc"}};
  for (const auto& c : cases) {
    const Ran r = winnow(std::string("run ") + kDecode + " --machine tiny --policy select -o " + (temp / "out") + " " +
                         c.arguments);
    EXPECT_EQ(r.code, 2) << r.text;
    EXPECT_NE(r.text.find(c.part), std::string::npos) << r.text;
    EXPECT_EQ(std::count(r.text.begin(), r.text.end(), '\n'), 1) << r.text;
    EXPECT_FALSE(fs::exists(temp / "out")) << c.arguments;
  }
  // Types of another width than the models' stop the build.
  fs::create_directory(temp / "narrow");
  std::string package = read_whole(WINNOW_SOURCE_DIR "/rtl/links/winnow_links_pkg.sv");
  const std::string wide = "[255:0][11:0] data";
  package.replace(package.find(wide), wide.size(), "[254:0][11:0] data");
  std::ofstream(temp / "narrow/winnow_links_pkg.sv") << package;
  const Ran narrow = winnow(std::string("run ") + kDecode + " --machine tiny --rtl writeback=" + (temp / "narrow") +
                            " -o " + (temp / "out"));
  EXPECT_EQ(narrow.code, 2) << narrow.text;
  EXPECT_NE(narrow.text.find("outputs_t has 3208 bits, the model 3220"), std::string::npos) << narrow.text;
  // Without Verilator: named with its package; a check goes on with the engines that are there.
  fs::create_directory(temp / "bin");
  for (const char* tool : {"python3", "sh", "env"})
    fs::create_symlink(std::string("/usr/bin/") + tool, (temp / "bin/") + tool);
  const std::string path = "PATH=" + (temp / "bin") + " ";
  const Ran run =
      winnow(std::string("run ") + kDecode + " --machine tiny --policy select --rtl topk -o " + (temp / "out"), path);
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.text.find("verilator is missing: apt-get install verilator"), std::string::npos) << run.text;
  EXPECT_EQ(std::count(run.text.begin(), run.text.end(), '\n'), 1) << run.text;
  const Ran check = winnow(
      std::string("check ") + kDecode + " --machine tiny --policy select --engines golden,systemc,rtl --steps 1-1",
      path);
  EXPECT_EQ(check.code, 0) << check.text;
  EXPECT_NE(check.text.find("not there: rtl (--rtl: topk: verilator is missing"), std::string::npos) << check.text;
  EXPECT_NE(check.text.find("systemc against golden"), std::string::npos) << check.text;
  std::printf("[ compared ] 13 refusals\n");
}

}  // namespace
}  // namespace winnow
