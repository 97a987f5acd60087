// hbm2.yaml: the numbers it gives, and what a wrong file is told.
#include "models/dram/spec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "golden/error.h"

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

TEST(DramSpec, WrongFilesAreNamed) {
  EXPECT_TRUE(names(refused("RP: {cycles: 14,", "RP: {cycles: fast,"),
                    "timing.RP.cycles: 'fast' must be a whole number in 0..1000000"));
  EXPECT_TRUE(names(refused("RP: {cycles: 14, source: ramulator}", "RP: {cycles: 14, source: hearsay}"),
                    "timing.RP.source: 'hearsay' is not listed under sources"));
  EXPECT_TRUE(names(refused("  RP: {cycles: 14, source: ramulator}\n", ""), "timing: key 'RP' is missing"));
  EXPECT_TRUE(names(refused("banks: {count: 4", "banks: {count: 3"), "organization.banks: '3' must be a power of two"));
  EXPECT_TRUE(names(refused("REFI: {cycles: 3900", "REFI: {cycles: 200"), "timing.REFI: must be larger than RFC"));
  EXPECT_TRUE(names(refused("latency: CCDL}", "latency: CCDX}"),
                    "constraints[6].latency: timing 'CCDX' is unknown; hbm2.yaml lists them under timing"));
  EXPECT_TRUE(names(refused("preceding: [ACT]", "preceding: [ACTIVATE]"),
                    "constraints[9].preceding: 'ACTIVATE' must be one of ACT, PRE, PREA, RD, WR, REF"));
  EXPECT_TRUE(names(refused("level: bank,", "level: die,"),
                    "constraints[12].level: 'die' must be one of channel, pseudo_channel, bank_group, bank"));
  EXPECT_TRUE(names(refused("window: 4", "windows: 4"), "constraints[11]: unknown key 'windows'"));
  EXPECT_TRUE(names(refused("M1: [column, bank_group,", "M1: [column, column,"),
                    "mappings.M1: must name column, bank_group, bank and row once each"));
  EXPECT_TRUE(names(refused("default: oconnor2017", "default: nobody"),
                    "energy.default: 'nobody' is not one of the presets below it"));
  EXPECT_TRUE(names(refused("RD: {bus: column", "RD: {bus: row"),
                    "commands.RD: RD and WR use the column bus, all others the row bus"));
  EXPECT_TRUE(refused("timing:", "timing: [").starts_with("x.yaml:"));
  EXPECT_THROW(load_spec("no/such.yaml"), Error);
  fmt::print("compared 14 messages\n");
}

}  // namespace
}  // namespace winnow::dram
