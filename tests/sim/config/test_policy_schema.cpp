// A policy's parameters through the schema: every one is set, shown, and refused outside its rule.
#include <gtest/gtest.h>

#include <cstdio>

#include "sim/config/policy_schema.h"
#include "sim/config/settings.h"
#include "tests/sim/config/text_file.h"

namespace winnow {
namespace {

using test::error_of;

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

}  // namespace
}  // namespace winnow
