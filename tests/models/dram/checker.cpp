// The checker must catch a planted violation of every rule and name it: each case is legal up to its last command,
// which is legal at one cycle and breaks exactly one rule a cycle earlier (or, for state rules, in any cycle).
#include "models/dram/checker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "models/dram/driver.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

constexpr Command ACT = Command::activate, PRE = Command::precharge, PREA = Command::precharge_all, RD = Command::read,
                  WR = Command::write, REF = Command::refresh;

struct Planted {
  const char* name;
  const char* rule;
  std::vector<std::pair<const char*, int>> numbers;  // so that no other rule binds at the same cycle
  std::vector<IssuedCommand> before;                 // cycle, command, pseudo-channel, group, bank, row, column
  IssuedCommand last;                                // cycle: the first in which it is legal
};

std::set<std::string> broken(const Planted& c, Cycle early) {
  Spec spec = default_spec();
  for (const auto& [name, value] : c.numbers) spec = spec.with(name, value);
  CommandChecker checker(spec, 2);
  for (const IssuedCommand& b : c.before) checker.command(b);
  EXPECT_EQ(checker.violation_count(), 0u)
      << c.name << ": " << (checker.violations().empty() ? "" : checker.violations()[0].text);
  IssuedCommand last = c.last;
  last.cycle -= early;
  checker.command(last);
  std::set<std::string> rules;
  for (const auto& v : checker.violations()) rules.insert(v.rule);
  return rules;
}

// Cycles written out from the numbers: an ACT in cycle t is complete in t + 1.
const std::vector<Planted> kTimed = {
    {"ACT-RD same bank", "tRCDRD", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 1 + 14, RD, 0, 0, 0, 1, 0}},
    {"ACT-WR same bank", "tRCDWR", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 1 + 12, WR, 0, 0, 0, 1, 0}},
    {"ACT-PRE same bank", "tRAS", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 1 + 34, PRE, 0, 0, 0, 0, 0}},
    {"ACT-PREA", "tRAS", {}, {{10, ACT, 0, 1, 2, 1, 0}}, {10 + 1 + 34, PREA, 0, 0, 0, 0, 0}},
    {"ACT-ACT same bank",
     "tRC",
     {{"RC", 60}},
     {{10, ACT, 0, 0, 0, 1, 0}, {45, PRE, 0, 0, 0, 0, 0}},
     {10 + 60, ACT, 0, 0, 0, 2, 0}},
    {"ACT-REF",
     "tRC",
     {{"RC", 60}},
     {{10, ACT, 0, 0, 0, 1, 0}, {45, PRE, 0, 0, 0, 0, 0}},
     {10 + 1 + 60, REF, 0, 0, 0, 0, 0}},
    {"PRE-ACT same bank",
     "tRP",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {50, PRE, 0, 0, 0, 0, 0}},
     {50 + 14 - 1, ACT, 0, 0, 0, 2, 0}},
    {"PREA-ACT", "tRP", {}, {{10, ACT, 0, 3, 3, 1, 0}, {50, PREA, 0, 0, 0, 0, 0}}, {50 + 14 - 1, ACT, 0, 3, 3, 2, 0}},
    {"PRE-REF", "tRP", {}, {{10, ACT, 0, 0, 0, 1, 0}, {50, PRE, 0, 0, 0, 0, 0}}, {50 + 14, REF, 0, 0, 0, 0, 0}},
    {"PREA-REF", "tRP", {}, {{10, ACT, 0, 1, 1, 1, 0}, {50, PREA, 0, 0, 0, 0, 0}}, {50 + 14, REF, 0, 0, 0, 0, 0}},
    {"RD-PRE same bank", "tRTP", {}, {{10, ACT, 0, 0, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}}, {60 + 5, PRE, 0, 0, 0, 0, 0}},
    {"RD-PREA", "tRTP", {}, {{10, ACT, 0, 2, 0, 1, 0}, {60, RD, 0, 2, 0, 1, 0}}, {60 + 5, PREA, 0, 0, 0, 0, 0}},
    {"WR-PRE same bank",
     "tWR",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 5 + 2 + 16, PRE, 0, 0, 0, 0, 0}},
    {"WR-PREA", "tWR", {}, {{10, ACT, 0, 0, 2, 1, 0}, {60, WR, 0, 0, 2, 1, 0}}, {60 + 5 + 2 + 16, PREA, 0, 0, 0, 0, 0}},
    {"RD-RD other group",
     "tCCD_S",
     {{"CCDS", 3}},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 0, 1, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}},
     {60 + 3, RD, 0, 1, 0, 1, 0}},
    {"WR-WR other group",
     "tCCD_S",
     {{"CCDS", 3}},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 0, 1, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 3, WR, 0, 1, 0, 1, 0}},
    {"RD-RD same group",
     "tCCD_L",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}},
     {60 + 4, RD, 0, 0, 0, 1, 1}},
    {"WR-WR same group",
     "tCCD_L",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 4, WR, 0, 0, 0, 1, 1}},
    {"RD-RD data",
     "data bus",
     {{"CCDS", 1}},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 0, 1, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}},
     {60 + 2, RD, 0, 1, 0, 1, 0}},
    {"WR-WR data",
     "data bus",
     {{"CCDS", 1}},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 0, 1, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 2, WR, 0, 1, 0, 1, 0}},
    {"RD-WR",
     "tRTW",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}},
     {60 + 14 + 2 + 2 - 5, WR, 0, 0, 0, 1, 1}},
    {"WR-RD other group",
     "tWTR_S",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 0, 1, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 5 + 2 + 6, RD, 0, 1, 0, 1, 0}},
    {"WR-RD same group",
     "tWTR_L",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {60, WR, 0, 0, 0, 1, 0}},
     {60 + 5 + 2 + 8, RD, 0, 0, 0, 1, 1}},
    {"ACT-ACT other group", "tRRD_S", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 4, ACT, 0, 1, 0, 1, 0}},
    {"ACT-ACT same group", "tRRD_L", {{"RRDL", 6}}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 6, ACT, 0, 0, 1, 1, 0}},
    {"fifth ACT",
     "tFAW",
     {{"FAW", 30}},
     {{10, ACT, 0, 0, 0, 1, 0}, {14, ACT, 0, 1, 0, 1, 0}, {18, ACT, 0, 2, 0, 1, 0}, {22, ACT, 0, 3, 0, 1, 0}},
     {10 + 30, ACT, 0, 0, 1, 1, 0}},
    {"REF-ACT", "tRFC", {}, {{10, REF, 0, 0, 0, 0, 0}}, {10 + 260 - 1, ACT, 0, 0, 0, 1, 0}},
    {"REF-PREA", "tRFC", {}, {{10, REF, 0, 0, 0, 0, 0}}, {10 + 260, PREA, 0, 0, 0, 0, 0}},
    {"REF-REF", "tRFC", {}, {{10, REF, 0, 0, 0, 0, 0}}, {10 + 260, REF, 0, 0, 0, 0, 0}},
    {"ACT holds the row bus", "row bus", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {10 + 2, ACT, 1, 0, 0, 1, 0}},
    {"ACT holds the row bus against PRE",
     "row bus",
     {},
     {{10, ACT, 1, 0, 0, 1, 0}, {60, ACT, 0, 0, 0, 1, 0}},
     {60 + 2, PRE, 1, 0, 0, 0, 0}},
    {"ACT holds the row bus against PREA",
     "row bus",
     {},
     {{10, ACT, 1, 0, 0, 1, 0}, {60, ACT, 0, 0, 0, 1, 0}},
     {60 + 2, PREA, 1, 0, 0, 0, 0}},
    {"ACT holds the row bus against REF", "row bus", {}, {{60, ACT, 0, 0, 0, 1, 0}}, {60 + 2, REF, 1, 0, 0, 0, 0}},
    {"one row command a cycle", "row bus", {}, {{10, REF, 0, 0, 0, 0, 0}}, {10 + 1, REF, 1, 0, 0, 0, 0}},
    {"one column command a cycle",
     "column bus",
     {},
     {{10, ACT, 0, 0, 0, 1, 0}, {20, ACT, 1, 0, 0, 1, 0}, {60, RD, 0, 0, 0, 1, 0}},
     {60 + 1, RD, 1, 0, 0, 1, 0}},
};

const std::vector<Planted> kState = {
    {"ACT on an open bank", "ACT to an open bank", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, ACT, 0, 0, 0, 2, 0}},
    {"PRE on a closed bank", "PRE to a closed bank", {}, {}, {100, PRE, 0, 0, 0, 0, 0}},
    {"RD on a closed bank", "RD to a closed bank", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, RD, 0, 0, 1, 1, 0}},
    {"RD of the other pseudo-channel", "RD to a closed bank", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, RD, 1, 0, 0, 1, 0}},
    {"RD after PREA",
     "RD to a closed bank",
     {},
     {{10, ACT, 0, 2, 1, 1, 0}, {60, PREA, 0, 0, 0, 0, 0}},
     {100, RD, 0, 2, 1, 1, 0}},
    {"WR on a closed bank", "WR to a closed bank", {}, {}, {100, WR, 0, 0, 0, 1, 0}},
    {"RD of another row", "RD to a row that is not open", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, RD, 0, 0, 0, 2, 0}},
    {"WR of another row", "WR to a row that is not open", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, WR, 0, 0, 0, 2, 0}},
    {"REF with a row open", "REF with an open row", {}, {{10, ACT, 0, 0, 0, 1, 0}}, {100, REF, 0, 0, 0, 0, 0}},
    {"bank beyond the group", "address out of range", {}, {}, {100, ACT, 0, 0, 4, 1, 0}},
    {"row beyond the bank", "address out of range", {}, {}, {100, ACT, 0, 0, 0, 32768, 0}},
    {"no refresh for two intervals", "tREFI", {}, {{7799, REF, 1, 0, 0, 0, 0}}, {7800, PREA, 0, 0, 0, 0, 0}},
};

TEST(DramChecker, CatchesAPlantedViolationOfEveryTimingRule) {
  std::set<std::string> rules;
  for (const Planted& c : kTimed) {
    EXPECT_EQ(broken(c, 0), std::set<std::string>{}) << c.name << " at its first legal cycle";
    EXPECT_EQ(broken(c, 1), std::set<std::string>{c.rule}) << c.name << " one cycle early";
    rules.insert(c.rule);
  }
  EXPECT_EQ(rules.size(), 19u);
  fmt::print("compared {} sequences of {} rules, each legal and one cycle early\n", kTimed.size(), rules.size());
}

TEST(DramChecker, CatchesAPlantedViolationOfEveryStateRule) {
  for (const Planted& c : kState) EXPECT_EQ(broken(c, 0), std::set<std::string>{c.rule}) << c.name;
  fmt::print("compared {} sequences\n", kState.size());
}

// The controller with one line of its constraint table missing, under streams that press on everything: the checker
// must notice. One line cannot bind here: this controller precharges all banks only before a refresh, and
// REF-ACT is the longer wait; the planted sequences above hold it.
TEST(DramChecker, CatchesAControllerThatMissesALineOfItsTable) {
  // As loaded, some lines are implied by others; these numbers make each the one that binds.
  const std::vector<std::vector<std::pair<const char*, int>>> variants = {{},
                                                                          {{"CCDS", 3}},
                                                                          {{"CCDS", 1}},
                                                                          {{"RRDL", 6}, {"FAW", 30}},
                                                                          {{"RC", 60}},
                                                                          {{"RRDS", 5}},
                                                                          {{"RAS", 60}, {"RC", 60}},
                                                                          {{"WR", 40}},
                                                                          {{"RTP", 40}},
                                                                          {{"WTRS", 10}}};
  const RequestStream streams[] = {test::random_reads(1, 4'000), test::random_mixed(2, 6'000, 50),
                                   test::strided_reads(4'000, 32), test::strided_reads(1'000, 16384),
                                   test::random_mixed(4, 6'000, 50, 1 << 18)};
  const std::size_t lines = default_spec().constraints.size();
  int caught = 0;
  for (std::size_t line = 0; line < lines; ++line) {
    std::set<std::string> rules;
    for (const auto& numbers : variants)
      for (const RequestStream& stream : streams) {
        if (!rules.empty()) break;
        Spec right = default_spec();
        for (const auto& [name, value] : numbers) right = right.with(name, value);
        Spec wrong = right;
        wrong.constraints.erase(wrong.constraints.begin() + static_cast<std::ptrdiff_t>(line));
        DriverConfig d;
        d.controller = right.controller("ch");
        CommandChecker checker(right, 2);
        drive(wrong, d, stream, &checker);
        for (const auto& v : checker.violations()) rules.insert(v.rule);
      }
    const Constraint& c = default_spec().constraints[line];
    std::string names;
    for (const std::string& r : rules) names += r + " ";
    fmt::print("without {} -> {}, {}: {}\n", name(c.preceding[0]), name(c.following[0]), c.latency, names);
    const bool hidden = c.preceding[0] == PREA && c.following[0] == ACT;
    EXPECT_EQ(rules.empty(), hidden) << "line " << line;
    caught += !rules.empty();
  }
  EXPECT_EQ(caught, static_cast<int>(lines) - 1);
  fmt::print("compared {} tables, {} caught\n", lines, caught);
}

TEST(DramChecker, CatchesAControllerThatDoesNotRefresh) {
  const Spec& right = default_spec();
  DriverConfig d;
  d.controller = right.controller("ch");
  CommandChecker checker(right, 2);
  drive(right.with("REFI", 1'000'000), d, test::strided_reads(20'000, 32), &checker);
  ASSERT_GT(checker.violation_count(), 0u);
  EXPECT_EQ(checker.violations()[0].rule, "tREFI");
  fmt::print("compared 1 rule, {} violations\n", checker.violation_count());
}

}  // namespace
}  // namespace winnow::dram
