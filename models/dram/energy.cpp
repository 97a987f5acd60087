#include "models/dram/energy.h"

namespace winnow::dram {

Energy energy(const Spec& spec, const EnergyPreset& preset, const Statistics& s, int pseudo_channels) {
  const double burst_bits = 8.0 * spec.burst_bytes;
  const auto n = [](std::uint64_t v) { return static_cast<double>(v); };
  Energy e;
  e.activate_pj = n(s.activates) * preset.activate;
  e.read_pj = n(s.reads) * burst_bits * preset.read_core_bit;
  e.write_pj = n(s.writes) * burst_bits * preset.read_core_bit * preset.write_core_over_read;
  e.io_pj = n(s.reads + s.writes) * burst_bits * preset.io_bit;
  e.refresh_pj = n(s.refreshes) * preset.refresh;
  const double ns = spec.clock_ps / 1000.0, half = pseudo_channels / 2.0;
  e.background_pj =
      half * ns *
      (n(s.row_open_cycles) * preset.background_open + n(s.cycles - s.row_open_cycles) * preset.background_closed);
  return e;
}

}  // namespace winnow::dram
