#include "models/dram/driver.h"

#include <algorithm>

namespace winnow::dram {
namespace {

constexpr Cycle kNever = ~Cycle{0};

}  // namespace

double DriverResult::bytes_per_second(const Spec& spec) const {
  return cycles ? static_cast<double>(bursts) * spec.burst_bytes * 1e12 / (static_cast<double>(cycles) * spec.clock_ps)
                : 0.0;
}

double DriverResult::peak_bytes_per_second(const Spec& spec, int pseudo_channels) const {
  return pseudo_channels * static_cast<double>(spec.burst_bytes) * 1e12 /
         (static_cast<double>(spec.evaluate(spec.burst_cycles)) * spec.clock_ps);
}

StreamDriver::StreamDriver(const Spec& spec, const DriverConfig& config, const RequestStream& stream, CommandSink* sink)
    : channel_(spec, config.controller, config.mapping),
      stream_(stream),
      window_(config.window),
      offers_(config.controller.offers),
      skip_(config.skip_idle_cycles) {
  channel_.attach(sink);
}

bool StreamDriver::run(std::uint64_t cycles) {
  const auto& bursts = stream_.bursts;
  const std::uint64_t total = bursts.size();
  const Cycle until = now_ + cycles;
  while (!done()) {
    if (now_ >= until) return false;
    bool refused = false;
    for (int k = 0; k < offers_ && next_ < total && !window_full() && due() <= now_; ++k) {
      const StreamBurst& b = bursts[next_];
      refused = !channel_.accept(now_, b.address, b.write, b.address, 0);
      if (refused) break;
      ++next_;
    }
    for (; channel_.has_return(now_); ++returned_) channel_.pop_return(now_);
    if (now_ >= channel_.wake()) channel_.tick(now_);
    ++now_;
    // Nothing more is accepted before the channel moves.
    const bool waits = next_ < total && due() > now_;
    const bool stuck = next_ == total || refused || window_full() || waits;
    if (skip_ && stuck && !done())
      now_ = std::max(now_, std::min({channel_.wake(), channel_.next_return(), waits ? due() : kNever}));
  }
  return true;
}

DriverResult StreamDriver::result() const { return {now_, stream_.bursts.size(), channel_.statistics(now_)}; }

DriverResult drive(const Spec& spec, const DriverConfig& config, const RequestStream& stream, CommandSink* sink) {
  StreamDriver driver(spec, config, stream, sink);
  driver.run(std::uint64_t{1} << 62);
  return driver.result();
}

}  // namespace winnow::dram
