#include "models/hbm2/driver.h"

#include <algorithm>

namespace winnow::hbm2 {

double DriverResult::bytes_per_second(const Spec& spec) const {
  return cycles ? static_cast<double>(bursts) * spec.burst_bytes * 1e12 / (static_cast<double>(cycles) * spec.clock_ps) : 0.0;
}

double DriverResult::peak_bytes_per_second(const Spec& spec, int pseudo_channels) const {
  return pseudo_channels * static_cast<double>(spec.burst_bytes) * 1e12 / (static_cast<double>(spec.cycles("BL")) * spec.clock_ps);
}

DriverResult drive(const Spec& spec, const DriverConfig& config, const RequestStream& stream, CommandSink* sink) {
  Channel channel(spec, config.controller, config.mapping);
  channel.attach(sink);
  const auto& bursts = stream.bursts;
  const std::uint64_t total = bursts.size();
  std::uint64_t next = 0, returned = 0;
  const auto done = [&] {
    return next == total && returned == stream.reads && channel.writes_done() == stream.writes;
  };
  Cycle now = 0;
  while (!done()) {
    bool refused = false;
    for (int k = 0; k < config.controller.offers && next < total; ++k) {
      if (config.window != 0 && next - returned - channel.writes_done() >= config.window) break;
      const StreamBurst& b = bursts[next];
      refused = !channel.accept(now, b.address, b.write, b.address, 0);
      if (refused) break;
      ++next;
    }
    while (channel.has_return(now)) {
      channel.pop_return(now);
      ++returned;
    }
    if (now >= channel.wake()) channel.tick(now);
    ++now;
    // Nothing offered can be accepted before the channel moves.
    const bool stuck = next == total || refused || (config.window != 0 && next - returned - channel.writes_done() >= config.window);
    if (config.skip_idle_cycles && stuck && !done()) now = std::max(now, std::min(channel.wake(), channel.next_return()));
  }
  DriverResult r;
  r.cycles = now;
  r.bursts = total;
  r.statistics = channel.statistics(now);
  return r;
}

}  // namespace winnow::hbm2
