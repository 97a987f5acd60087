#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "sim/commands/commands.h"
#include "sim/config/machine.h"
#include "sim/config/policy_schema.h"
#include "sim/config/settings.h"
#include "sim/cost/cost.h"
#include "sim/cost/memory_peak.h"
#include "sim/cost/tables.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"
#include "sim/results/writers.h"
#include "sim/run/policy_additions.h"

namespace winnow {
namespace {

struct CostOptions {
  std::string machine = "spatten", technology = "paper40";
  std::vector<std::string> set;
  std::string policy;
  int group = 1;
  bool sources = false, json = false, arrays = false;
};

nlohmann::ordered_json arrays_json(const Machine& m, const std::vector<cost::Array>& arrays) {
  nlohmann::ordered_json out = {{"machine", m.name}};
  for (const cost::Array& a : arrays)
    out["arrays"].push_back({{"block", a.block},
                             {"name", a.name},
                             {"kind", a.sram ? "sram" : "flip_flops"},
                             {"count", a.count},
                             {"words", a.words},
                             {"bits", a.bits},
                             {"read_ports", a.read_ports},
                             {"write_ports", a.write_ports}});
  out["units"] = cost::unit_names();
  return out;
}

nlohmann::ordered_json component_json(const cost::Component& c) {
  nlohmann::ordered_json one = {{"block", c.block},       {"name", c.name},         {"kind", c.kind},
                                {"count", c.count},       {"area_um2", c.area_um2}, {"leakage_w", c.leakage_w},
                                {"estimate", c.estimate}, {"source", c.source}};
  for (const cost::Action& a : c.actions)
    one["actions"].push_back({{"event", a.event}, {"what", a.what}, {"pj", a.pj}, {"most_a_cycle", a.most_cycle}});
  return one;
}

nlohmann::ordered_json cost_json(const Machine& m, const cost::Technology& t,
                                 const std::vector<cost::Component>& components,
                                 const std::vector<cost::BlockCost>& blocks, double memory_peak) {
  nlohmann::ordered_json out = {{"machine", m.name}, {"technology", t.name}, {"node_nm", t.node_nm.value}};
  double area = 0, leakage = 0, peak = 0;
  for (const cost::BlockCost& b : blocks) {
    out["blocks"][b.block] = {
        {"area_mm2", b.area_mm2}, {"estimated_mm2", b.estimated_mm2}, {"leakage_w", b.leakage_w}, {"peak_w", b.peak_w}};
    area += b.area_mm2, leakage += b.leakage_w, peak += b.peak_w;
  }
  out["area_mm2"] = area, out["leakage_w"] = leakage, out["peak_w"] = peak, out["memory_peak_w"] = memory_peak;
  for (const cost::Component& c : components) out["components"].push_back(component_json(c));
  return out;
}

double area_mm2(const std::vector<cost::Component>& components) {
  double sum = 0;
  for (const cost::Component& c : components) sum += c.area_um2 * 1e-6;
  return sum;
}

void run_cost(const CostOptions& o) {
  Machine machine = load_machine(o.machine);
  Settings settings;
  settings.add("machine", machine_schema(machine));
  for (const std::string& assignment : o.set) settings.apply(assignment);
  require_consistent("--set", machine);
  const cost::Technology technology = cost::load_technology(o.technology);
  const std::vector<Stored> storage = storage_of(*parts_only(machine));
  if (o.arrays) {
    fmt::print("{}\n", arrays_json(machine, cost::arrays_of(machine, storage, technology.arrays)).dump(1));
    return;
  }
  auto components = cost::components_of(machine, storage, technology);
  std::vector<cost::Component> added;
  if (!o.policy.empty()) added = policy_additions(machine, load_policy(o.policy), o.group, components, technology);
  const auto blocks = cost::block_costs(components, machine.clock_ghz);
  const double memory = cost::memory_peak_w(machine);
  if (o.json) {
    auto out = cost_json(machine, technology, components, blocks, memory);
    if (!o.policy.empty()) {
      out["policy"] = o.policy, out["added_mm2"] = area_mm2(added);
      out["added"] = nlohmann::ordered_json::array();
      for (const cost::Component& c : added) out["added"].push_back(component_json(c));
    }
    fmt::print("{}\n", out.dump(1));
    return;
  }
  fmt::print("machine {}, technology {}, {} nm; area of cells and arrays, without placement and pads\n\n{}\n",
             machine.name, technology.name, technology.node_nm.value, align(cost::cost_rows(blocks)));
  fmt::print("The memory beside it, {} channels of {}: at most {}.\n", machine.hbm2.channels, machine.hbm2.type,
             cost::with_prefix(memory, "W"));
  if (!o.policy.empty())
    fmt::print("\nPolicy {} adds {:.4f} mm2, all of it estimated{}\n", o.policy, area_mm2(added),
               added.empty() ? ": nothing that the machine lacks." : ":\n" + align(cost::source_rows(added)));
  if (o.sources) {
    fmt::print("\n{}", align(cost::source_rows(components)));
    fmt::print("\nWires and clock tree: x {}, {}\nClock without work: x {}, {}\nSRAM from {} words on: {}\n",
               technology.wires_and_clock_tree.value, technology.wires_and_clock_tree.source,
               technology.idle_clock.value, technology.idle_clock.source, technology.arrays.least_words,
               technology.arrays_source);
  }
}

}  // namespace

void add_cost_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("cost", "what a machine costs without a run: area, leakage, peak power");
  auto o = std::make_shared<CostOptions>();
  command->add_option("--machine", o->machine, "a name (winnow machines) or a .yaml file")->capture_default_str();
  command->add_option("--technology", o->technology, "a name of sim/technology, or a .yaml file")
      ->capture_default_str();
  command->add_option("--set", o->set, "key=value: another value for a key of the machine")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--policy", o->policy, "what this policy adds, too: a name (winnow policies) or a .yaml file");
  command->add_option("--group", o->group, "query heads a KV head, for --policy")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  command->add_flag("--sources", o->sources, "every array and unit, and where its figures come from");
  command->add_flag("--json", o->json, "for programs: with every component, its actions and sources");
  command->add_flag("--arrays", o->arrays,
                    "only what a technology must know, arrays and units, as JSON (scripts/cost)");
  command->footer(
      example("  winnow cost --machine spatten\n  winnow cost --machine winnow --technology nangate45 --sources\n"
              "  winnow cost --machine winnow --policy quest"));
  command->callback([o] { run_cost(*o); });
}

}  // namespace winnow
