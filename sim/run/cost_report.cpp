#include "sim/run/cost_report.h"

#include <fmt/format.h>

#include <fstream>

#include "golden/error.h"
#include "sim/cost/tables.h"
#include "sim/cost/technology.h"
#include "sim/machine/parts_only.h"
#include "sim/machine/storage.h"
#include "sim/results/writers.h"
#include "sim/run/policy_additions.h"

namespace winnow {
namespace {

constexpr const char* kDefaultTechnology = "paper40";

std::uint64_t count_of(const cost::Events& events, const std::string& name) {
  const auto at = events.find(name);
  return at == events.end() ? 0 : at->second;
}

}  // namespace

cost::Events events_of(const MachineModel& model) {
  StatTree tree("machine");
  model.report(tree, model.now());
  cost::Events events;
  for (const StatTree& part : tree.children())
    for (const Statistic& one : part.statistics())
      if (const auto* n = std::get_if<std::uint64_t>(&one.value)) events[part.key() + "." + one.key] = *n;
  const Register& all = model.parts().all;
  for (const Block* block : all.blocks) events[std::string(block->name()) + ".ticks"] = model.now();
  for (const MemoryBase* memory : all.memories) {
    const std::string name = memory->name();
    // Accesses of a bank where the memory counts them, else words.
    const auto first_of = [&](std::initializer_list<const char*> kinds) {
      for (const char* kind : kinds)
        if (const auto at = events.find(name + kind); at != events.end()) return at->second;
      return std::uint64_t{0};
    };
    const std::uint64_t reads = first_of({".vector_reads", ".port_reads", ".words_read", ".vectors"}),
                        writes = first_of({".vector_writes", ".port_writes", ".words_written", ".vectors"});
    events[name + ".reads"] = reads, events[name + ".writes"] = writes;
  }
  // In the pool K's memory is V's too, and a vector is several banks'.
  if (model.parts().pool)
    for (const auto& [what, kind] : {std::pair{".reads", ".port_reads"}, std::pair{".writes", ".port_writes"}})
      events[std::string("key_buffer") + what] =
          count_of(events, std::string("key_buffer") + kind) + count_of(events, std::string("value_buffer") + kind);
  // Read and written by whoever is at work, which the controller is.
  events["group_table.reads"] = events["group_table.writes"] = count_of(events, "controller.busy");
  for (const LinkBase* link : all.links)
    events[std::string(link->info().name) + ".writes"] = events[std::string(link->info().name) + ".reads"] =
        link->pushed();
  events["hbm2.bursts"] = count_of(events, "hbm2.rd") + count_of(events, "hbm2.wr");
  for (const char* kind : {"exponentials", "divisions"})
    events[std::string("softmax.exact_") + kind] =
        count_of(events, std::string("softmax.") + kind) - count_of(events, std::string("softmax.crude_") + kind);
  return events;
}

RunCost::RunCost(const RunOptions& options, const Job& job) : options_(options), machine_(job.machine()) {
  const bool asked = !options.technology.empty();
  try {
    const cost::Technology technology = cost::load_technology(asked ? options.technology : kDefaultTechnology);
    technology_ = technology.name;
    components_ = cost::components_of(machine_, storage_of(*parts_only(machine_)), technology);
    if (const golden::Policy* policy = job.policy())
      for (cost::Component& c : policy_additions(machine_, *policy, job.shape().group(), components_, technology)) {
        added_mm2_ += c.area_um2 * 1e-6;
        components_.push_back(std::move(c));
      }
  } catch (const Error& e) {
    if (asked || options.sources || !options.accelergy.empty()) throw;
    why_not_ = e.what();
  }
}

void RunCost::report(const MachineModel& model, Cycle cycles, StatTree& result) {
  const cost::Events events = events_of(model);
  cost::Limits limits;
  limits.cycles = model.now();
  const dram::Memory& memory = model.parts().hbm2.memory();
  limits.bytes = count_of(events, "hbm2.bursts") * kBurstBytes;
  const dram::Spec& spec = memory.spec();
  limits.pin_bytes_a_cycle = 2.0 * machine_.hbm2.channels * spec.burst_bytes / spec.evaluate(spec.burst_cycles);
  for (const Block* block : model.parts().all.blocks) limits.blocks.emplace_back(block->name());
  cost::require_possible(events, limits);
  if (!why_not_.empty()) return;

  const cost::Energy energy = cost::energy_of(components_, events, cycles, machine_.clock_ghz);
  const dram::Energy dram = model.parts().hbm2.energy();
  const cost::BlockEnergy off_chip{"memory (off chip)", (dram.total_pj() - dram.background_pj) * 1e-12,
                                   dram.background_pj * 1e-12};
  // Storage (SRAM, flip-flops), or all else.
  const auto of_kinds = [&](bool storage) {
    std::vector<cost::Component> some;
    for (const cost::Component& c : components_)
      if ((c.kind == "sram" || c.kind == "flip_flops") == storage) some.push_back(c);
    const cost::Energy e = cost::energy_of(some, events, cycles, machine_.clock_ghz);
    return cost::BlockEnergy{storage ? "  storage" : "  logic", e.dynamic_j(), e.leakage_j()};
  };
  const auto watts = [&](double joules) { return energy.seconds > 0 ? joules / energy.seconds : 0; };
  StatTree& part = result.part("cost", "cost");
  const auto put = [&](StatTree& to, const cost::BlockEnergy& b) {
    to.joules("dynamic", "dynamic", b.dynamic_j);
    to.joules("leakage", "leakage", b.leakage_j);
    to.joules("energy", "energy", b.total_j());
    to.watts("power", "power", watts(b.total_j()));
  };
  const auto blocks = cost::block_costs(components_, machine_.clock_ghz);
  double area = 0, peak = 0;
  for (const cost::BlockCost& b : blocks) area += b.area_mm2, peak += b.peak_w;
  put(part, {"all", energy.dynamic_j() + off_chip.dynamic_j, energy.leakage_j() + off_chip.leakage_j});
  part.square_millimetres("area", "area", area);
  part.square_millimetres("added_area", "of it added by the policy", added_mm2_);
  part.watts("peak_power", "peak power of the chip", peak);
  put(part.part("chip", "chip"), {"chip", energy.dynamic_j(), energy.leakage_j()});
  const cost::BlockEnergy arrays = of_kinds(true), logic = of_kinds(false);
  put(part.part("chip_storage", "chip: SRAM and flip-flops of storage"), arrays);
  put(part.part("chip_logic", "chip: logic"), logic);
  put(part.part("memory", "memory (off chip)"), off_chip);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    StatTree& to = part.part("block_" + blocks[i].block, blocks[i].block);
    put(to, energy.blocks[i]);
    to.square_millimetres("area", "area", blocks[i].area_mm2);
  }
  // What the energy is made of: how often each thing happened.
  StatTree& counts = part.part("events", "events");
  for (const cost::Component& c : components_)
    for (const cost::Action& a : c.actions) {
      const std::string key = snake_case(a.event);
      if (counts.statistic(key) == nullptr) counts.count(key, a.event, events.at(a.event));
    }

  table_ = fmt::format("energy at {}:\n{}", technology_, align(cost::energy_rows(energy, {arrays, logic}, off_chip)));
  if (options_.sources) table_ += "\n" + align(cost::source_rows(components_));
  if (!options_.accelergy.empty()) {
    std::ofstream file(options_.accelergy);
    file << cost::accelergy_counts(machine_.name, components_, events);
    file.flush();
    if (!file) throw Error(fmt::format("--accelergy: {}: cannot be written", options_.accelergy));
  }
}

std::string RunCost::table() const { return why_not_.empty() ? table_ : fmt::format("no energy: {}\n", why_not_); }

}  // namespace winnow
