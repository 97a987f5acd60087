#include "sim/machine/dram_block.h"

namespace winnow {

bool DramBlock::idle() const {
  for (int c = 0; c < memory_.channels(); ++c)
    if (!memory_.requests(c).drained() || !memory_.returns(c).drained()) return false;
  return true;
}

std::vector<StoredWords> DramBlock::registers() const {
  constexpr int kAddressBits = 36, kTagBits = 32, kDataBits = 8 * kBurstBytes;
  const auto channels = static_cast<std::uint64_t>(memory_.channels());
  const dram::ControllerPreset& controller = memory_.config().controller;
  return {{"requests", channels * memory_.requests(0).depth(), kAddressBits + kTagBits + 1 + kDataBits},
          {"read_queues", channels * static_cast<std::uint64_t>(controller.read_queue), kAddressBits + kTagBits},
          {"write_queues", channels * static_cast<std::uint64_t>(controller.write_queue), kAddressBits + kDataBits},
          {"returns", channels * memory_.returns(0).depth(), kTagBits + kDataBits}};
}

dram::Energy DramBlock::energy() const {
  const dram::Spec& spec = memory_.spec();
  return dram::energy(spec, spec.energy_preset(preset_), memory_.statistics(), 2);
}

void DramBlock::report(StatSink& sink) const {
  const dram::Statistics s = memory_.statistics();
  sink.count("act", "ACT", s.activates);
  sink.count("pre", "PRE", s.precharges);
  sink.count("rd", "RD", s.reads);
  sink.count("wr", "WR", s.writes);
  sink.count("ref", "REF", s.refreshes);
  const std::uint64_t columns = s.row_hits + s.row_misses + s.row_conflicts;
  sink.ratio("row_hits", "row hits", columns ? static_cast<double>(s.row_hits) / static_cast<double>(columns) : 0);
  sink.ratio("mean_read_latency", "mean read latency, cycles", s.mean_read_latency_cycles());
  const dram::Energy e = energy();
  sink.joules("energy_activate", "energy activate", e.activate_pj * 1e-12);
  sink.joules("energy_read", "energy read", e.read_pj * 1e-12);
  sink.joules("energy_write", "energy write", e.write_pj * 1e-12);
  sink.joules("energy_io", "energy I/O", e.io_pj * 1e-12);
  sink.joules("energy_refresh", "energy refresh", e.refresh_pj * 1e-12);
  sink.joules("energy_background", "energy background", e.background_pj * 1e-12);
  sink.joules("energy", "energy", e.total_pj() * 1e-12);
}

}  // namespace winnow
