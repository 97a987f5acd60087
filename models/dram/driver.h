#pragma once
// One channel alone under a request stream: how the model is held against other simulators.
//
// Before each cycle up to `offers` bursts are offered in order; with a window of n > 0 only while fewer than n
// are outstanding (a read until it returns, a write until its WR issues), with 0 until one is refused; none before the
// cycle that its stream gives it.
// Cycles end when the last read has returned and the last write was issued.
//
// A comparison with another simulator holds only if it is fed alike. How many bursts a cycle are offered decides where
// in a mix of reads and writes the drains of the write queue fall; the preset `ch` offers 2, Ramulator's front ends for
// traces offer 1 and stop when the last request is accepted. On short mixes that alone moves the cycles by several per
// cent either way, on streams of reads by next to nothing.
#include <cstdint>
#include <string>

#include "models/dram/channel.h"
#include "models/dram/stream.h"

namespace winnow::dram {

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

// The run in pieces, for progress.
class StreamDriver {
 public:
  // Spec and stream must outlive the driver.
  StreamDriver(const Spec& spec, const DriverConfig& config, const RequestStream& stream, CommandSink* sink = nullptr);
  bool run(std::uint64_t cycles);  // at least that many more, unless it ends; true: it has ended
  std::uint64_t accepted() const { return next_; }
  std::uint64_t cycles() const { return now_; }
  DriverResult result() const;

 private:
  bool done() const {
    return next_ == stream_.bursts.size() && returned_ == stream_.reads && channel_.writes_done() == stream_.writes;
  }
  // Cycle from which the next burst may be offered.
  Cycle due() const { return stream_.earliest.empty() ? 0 : stream_.earliest[next_]; }
  bool window_full() const { return window_ != 0 && next_ - returned_ - channel_.writes_done() >= window_; }

  Channel channel_;
  const RequestStream& stream_;
  std::uint64_t window_;
  int offers_;
  bool skip_;
  std::uint64_t next_ = 0, returned_ = 0;
  Cycle now_ = 0;
};

DriverResult drive(const Spec& spec, const DriverConfig& config, const RequestStream& stream,
                   CommandSink* sink = nullptr);

}  // namespace winnow::dram
