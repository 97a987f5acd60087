// A policy's parameters through the schema: every one is set, shown, and refused outside its rule.
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "sim/config/policy_schema.h"
#include "sim/config/settings.h"
#include "tests/sim/config/text_file.h"

namespace winnow {
namespace {

using test::error_of;
using test::TextFile;

TEST(PolicySchema, SetsEveryKind) {
  golden::Policy policy = golden::make_policy("select");
  Settings settings;
  settings.add("policy", policy_schema(policy));
  for (const char* set : {"k_digits=2,2,2", "msb=truncate", "select_keep=[0.99, 0.95]", "select=count", "rest=false",
                          "v_bits=6", "policy.threshold=0.2", "protect_first=3", "tokens.avg=0.75", "heads.avg=0.5"})
    settings.apply(set);
  EXPECT_EQ(policy.k_digits, (std::vector<int>{2, 2, 2}));
  EXPECT_EQ(policy.msb, golden::MsbRule::truncate);
  EXPECT_EQ(policy.select_keep, (std::vector<double>{0.99, 0.95}));
  EXPECT_EQ(policy.select, golden::SelectRule::count);
  EXPECT_FALSE(policy.rest);
  EXPECT_EQ(policy.v_bits, 6);
  EXPECT_EQ(policy.threshold, 0.2);
  EXPECT_EQ(policy.protect_first, 3);
  EXPECT_EQ(policy.tokens.start, 1.0);
  EXPECT_EQ(policy.tokens.end, 0.5);
  EXPECT_EQ(policy.heads.start, 1.0);
  EXPECT_EQ(policy.heads.end, 0.0);
  settings.apply("select_keep=none");
  EXPECT_TRUE(policy.select_keep.empty());
}

TEST(PolicySchema, RefusesTheRest) {
  golden::Policy policy = golden::make_policy("spatten");
  Settings settings;
  settings.add("policy", policy_schema(policy));
  const std::string before = show_yaml(policy_schema(policy));
  const std::pair<const char*, const char*> bad[] = {
      {"k_digits=4,x", "--set: k_digits: '4,x': must be a list of numbers 1..12 with commas, or none"},
      {"k_digits=4,", "--set: k_digits: '4,': must be a list of numbers 1..12 with commas, or none"},
      {"k_digits=13", "--set: k_digits: '13': must be a list of numbers 1..12 with commas, or none"},
      {"k_digits=", "--set: k_digits: '': must be a list of numbers 1..12 with commas, or none"},
      {"msb=half", "--set: msb: 'half': must be one of midpoint, truncate, round"},
      {"tokens.avg=0.2", "--set: tokens.avg: '0.2': must be a number 0.5..1"},
      {"local_value=2", "--set: local_value: '2': must be a number 0..1"},
      {"treshold=1", "--set: 'treshold': '1': no such key, did you mean threshold?"},
  };
  for (const auto& [text, line] : bad) EXPECT_EQ(error_of([&] { settings.apply(text); }), line);
  EXPECT_EQ(show_yaml(policy_schema(policy)), before);
  std::printf("refused %zu settings\n", std::size(bad));
}

TEST(PolicySchema, ShownValuesAssignAgain) {
  int compared = 0;
  for (const golden::PolicyEntry& entry : golden::policies()) {
    golden::Policy policy = entry.make(),
                   other = golden::make_policy(entry.name == std::string("dense") ? "select" : "dense");
    const Schema from = policy_schema(policy), to = policy_schema(other);
    ASSERT_EQ(from.size(), to.size());
    for (std::size_t i = 0; i < from.size(); ++i)
      if (!from[i].value_text().empty()) to[i].assign("test", from[i].value_text()), ++compared;
    EXPECT_EQ(show_yaml(to), show_yaml(from)) << entry.name;
  }
  std::printf("compared %d parameters\n", compared);
  EXPECT_GT(compared, 60);
}

// What --show prints is a file that loads again, to the last parameter, and prints the same.
TEST(PolicyFile, ShownPoliciesLoadAgain) {
  int compared = 0;
  const auto round_trip = [&](golden::Policy policy) {
    const std::string shown = show_yaml(policy_file_schema(policy));
    const TextFile file(shown);
    golden::Policy again = load_policy(file.path());
    EXPECT_EQ(again.name, policy.name);
    const Schema from = policy_schema(policy), to = policy_schema(again);
    for (std::size_t i = 0; i < from.size(); ++i, ++compared)
      EXPECT_EQ(to[i].value_text(), from[i].value_text()) << policy.name << ": " << from[i].key;
    EXPECT_EQ(show_yaml(policy_file_schema(again)), shown);
  };
  for (const golden::PolicyEntry& entry : golden::policies()) round_trip(entry.make());
  // What no preset has: lists of several numbers, numbers without a short form, every enumeration's other names.
  golden::Policy p = golden::make_policy("select");
  p.name = "two stages: 'mine'", p.k_digits = {2, 2, 4}, p.select_keep = {0.99, 1.0 / 3},
  p.select = golden::SelectRule::count;
  p.msb = golden::MsbRule::truncate, p.tokens = {0.1 + 0.2, 1e-9}, p.permanent = true;
  p.importance = golden::ImportanceRule::normalised, p.protect_first = 4096;
  round_trip(p);
  p.name = "null", p.importance = golden::ImportanceRule::decay, p.permanent = false;
  p.scope = golden::ImportanceScope::kv_head;
  round_trip(p);
  std::printf("compared %d parameters\n", compared);
  EXPECT_GT(compared, 100);
}

TEST(PolicyFile, RefusesWithLineKeyValueAndRule) {
  golden::Policy spatten = golden::make_policy("spatten");
  const std::string good = show_yaml(policy_file_schema(spatten));
  // The file with one line replaced; the line's number comes first in the message.
  const auto with = [&](const std::string& key, const std::string& line) {
    std::string text;
    int number = 0, at = 0;
    std::istringstream lines(good);
    for (std::string l; std::getline(lines, l);) {
      ++number;
      const bool here = l.starts_with(key + ":");
      if (here) at = number;
      if (!here || !line.empty()) text += (here ? line : l) + "\n";
    }
    EXPECT_GT(at, 0) << key;
    return std::pair(text, at);
  };
  const struct {
    const char *key, *line, *words;
  } bad[] = {
      {"k_digits", "k_digits: [8, x]", "k_digits: '[8, x]': must be a list of numbers 1..12 with commas, or none"},
      {"k_digits", "k_digits: [[8], 4]", "k_digits: a list: must be a list of numbers 1..12 with commas, or none"},
      {"k_digits", "k_digits: [8, 5]", "k_digits: [8, 5]: must add up to at most 12 bits"},
      {"k_digits", "k_digits: none", "k_digits: none: must be 1 to 4 digits"},
      {"v_bits", "v_bits: eight", "v_bits: 'eight': must be an integer 2..12"},
      {"v_bits", "v_bits: 13", "v_bits: '13': must be an integer 2..12"},
      {"v_bits", "v_bits: [8]", "v_bits: a list: must be an integer 2..12"},
      {"rest", "rest: yes", "rest: 'yes': must be true or false"},
      {"rest", "rest: true", "rest: true: must be false where select is none"},
      {"msb", "msb: half", "msb: 'half': must be one of midpoint, truncate, round"},
      {"threshold", "threshold: 0", "threshold: 0: must be above 0 where K has two digits"},
      {"local_value", "local_value: 0", "local_value: 0: must be above 0, at most 1"},
      {"select_keep", "select_keep: [0.5]", "select_keep: [0.5]: must be none where select is none"},
      {"scope", "scop: shared", "scop: 'shared': no such key, did you mean scope?"},
      {"renormalise", "tokens.avg: 0.7", "tokens.avg: '0.7': is for --set alone"},
      {"name", "name:", "name: empty: must be a name"},
      {"name", "name: ''", "name: '': must be a name"},
  };
  for (const auto& b : bad) {
    const auto [text, at] = with(b.key, b.line);
    const TextFile file(text);
    const std::string line = error_of([&] { load_policy(file.path()); });
    EXPECT_TRUE(line.starts_with(file.path() + ": line " + std::to_string(at) + ": " + b.words)) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
  for (const char* key : {"name", "scope"}) {
    const TextFile file(with(key, "").first);
    const std::string line = error_of([&] { load_policy(file.path()); });
    EXPECT_TRUE(line.starts_with(file.path() + ": " + key + ": missing: must be ")) << line;
  }
  EXPECT_NE(error_of([] { load_policy("/no/such.yaml"); }).find("/no/such.yaml: open: No such file"),
            std::string::npos);
  std::string known;
  for (const golden::PolicyEntry& entry : golden::policies()) known += std::string(entry.name) + ", ";
  EXPECT_EQ(error_of([] { load_policy("nobody"); }),
            "--policy: 'nobody': no such policy: must be one of " + known + "or a .yaml file");
  std::printf("refused %zu files\n", std::size(bad) + 4);
}

}  // namespace
}  // namespace winnow
