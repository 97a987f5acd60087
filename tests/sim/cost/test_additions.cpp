// What policies add to machines: by hand, and what must hold of all.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "sim/config/machine.h"
#include "sim/config/policy_schema.h"
#include "sim/cost/technology.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"
#include "sim/run/policy_additions.h"

namespace winnow::cost {
namespace {

struct Costed {
  explicit Costed(const std::string& name)
      : machine(load_machine(name)), own(components_of(machine, storage_of(*parts_only(machine)), technology)) {}
  std::vector<Component> adds(const golden::Policy& policy, int group = 3) const {
    return policy_additions(machine, policy, group, own, technology);
  }
  Technology technology = load_technology("paper40");
  Machine machine;
  std::vector<Component> own;
};

double area(const std::vector<Component>& all) {
  double sum = 0;
  for (const Component& c : all) sum += c.area_um2;
  return sum;
}
const Component* find(const std::vector<Component>& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Component& c) { return c.name == name; });
  return at == all.end() ? nullptr : &*at;
}

// Each rule by the hardware that its page of the documentation names, and no other.
TEST(Additions, OfEveryPolicy) {
  const std::map<std::string, std::set<std::string>> expected = {
      {"quest", {"page_bounds", "lists", "group_table"}},
      {"block-top-k", {"lists", "group_table"}},
      {"long-heads", {"lists", "group_table"}},
      {"landmark", {"lists", "group_table"}},
      {"anchor", {"add24", "group_table"}},
      {"early-exit", {"add24", "multiply12"}},
      {"sigmoid", {"add24", "multiply12", "group_table"}},
      {"razor-attention", {"multiply12", "group_table"}},
      {"sparse-d", {"add24"}},
      {"gated", {"multiply12", "group_table", "query_registers"}},
      {"moh", {"multiply12", "group_table", "query_registers"}}};
  int compared = 0;
  for (const char* name : {"spatten", "winnow"}) {
    const Costed of(name);
    for (const golden::PolicyEntry& entry : golden::policies()) {
      if (entry.make().codes_keys()) continue;  // no machine serves it
      const std::vector<Component> added = of.adds(entry.make());
      std::set<std::string> names;
      for (const Component& c : added) {
        names.insert(c.name);
        EXPECT_TRUE(c.estimate) << entry.name << ' ' << c.name;
        EXPECT_GT(c.area_um2, 0) << entry.name << ' ' << c.name;
        EXPECT_FALSE(c.source.empty());
        ++compared;
      }
      const auto at = expected.find(entry.name);
      EXPECT_EQ(names, at == expected.end() ? std::set<std::string>{} : at->second) << entry.name << " on " << name;
      EXPECT_LT(area(added), 0.05 * area(of.own)) << entry.name << ": an option, no machine of its own";
      ++compared;
    }
  }
  std::printf("compared %d additions\n", compared);
}

TEST(Additions, ByHand) {
  const Costed of("spatten");
  // A multiplexer of two inputs, six bits, in front of each of 512 multipliers.
  const std::vector<Component> quest = of.adds(golden::make_policy("quest"));
  const Component* bounds = find(quest, "page_bounds");
  ASSERT_NE(bounds, nullptr);
  EXPECT_EQ(bounds->count, 512u * 6);
  EXPECT_NEAR(bounds->area_um2, 512 * 6 * of.technology.multiplexer_bit().area_um2.value, 1e-6);
  // Two products of twelve bits for the weight of a row.
  const std::vector<Component> gated = of.adds(golden::make_policy("gated"));
  EXPECT_EQ(find(gated, "multiply12")->count, 2u);
  EXPECT_EQ(find(gated, "multiply12")->actions.front().event, "outputs.writes");
  // 16 bits beside each query of 64 words of 12: a 48th of the registers.
  const Component* own = find(of.own, "query_registers");
  ASSERT_NE(own, nullptr);
  EXPECT_NEAR(find(gated, "query_registers")->area_um2 / own->area_um2, 16.0 / (12 * 64), 1e-9);
  // Twice as many multipliers need twice as many choices.
  Costed more("spatten");
  more.machine.qk.multipliers *= 2;
  EXPECT_EQ(find(more.adds(golden::make_policy("quest")), "page_bounds")->count, 2 * bounds->count);
  std::printf("compared 7 figures\n");
}

}  // namespace
}  // namespace winnow::cost
