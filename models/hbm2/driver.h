#pragma once
// One channel alone under a request stream: how the model is held against other simulators.
//
// Before each cycle up to `offers` bursts are offered in order; with a window of n > 0 only while fewer than n
// are outstanding (a read until it returns, a write until its WR issues), with 0 until one is refused.
// Cycles end when every burst was accepted and the last read has returned; without reads, when the last write
// was issued. Writes still queued then are not waited for.
#include <cstdint>
#include <string>

#include "models/hbm2/channel.h"
#include "models/hbm2/stream.h"

namespace winnow::hbm2 {

struct DriverConfig {
  ControllerPreset controller;
  std::string mapping = "M2";
  std::uint64_t window = 0;
  bool skip_idle_cycles = true;  // jump over cycles in which nothing can happen; results are the same
};

struct DriverResult {
  std::uint64_t cycles = 0, bursts = 0;
  Statistics statistics;
  double bytes_per_second(const Spec& spec) const;
  double peak_bytes_per_second(const Spec& spec, int pseudo_channels) const;
};

DriverResult drive(const Spec& spec, const DriverConfig& config, const RequestStream& stream, CommandSink* sink = nullptr);

}  // namespace winnow::hbm2
