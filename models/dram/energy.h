#pragma once
// DRAM energy from counted commands and cycles, as parts.
#include "models/dram/spec.h"
#include "models/dram/statistics.h"

namespace winnow::dram {

struct Energy {  // picojoules
  double activate_pj = 0, read_pj = 0, write_pj = 0, io_pj = 0, refresh_pj = 0, background_pj = 0;
  double total_pj() const { return activate_pj + read_pj + write_pj + io_pj + refresh_pj + background_pj; }
};

// `pseudo_channels` of the channels counted: background is given for a channel of two.
Energy energy(const Spec& spec, const EnergyPreset& preset, const Statistics& s, int pseudo_channels);

}  // namespace winnow::dram
