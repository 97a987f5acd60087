#include "sim/cost/memory_peak.h"

#include "models/dram/spec.h"

namespace winnow::cost {

double memory_peak_w(const Machine& m) {
  const dram::Spec& spec = dram::memory_spec(m.hbm2.type);
  const dram::EnergyPreset& e = spec.energy_preset(m.hbm2.energy);
  constexpr double kPseudoChannels = 2;  // of a channel
  const double channels = m.hbm2.channels, halves = kPseudoChannels * channels, ns = spec.clock_ps / 1000.0;
  const double bits = 8.0 * spec.burst_bytes / spec.evaluate(spec.burst_cycles);  // a cycle and pseudo-channel
  // Four activations in each window of four, of the constraint table.
  double opened = 0;
  for (const dram::Constraint& c : spec.constraints)
    if (c.window > 1) opened = static_cast<double>(c.window) / spec.evaluate(c.latency);
  const double pj_a_cycle = halves * (bits * (e.read_core_bit + e.io_bit) + opened * e.activate +
                                      e.refresh / spec.evaluate(spec.refresh_interval)) +
                            channels * e.background_open * ns;
  return pj_a_cycle / ns * 1e-3;
}

}  // namespace winnow::cost
