// hbm2.yaml: the numbers it gives, and what a wrong file is told.
#include "models/dram/spec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden/error.h"
#include "models/dram/driver.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

std::string yaml() {
  std::ifstream in(WINNOW_SOURCE_DIR "/models/dram/hbm2.yaml");
  std::ostringstream s;
  s << in.rdbuf();
  return s.str();
}

// The file with one piece of text replaced, and what the reader says of it.
std::string refused(const std::string& from, const std::string& to) {
  std::string text = yaml();
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  try {
    parse_spec(text, "x.yaml");
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

bool names(const std::string& message, const std::string& place_and_rule) {
  // x.yaml:<line>: <rest>
  const std::size_t colon = message.find(": ");
  return message.starts_with("x.yaml:") && colon != std::string::npos && std::stoi(message.substr(7)) > 0 &&
         message.substr(colon + 2) == place_and_rule;
}

TEST(DramSpec, HoldsTheNumbersAndTheirSources) {
  const Spec& s = default_spec();
  const std::pair<const char*, int> numbers[] = {{"CL", 14},  {"CWL", 5},   {"RCDRD", 14},  {"RCDWR", 12}, {"RP", 14},
                                                 {"RAS", 34}, {"RC", 48},   {"CCDS", 2},    {"CCDL", 4},   {"RRDS", 4},
                                                 {"RRDL", 4}, {"FAW", 15},  {"RTP", 5},     {"WR", 16},    {"WTRS", 6},
                                                 {"WTRL", 8}, {"RFC", 260}, {"REFI", 3900}, {"BL", 2}};
  for (const auto& [name, cycles] : numbers) EXPECT_EQ(s.cycles(name), cycles) << name;
  int sourced = 0;
  for (const TimingParameter& p : s.timing) {
    EXPECT_FALSE(p.source.empty()) << p.name;
    for (const auto& [cycles, source] : p.others) EXPECT_FALSE(source.empty());
    ++sourced;
  }
  EXPECT_EQ(s.channel_bytes(1), std::uint64_t{512} << 20);
  EXPECT_EQ(s.channel_bytes(2), std::uint64_t{1} << 30);
  EXPECT_EQ(s.evaluate("CL + BL + RTW - CWL"), 13);
  EXPECT_EQ(s.with("FAW", 30).cycles("FAW"), 30);
  EXPECT_THROW(s.cycles("XYZ"), Error);
  EXPECT_THROW(s.evaluate("CL + "), Error);
  EXPECT_THROW(s.evaluate("CL CWL"), Error);
  EXPECT_THROW(s.controller("quad"), Error);
  fmt::print("compared {} numbers, {} with a source\n", std::size(numbers) + 9, sourced);
}

// A table that calls levels, commands and timings by other names is the same memory: no code knows HBM2's names.
TEST(DramSpec, NamesBelongToTheTable) {
  std::string text = yaml();
  const auto rename = [&text](const std::string& word, const std::string& to) {
    const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos;) {
      const bool whole = !part(text[at - 1]) && !part(text[at + word.size()]);
      if (whole) text.replace(at, word.size(), to);
      at += whole ? to.size() : word.size();
    }
  };
  // Not the keys of controllers and organization, which are the reader's.
  for (const auto& [word, to] : {std::pair{"ACT", "ACT1"},
                                 {"PREA", "PREab"},
                                 {"REF", "REFab"},
                                 {"RCDRD", "RCDr"},
                                 {"CL", "RL"},
                                 {"BL", "BLn"},
                                 {"REFI", "tREFI"},
                                 {"RFC", "RFCab"},
                                 {"M2", "wide"}})
    rename(word, to);
  const std::string levels = "levels: [channel, pseudo_channel, bank_group, bank]";
  text.replace(text.find(levels), levels.size(), "levels: [channel, rank, bank_group, bank]");
  for (std::size_t at; (at = text.find("level: pseudo_channel")) != std::string::npos;)
    text.replace(at, std::string("level: pseudo_channel").size(), "level: rank");
  const Spec renamed = parse_spec(text, "other.yaml");
  EXPECT_EQ(renamed.type, "other");
  EXPECT_EQ(renamed.command_names[0], "ACT1");
  EXPECT_EQ(renamed.level_names[1], "rank");
  EXPECT_EQ(renamed.mapping_names(), (std::vector<std::string>{"M1", "wide"}));
  int compared = 4;
  for (const char* preset : {"pc", "ch"}) {
    DriverConfig d{default_spec().controller(preset), "M2", 0, true}, e{renamed.controller(preset), "wide", 0, true};
    const RequestStream stream = test::random_mixed(3, 5'000, 30);
    const DriverResult a = drive(default_spec(), d, stream), b = drive(renamed, e, stream);
    EXPECT_EQ(a.cycles, b.cycles);
    EXPECT_EQ(a.statistics.activates, b.statistics.activates);
    EXPECT_EQ(a.statistics.refreshes, b.statistics.refreshes);
    EXPECT_EQ(a.statistics.read_latency_cycles, b.statistics.read_latency_cycles);
    EXPECT_EQ(a.bytes_per_second(default_spec()), b.bytes_per_second(renamed));
    compared += 5;
  }
  fmt::print("compared {} values\n", compared);
}

TEST(DramSpec, MemoryTypesAreTheFilesOfTheFolder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WINNOW_SOURCE_DIR "/models/dram"))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().stem().string());
  std::vector<std::string> types = memory_types();
  std::sort(files.begin(), files.end());
  std::sort(types.begin(), types.end());
  EXPECT_EQ(types, files);
  for (const std::string& type : types) EXPECT_EQ(memory_spec(type).type, type);
  try {
    memory_spec("core");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_TRUE(std::string(e.what()).starts_with("memory type 'core' is unknown; it must be one of ")) << e.what();
  }
  fmt::print("compared {} types\n", types.size());
}

TEST(DramSpec, WrongFilesAreNamed) {
  EXPECT_TRUE(names(refused("RP: {cycles: 14,", "RP: {cycles: fast,"),
                    "timing.RP.cycles: 'fast' must be a whole number in 0..1000000"));
  EXPECT_TRUE(names(refused("RP: {cycles: 14, source: ramulator}", "RP: {cycles: 14, source: hearsay}"),
                    "timing.RP.source: 'hearsay' is not listed under sources"));
  EXPECT_TRUE(names(refused("  RP: {cycles: 14, source: ramulator}\n", ""),
                    "constraints[17].latency: timing 'RP' is unknown; x.yaml lists them under timing"));
  EXPECT_TRUE(names(refused("banks: {count: 4", "banks: {count: 3"), "organization.banks: '3' must be a power of two"));
  EXPECT_TRUE(names(refused("REFI: {cycles: 3900", "REFI: {cycles: 200"),
                    "controller.refresh_interval: REFI must be larger than RFC"));
  EXPECT_TRUE(names(refused("latency: CCDL}", "latency: CCDX}"),
                    "constraints[6].latency: timing 'CCDX' is unknown; x.yaml lists them under timing"));
  EXPECT_TRUE(names(refused("preceding: [ACT]", "preceding: [ACTIVATE]"),
                    "constraints[9].preceding: 'ACTIVATE' must be one of ACT, PRE, PREA, RD, WR, REF"));
  EXPECT_TRUE(names(refused("level: bank,", "level: die,"),
                    "constraints[12].level: 'die' must be one of channel, pseudo_channel, bank_group, bank"));
  EXPECT_TRUE(names(refused("window: 4", "windows: 4"), "constraints[11]: unknown key 'windows'"));
  EXPECT_TRUE(names(refused("M1: [column, bank_group,", "M1: [column, column,"),
                    "mappings.M1: must name column, bank_group, bank and row once each"));
  EXPECT_TRUE(names(refused("default: oconnor2017", "default: nobody"),
                    "energy.default: 'nobody' is not one of the presets below it"));
  EXPECT_TRUE(names(refused("RD: {does: read, bus: column", "RD: {does: read, bus: row"),
                    "commands.RD: reads and writes use the column bus, all others the row bus"));
  EXPECT_TRUE(
      names(refused("RD: {does: read", "RD: {does: fetch"),
            "commands.RD.does: 'fetch' must be one of activate, precharge, precharge_all, read, write, refresh"));
  EXPECT_TRUE(names(refused("PREA: {does: precharge_all", "PREA: {does: precharge"),
                    "commands.PREA.does: 'precharge' is what PRE does"));
  EXPECT_TRUE(names(refused("read_latency: CL + BL", "read_latency: CX + BL"),
                    "controller.read_latency: timing 'CX' is unknown; x.yaml lists them under timing"));
  EXPECT_TRUE(
      names(refused("burst_cycles: BL", "burst_cycles: BL - BL"), "controller.burst_cycles: 0: must be at least 1"));
  EXPECT_TRUE(names(refused("levels: [channel, pseudo_channel", "levels: [channel, channel"),
                    "levels: must be different names"));
  EXPECT_TRUE(refused("timing:", "timing: [").starts_with("x.yaml:"));
  EXPECT_THROW(load_spec("no/such.yaml"), Error);
  fmt::print("compared 19 messages\n");
}

}  // namespace
}  // namespace winnow::dram
