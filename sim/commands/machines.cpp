#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "sim/commands/commands.h"
#include "sim/config/machine.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

nlohmann::ordered_json to_json(const Machine& m, const Inventory& parts) {
  nlohmann::ordered_json all = {{"machine", m.name}};
  for (const Block* b : parts.all.blocks)
    if (b->there()) all["blocks"].push_back({{"name", b->name()}});
  for (const LinkBase* l : parts.all.links)
    if (l->depth())
      all["links"].push_back({{"name", l->info().name},
                              {"producer", l->info().producer},
                              {"consumer", l->info().consumer},
                              {"depth", l->depth()},
                              {"bits", l->bits()},
                              {"why", l->info().why}});
  for (const MemoryBase* memory : parts.all.memories) {
    if (!memory->there()) continue;
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
    if (l->depth())
      rows.push_back({l->info().name, l->info().producer, l->info().consumer, std::to_string(l->depth()),
                      std::to_string(l->bits()), l->info().why});
  fmt::print("{}\n", align(rows));
  rows = {{"memory", "words", "bits", "banks", "ports", "written by", "read by"}};
  for (const MemoryBase* memory : parts.all.memories) {
    if (!memory->there()) continue;
    const MemoryShape s = memory->shape();
    rows.push_back({memory->name(), std::to_string(s.words), std::to_string(s.bits), std::to_string(s.banks),
                    fmt::format("{}R {}W", s.read_ports, s.write_ports), memory->info().written_by,
                    memory->info().read_by});
  }
  fmt::print("{}", align(rows));
}

std::string kilobytes(std::uint64_t bits) { return fmt::format("{:.1f}", static_cast<double>(bits) / 8 / 1024); }

// K and V of the paper, and its FIFOs, in bits.
constexpr std::uint64_t kPaperKv = 2 * 196 * 1024 * 8, kPaperFifos = 48 * 1024 * 8;

void print_storage(const Machine& m, const Inventory& parts, bool json) {
  const std::vector<Stored> all = storage_of(parts);
  std::map<std::string, std::uint64_t> by_block;
  std::uint64_t total = 0, key_value = 0;
  for (const Stored& s : all) {
    by_block[s.block] += s.total(), total += s.total();
    if (s.name == "key_buffer" || s.name == "value_buffer") key_value += s.total();
  }
  if (json) {
    nlohmann::ordered_json out = {
        {"machine", m.name}, {"head_dim", parts.sizes.head_dim}, {"tokens", parts.sizes.longest}};
    for (const Stored& s : all)
      out["storage"].push_back({{"block", s.block},
                                {"name", s.name},
                                {"kind", s.kind},
                                {"words", s.words},
                                {"bits", s.bits},
                                {"banks", s.banks},
                                {"read_ports", s.read_ports},
                                {"write_ports", s.write_ports},
                                {"total_bits", s.total()}});
    for (const auto& [block, bits] : by_block) out["by_block"][block] = bits;
    out["total_bits"] = total, out["key_value_bits"] = key_value, out["rest_bits"] = total - key_value;
    out["paper"] = {{"key_value_bits", kPaperKv}, {"fifo_bits", kPaperFifos}};
    fmt::print("{}\n", out.dump(1));
    return;
  }
  fmt::print(
      "machine {}: one query head a KV head, D {}, {} tokens; a FIFO counts to its consumer, a memory to its first "
      "reader\n\n",
      m.name, parts.sizes.head_dim, parts.sizes.longest);
  std::vector<std::vector<std::string>> rows{{"block", "what", "kind", "words", "bits", "banks", "ports", "KB"}};
  for (const Stored& s : all)
    rows.push_back({s.block, s.name, s.kind, std::to_string(s.words), std::to_string(s.bits), std::to_string(s.banks),
                    fmt::format("{}R {}W", s.read_ports, s.write_ports), kilobytes(s.total())});
  fmt::print("{}\n", align(rows));
  rows = {{"block", "KB"}};
  for (const auto& [block, bits] : by_block) rows.push_back({block, kilobytes(bits)});
  rows.push_back({"all", kilobytes(total)});
  rows.push_back({"K and V", kilobytes(key_value)});
  rows.push_back({"all else", kilobytes(total - key_value)});
  fmt::print("{}\nThe paper counts {} KB of K and V and {} KB of FIFOs.\n", align(rows), kilobytes(kPaperKv),
             kilobytes(kPaperFifos));
}

}  // namespace

void add_machines_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("machines", "the machines that can be named");
  auto show_name = std::make_shared<std::string>(), parts_name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false), storage = std::make_shared<bool>(false);
  command->add_option("--show", *show_name, "print this machine: every key, its value, unit and rule");
  command->add_option("--parts", *parts_name, "print this machine's blocks, links and memories");
  command->add_flag("--storage", *storage, "with --show: every memory, FIFO and large register, and sums by block");
  command->add_flag("--json", *json, "with --parts or --storage: for programs");
  command->footer(
      example("  winnow machines\n  winnow machines --show spatten-eighth\n  winnow machines --parts spatten\n"
              "  winnow machines --show spatten --storage"));
  command->callback([show_name, parts_name, json, storage] {
    if (*storage && show_name->empty()) throw Error("--storage: must go with --show MACHINE");
    if (*storage) {
      const Machine machine = load_machine(*show_name);
      print_storage(machine, *parts_only(machine), *json);
      return;
    }
    if (!parts_name->empty()) {
      const Machine machine = load_machine(*parts_name);
      const auto parts = parts_only(machine);
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
                      std::to_string(token_limits(m, {m.qk.sram.head_dim}).front().tokens),
                      std::to_string(m.qk.sram.head_dim)});
    }
    fmt::print("{}", align(rows));
  });
}

}  // namespace winnow
