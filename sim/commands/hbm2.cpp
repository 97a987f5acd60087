#include "sim/commands/hbm2.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "models/dram/driver.h"
#include "models/dram/energy.h"
#include "models/dram/stream.h"
#include "sim/commands/commands.h"
#include "sim/results/progress.h"

namespace winnow {
namespace {

using dram::DriverConfig;
using dram::DriverResult;
using dram::RequestStream;
using dram::Spec;

struct Options {
  std::string stream, preset = "ch", mapping = "M2", window = "0", offers, energy, timing, dump;
  bool json = false, sensitivity = false;
};

std::uint64_t window_of(const std::string& word) {
  if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
    throw Error(fmt::format("--window: '{}' must be a whole number in 0..999999999 (0: offer until refused)", word));
  return std::stoull(word);
}

int offers_of(const std::string& word) {
  if (word.size() != 1 || word[0] < '1' || word[0] > '8')
    throw Error(fmt::format("--offers: '{}' must be a whole number in 1..8", word));
  return word[0] - '0';
}

DriverResult simulate(const Spec& spec, const DriverConfig& config, const RequestStream& stream) {
  dram::StreamDriver driver(spec, config, stream);
  Progress progress("hbm2", stream.bursts.size(), "bursts");
  while (!driver.run(1'000'000)) progress.at(driver.accepted(), static_cast<double>(driver.accepted()));
  return driver.result();
}

// What other public sources say of each number, one at a time.
struct Sensitivity {
  std::string name, source;
  int cycles = 0, instead_of = 0;
  std::uint64_t run_cycles = 0;
};

std::vector<Sensitivity> sensitivity(const Spec& spec, const DriverConfig& config, const RequestStream& stream) {
  std::vector<Sensitivity> list;
  for (const dram::TimingParameter& p : spec.timing)
    for (const auto& [cycles, source] : p.others)
      list.push_back({p.name, source, cycles, p.cycles, simulate(spec.with(p.name, cycles), config, stream).cycles});
  return list;
}

struct Report {
  const Options& options;
  const Spec& spec;
  const DriverConfig& config;
  const RequestStream& stream;
  DriverResult result;
  std::vector<Sensitivity> sensitivity;

  std::string energy_name() const { return options.energy.empty() ? spec.default_energy : options.energy; }
  dram::Energy energy() const {
    return dram::energy(spec, spec.energy_preset(options.energy), result.statistics, config.controller.pseudo_channels);
  }
  double energy_per_bit(double pj) const { return pj / (static_cast<double>(result.bursts) * spec.burst_bytes * 8); }

  void print() const {
    const dram::Statistics& s = result.statistics;
    const dram::Energy e = energy();
    const double got = result.bytes_per_second(spec) / 1e9,
                 peak = result.peak_bytes_per_second(spec, config.controller.pseudo_channels) / 1e9;
    fmt::print("stream             {}: {} requests, {} bursts of {} B ({} read, {} written)\n", options.stream,
               stream.requests, result.bursts, spec.burst_bytes, stream.reads, stream.writes);
    fmt::print("memory             {}, mapping {}, window {}, {} offered a cycle\n", options.preset, config.mapping,
               config.window ? std::to_string(config.window) : "0 (offer until refused)", config.controller.offers);
    fmt::print("cycles             {}\n", result.cycles);
    fmt::print("bandwidth          {:.2f} GB/s, {:.1f} % of {:.0f} GB/s\n", got, 100 * got / peak, peak);
    fmt::print("mean read latency  {:.1f} cycles\n", s.mean_read_latency_cycles());
    fmt::print("commands           ACT {}  PRE {}  PREA {}  RD {}  WR {}  REF {}\n", s.activates, s.precharges,
               s.precharge_alls, s.reads, s.writes, s.refreshes);
    fmt::print("rows               {} hits, {} misses, {} conflicts\n", s.row_hits, s.row_misses, s.row_conflicts);
    fmt::print("write queue        {} reads answered from it, {} writes merged in it\n", s.forwarded_reads,
               s.coalesced_writes);
    fmt::print("energy             {:.3f} uJ, {:.2f} pJ/b ({})\n", e.total_pj() * 1e-6, energy_per_bit(e.total_pj()),
               energy_name());
    const std::pair<const char*, double> parts[] = {{"ACT", e.activate_pj},    {"read", e.read_pj},
                                                    {"write", e.write_pj},     {"I/O", e.io_pj},
                                                    {"refresh", e.refresh_pj}, {"background", e.background_pj}};
    for (const auto& [name, pj] : parts)
      fmt::print("  {:16} {:.3f} uJ, {:.2f} pJ/b\n", name, pj * 1e-6, energy_per_bit(pj));
    if (sensitivity.empty()) return;
    fmt::print("\n{:8} {:>6} {:>10} {:>12} {:>8}  {}\n", "timing", "here", "elsewhere", "cycles", "change", "source");
    for (const Sensitivity& v : sensitivity)
      fmt::print("{:8} {:>6} {:>10} {:>12} {:>+7.2f}%  {}\n", v.name, v.instead_of, v.cycles, v.run_cycles,
                 100.0 * (static_cast<double>(v.run_cycles) / static_cast<double>(result.cycles) - 1.0), v.source);
  }

  void print_json() const {
    const dram::Statistics& s = result.statistics;
    const dram::Energy e = energy();
    nlohmann::ordered_json j;
    j["stream"] = options.stream;
    j["preset"] = options.preset;
    j["mapping"] = config.mapping;
    j["window"] = config.window;
    j["offers"] = config.controller.offers;
    j["requests"] = stream.requests;
    j["bursts"] = result.bursts;
    j["cycles"] = result.cycles;
    j["bandwidth_bytes_per_second"] = result.bytes_per_second(spec);
    j["peak_bytes_per_second"] = result.peak_bytes_per_second(spec, config.controller.pseudo_channels);
    j["mean_read_latency_cycles"] = s.mean_read_latency_cycles();
    j["bytes_read"] = s.bytes_read;
    j["bytes_written"] = s.bytes_written;
    j["commands"] = {{"ACT", s.activates}, {"PRE", s.precharges}, {"PREA", s.precharge_alls},
                     {"RD", s.reads},      {"WR", s.writes},      {"REF", s.refreshes}};
    j["row_hits"] = s.row_hits;
    j["row_misses"] = s.row_misses;
    j["row_conflicts"] = s.row_conflicts;
    j["forwarded_reads"] = s.forwarded_reads;
    j["coalesced_writes"] = s.coalesced_writes;
    j["busy_cycles"] = s.busy_cycles;
    j["row_open_cycles"] = s.row_open_cycles;
    j["refresh_cycles"] = s.refresh_cycles;
    j["energy_preset"] = energy_name();
    j["energy_pj"] = {{"activate", e.activate_pj}, {"read", e.read_pj},
                      {"write", e.write_pj},       {"io", e.io_pj},
                      {"refresh", e.refresh_pj},   {"background", e.background_pj},
                      {"total", e.total_pj()}};
    for (const Sensitivity& v : sensitivity)
      j["sensitivity"].push_back({{"timing", v.name},
                                  {"cycles_here", v.instead_of},
                                  {"cycles_elsewhere", v.cycles},
                                  {"source", v.source},
                                  {"run_cycles", v.run_cycles}});
    fmt::print("{}\n", j.dump(2));
  }
};

void run(const Options& o) {
  const Spec spec = o.timing.empty() ? dram::memory_spec("hbm2") : dram::load_spec(o.timing);
  DriverConfig config;
  config.controller = spec.controller(o.preset);
  config.mapping = o.mapping;
  spec.mapping(o.mapping);
  spec.energy_preset(o.energy);
  config.window = window_of(o.window);
  if (!o.offers.empty()) config.controller.offers = offers_of(o.offers);
  const RequestStream stream = dram::read_stream(o.stream, spec.channel_bytes(config.controller.pseudo_channels));
  if (!o.dump.empty()) dram::write_ramulator_trace(o.dump, stream, spec, o.mapping, config.controller.pseudo_channels);
  Report report{o, spec, config, stream, simulate(spec, config, stream), {}};
  if (o.sensitivity) report.sensitivity = sensitivity(spec, config, stream);
  if (o.json)
    report.print_json();
  else
    report.print();
}

}  // namespace

void add_hbm2_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("hbm2", "run the HBM2 model alone on a request stream");
  const auto o = std::make_shared<Options>();
  const Spec& table = dram::memory_spec("hbm2");
  command
      ->add_option(
          "STREAM", o->stream,
          "request stream, one request a line: R|W HEX BYTES, or as Ramulator and DRAMsim3 have them: 0xADDRESS "
          "R|W, LD|ST 0xADDRESS, 0xADDRESS READ|WRITE CYCLE; addresses inside the channel; # comments")
      ->required();
  command
      ->add_option("--preset", o->preset, "pc: one pseudo-channel, read queue 32; ch: a channel of two, read queue 64")
      ->capture_default_str();
  command
      ->add_option("--mapping", o->mapping,
                   fmt::format("address bits from the burst up, as the table has them: {}",
                               fmt::join(table.mapping_names(), ", ")))
      ->capture_default_str();
  command->add_option("--window", o->window, "bursts outstanding at most; 0: offer until refused")
      ->capture_default_str();
  command->add_option("--offers", o->offers,
                      "bursts offered a cycle, 1..8 (default: the preset's, pc 1 and ch 2; Ramulator's front ends for "
                      "traces offer 1)");
  command->add_flag("--json", o->json, "print JSON");
  command->add_option("--energy", o->energy,
                      fmt::format("energy preset: one of {} (default {})", fmt::join(table.energy_names(), ", "),
                                  table.default_energy));
  command->add_option("--timing", o->timing,
                      "timing file in the form of models/dram/hbm2.yaml, instead of the one compiled in");
  command->add_flag("--sensitivity", o->sensitivity, "run again with each number that other public sources give");
  command->add_option(
      "--dump-requests", o->dump,
      "write the bursts as a load/store trace of Ramulator 2 (LoadStoreTrace: LD/ST 0xADDRESS), addresses laid "
      "out for its RoBaRaCoCh mapper so that every burst meets the same bank, row and column");
  command->footer(
      example("  winnow hbm2 stream.trc --preset ch --mapping M2 --window 0 --json\n"
              "where stream.trc holds lines like\n  R 1a40 64\n  W 4000 32"));
  command->callback([o] { run(*o); });
}

}  // namespace winnow
