// Makes the rows of reference_mixes.tsv with Ramulator 2.1. Not part of the build: it needs Ramulator's sources.
//
// In:  the first six columns of reference_mixes.tsv on stdin; argument: the folder that config.py filled.
// Out: the rows, complete, on stdout.
//
// The requests are offered as StreamDriver offers them: before each tick up to `offers`, in order, until one is
// refused, with a window of n > 0 only while fewer than n are outstanding. Places come from our mapping (Ramulator's
// PassThroughAddrMapper takes them as they are). A read's latency ends when Ramulator hands the read back; its own
// statistic counts 1 for a read that the write queue answers, even when that read waits behind older ones.
//
//   cmake -S RAMULATOR -B RAMULATOR/build -DRAMULATOR_PYTHON_BINDINGS=OFF && cmake --build RAMULATOR/build
//   PYTHONPATH=RAMULATOR/python python3 tests/models/dram/ramulator/config.py /tmp/configs
//   g++ -O2 -std=c++20 -I. -IRAMULATOR/src tests/models/dram/ramulator/driver.cpp models/dram/{spec,stream,address}.cpp
//       -Ibuild/models/dram -LRAMULATOR -lramulator -lyaml-cpp -lfmt -Wl,-rpath,RAMULATOR -o /tmp/reference
//   cut -f1-6 tests/models/dram/reference_mixes.tsv | /tmp/reference /tmp/configs
#include <fmt/format.h>

#include <iostream>
#include <map>
#include <sstream>

#include "models/dram/address.h"
#include "ramulator/base/config.h"
#include "ramulator/controller/controller_base.h"
#include "ramulator/controller/plugin/i_controller_plugin.h"
#include "ramulator/frontend/i_frontend.h"
#include "ramulator/memory_system/i_memory_system.h"
#include "tests/models/dram/streams.h"

namespace {
std::map<std::string, std::uint64_t> issued;  // by command, since the last row
}

// Ramulator registers components by macros that expect its namespace.
namespace Ramulator {

class CommandCount : public IControllerPlugin, public Implementation {
  RAMULATOR_REGISTER_IMPLEMENTATION(IControllerPlugin, CommandCount, "CommandCount")

 public:
  void init() override { controller_ = cast_parent<ControllerBase>(); }
  void on_issue(const Request& r) override {
    ++issued[controller_->m_device.m_spec->command_names[static_cast<std::size_t>(r.command)]];
  }

 private:
  ControllerBase* controller_ = nullptr;
};

class NoFrontEnd final : public IFrontEnd, public Implementation {
 public:
  NoFrontEnd() : Implementation(ConfigNode(ConfigNode::Map{}), "frontend", "NoFrontEnd", nullptr) {
    IFrontEnd::m_impl = this;
  }
  void init() override {}
  void setup(IFrontEnd*, IMemorySystem*) override {}
  void tick() override {}
  bool is_finished() override { return false; }
  std::string get_name() const override { return "NoFrontEnd"; }
  std::string get_ifce_name() const override { return "frontend"; }
};

class OneController final : public IMemorySystem, public Implementation {
 public:
  explicit OneController(const ConfigNode& config)
      : Implementation(ConfigNode(ConfigNode::Map{}), "memory_system", "OneController", nullptr) {
    IMemorySystem::m_impl = this;
    Implementation* made = Factory::create_implementation("controller", config, this);
    add_child(made);
    made->set_id("Channel 0");
    controller_ = dynamic_cast<IController*>(made);
    controller_->set_channel_id(0);
    gather_components();
  }
  void init() override {}
  void setup(IFrontEnd*, IMemorySystem*) override {}
  bool send(Request& r) override {
    r.intra_channel_addr = r.addr;
    return controller_->send(r);
  }
  void tick() override { controller_->tick(); }
  int get_clock_ratio() override { return 1; }
  int get_tx_bytes() override { return controller_->get_tx_bytes(); }
  std::string get_name() const override { return "OneController"; }
  std::string get_ifce_name() const override { return "memory_system"; }

 private:
  IController* controller_ = nullptr;
};

}  // namespace Ramulator

namespace {

using namespace winnow::dram;

std::string row(const std::string& folder, const std::string& given) {
  std::istringstream words(given);
  std::string preset, scheduler, mapping, name;
  std::uint64_t window = 0;
  int offers = 0;
  words >> preset >> scheduler >> mapping >> name >> window >> offers;
  const Spec& spec = default_spec();
  const RequestStream stream = test::reference_mix(name);
  const AddressMap map(spec, mapping, spec.controller(preset).pseudo_channels);

  Ramulator::NoFrontEnd front_end;
  Ramulator::OneController memory(
      Ramulator::Config::parse_config_file(fmt::format("{}/{}_{}.yaml", folder, preset, scheduler)));
  front_end.connect_memory_system(&memory);
  memory.connect_frontend(&front_end);
  issued.clear();
  std::uint64_t next = 0, reads = 0, writes = 0, latency = 0;
  std::int64_t cycle = 0;
  while (reads < stream.reads || writes < stream.writes) {
    for (int k = 0; k < offers && next < stream.bursts.size(); ++k) {
      if (window != 0 && next - reads - writes >= window) break;
      const StreamBurst& burst = stream.bursts[next];
      const Place p = map(burst.address);
      const int bank = p.bank % spec.banks, group = p.bank / spec.banks % spec.bank_groups,
                pseudo = p.bank / (spec.banks * spec.bank_groups);
      Ramulator::Request r({0, pseudo, group, bank, static_cast<int>(p.row), p.column * 4},  // 4: columns a burst
                           burst.write ? Ramulator::Request::Type::Write : Ramulator::Request::Type::Read);
      r.addr = static_cast<std::int64_t>(burst.address);
      r.source_id = 0;
      r.size_bytes = spec.burst_bytes;
      if (burst.write)
        r.callback = [&](Ramulator::Request&) { ++writes; };
      else
        r.callback = [&](Ramulator::Request& done) {
          ++reads;
          latency += static_cast<std::uint64_t>(cycle + 1 - done.arrive);
        };
      if (!memory.send(r)) break;
      ++next;
    }
    memory.tick();
    ++cycle;
  }
  memory.update_stats_recursive();
  const Ramulator::ConfigNode all = memory.IMemorySystem::collect_stats();
  const Ramulator::ConfigNode statistics = all["controller"];
  const auto of = [&](const char* key) {
    const Ramulator::ConfigNode n = statistics[key];
    return n.as<std::string>();
  };
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", preset, scheduler,
                     mapping, name, window, offers, stream.bursts.size(), cycle, latency, of("row_hits"),
                     of("row_misses"), of("row_conflicts"), issued["REFab"], issued["WR"], issued["RD"],
                     issued["PREab"], issued["PREpb"], issued["ACT"],
                     of("num_read_reqs_forwarded") + "\t" + of("num_write_reqs_coalesced"));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (std::string line; std::getline(std::cin, line);)
    if (line.empty() || line[0] == '#' || line.starts_with("preset"))
      std::cout << line << '\n';
    else
      std::cout << row(argv[1], line) << std::flush;
}
