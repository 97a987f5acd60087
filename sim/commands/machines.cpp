#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "sim/commands/commands.h"
#include "sim/config/machine.h"
#include "sim/machine/inventory.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

// Nothing to do: the inventory is looked at, not run.
class NoPlans final : public PlanSource {
 public:
  bool more() const override { return false; }
  bool needs_previous() const override { return false; }
  bool begins_step() const override { return false; }
  bool reloads() const override { return false; }
  void reload() override {}
  std::vector<Choice> choices(int) override { return {}; }
  LayerPlan plan(const std::vector<std::vector<std::uint32_t>>&) override { return {}; }
};

// The parts of a machine for one query head a KV head, D as its SRAM counts, and as many tokens as it then holds.
std::unique_ptr<Inventory> parts_of(const Machine& m) {
  Workpiece piece;
  const int head_dim = m.qk.sram.head_dim, tokens = max_tokens(m, head_dim, 1).tokens;
  piece.shape = {1, 1, 1, head_dim, tokens, tokens, true, 1.0};
  piece.longest = tokens;
  return std::make_unique<Inventory>(m, std::move(piece),
                                     [](ImportanceMemory&) { return std::make_unique<NoPlans>(); });
}

nlohmann::ordered_json to_json(const Machine& m, const Inventory& parts) {
  nlohmann::ordered_json all = {{"machine", m.name}};
  for (const Block* b : parts.all.blocks) all["blocks"].push_back({{"name", b->name()}});
  for (const LinkBase* l : parts.all.links)
    all["links"].push_back({{"name", l->info().name},
                            {"producer", l->info().producer},
                            {"consumer", l->info().consumer},
                            {"depth", l->depth()},
                            {"bits", l->bits()},
                            {"why", l->info().why}});
  for (const MemoryBase* memory : parts.all.memories) {
    const MemoryShape s = memory->shape();
    all["memories"].push_back({{"name", memory->name()},
                               {"written_by", memory->info().written_by},
                               {"read_by", memory->info().read_by},
                               {"words", s.words},
                               {"bits", s.bits},
                               {"banks", s.banks},
                               {"read_ports", s.read_ports},
                               {"write_ports", s.write_ports}});
  }
  return all;
}

void print_parts(const Machine& m, const Inventory& parts) {
  fmt::print("machine {}: one query head a KV head, D {}, {} tokens\n\n", m.name, parts.sizes.head_dim,
             parts.sizes.longest);
  std::vector<std::vector<std::string>> rows{{"link", "from", "to", "depth", "bits", "why that deep"}};
  for (const LinkBase* l : parts.all.links)
    rows.push_back({l->info().name, l->info().producer, l->info().consumer, std::to_string(l->depth()),
                    std::to_string(l->bits()), l->info().why});
  fmt::print("{}\n", align(rows));
  rows = {{"memory", "words", "bits", "banks", "ports", "written by", "read by"}};
  for (const MemoryBase* memory : parts.all.memories) {
    const MemoryShape s = memory->shape();
    rows.push_back({memory->name(), std::to_string(s.words), std::to_string(s.bits), std::to_string(s.banks),
                    fmt::format("{}R {}W", s.read_ports, s.write_ports), memory->info().written_by,
                    memory->info().read_by});
  }
  fmt::print("{}", align(rows));
}

}  // namespace

void add_machines_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("machines", "the machines that can be named");
  auto show_name = std::make_shared<std::string>(), parts_name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("--show", *show_name, "print this machine: every key, its value, unit and rule");
  command->add_option("--parts", *parts_name, "print this machine's blocks, links and memories");
  command->add_flag("--json", *json, "with --parts: for programs");
  command->footer(
      example("  winnow machines\n  winnow machines --show spatten-eighth\n  winnow machines --parts spatten"));
  command->callback([show_name, parts_name, json] {
    if (!parts_name->empty()) {
      const Machine machine = load_machine(*parts_name);
      const auto parts = parts_of(machine);
      if (*json)
        fmt::print("{}\n", to_json(machine, *parts).dump(1));
      else
        print_parts(machine, *parts);
      return;
    }
    if (!show_name->empty()) {
      Machine machine = load_machine(*show_name);
      fmt::print("{}", show_yaml(machine_schema(machine)));
      return;
    }
    std::vector<std::vector<std::string>> rows{
        {"machine", "multipliers", "channels", "softmax", "P", "tokens", "at D"}};
    for (const std::string& name : machine_names()) {
      const Machine m = load_machine(name);
      rows.push_back({name, fmt::format("{} + {}", m.qk.multipliers, m.pv.multipliers), std::to_string(m.hbm2.channels),
                      std::to_string(m.softmax.width), std::to_string(m.topk.parallelism),
                      std::to_string(max_tokens(m, m.qk.sram.head_dim, 1).tokens), std::to_string(m.qk.sram.head_dim)});
    }
    fmt::print("{}", align(rows));
  });
}

}  // namespace winnow
