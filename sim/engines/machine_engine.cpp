#include "sim/engines/machine_engine.h"

#include <chrono>

#include "sim/machine/systemc_machine.h"

namespace winnow {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

bool MachineEngine::run(const OnLayer& on_layer) {
  double beside = 0;
  if (!hooks_.timeline.empty()) timeline_ = std::make_unique<Timeline>(hooks_.timeline, hooks_.timeline_events);
  machine_ =
      make_machine([&](const LayerPlan& plan, const std::vector<GroupRecord>& records, const LayerCounts& counts) {
        const auto start = Clock::now();
        if (timeline_) timeline_->layer(plan, counts.last_write);
        finished(plan, records, counts, &on_layer);
        beside += seconds_since(start);
      });
  if (hooks_.record_bursts) {
    streams_.resize(channels_);
    machine_->record_requests(&streams_, hooks_.record_bursts);
  }
  const auto start = Clock::now();
  const auto simulate = [&] {
    rtl_.attach(*machine_);
    if (timeline_) timeline_->attach(*machine_);
    run_systemc(*machine_, clock_ghz_, hooks_.on_cycle);
  };
  const auto again = [&] {
    again_ = make_machine([&](const LayerPlan& plan, const std::vector<GroupRecord>& records,
                              const LayerCounts& counts) { finished(plan, records, counts, nullptr); });
    rtl_.attach(*again_);
    run_systemc(*again_, clock_ghz_, {});
  };
  const auto pause = hooks_.pause ? hooks_.pause : [] {};
  if (rtl_.diverge(simulate, again, pause, hooks_.waves, hooks_.repeat)) return false;
  seconds_ = seconds_since(start) - beside;
  if (timeline_) timeline_->finish();
  return true;
}

}  // namespace winnow
