#include "sim/machine/time_shares.h"

#include <numeric>
#include <string_view>

namespace winnow {

std::uint64_t TimeShares::total() const { return std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0}); }

TimeShares& TimeShares::operator+=(const TimeShares& o) {
  for (std::size_t i = 0; i < cycles.size(); ++i) cycles[i] += o.cycles[i];
  return *this;
}

TimeShares TimeShares::operator-(const TimeShares& o) const {
  TimeShares d = *this;
  for (std::size_t i = 0; i < cycles.size(); ++i) d.cycles[i] -= o.cycles[i];
  return d;
}

void TimeObserver::look() {
  const std::uint64_t without = qk_.stats().cycles_of(qk_.kController);
  const bool counts = without != without_task_;
  without_task_ = without;
  const BlockStats& said = controller_.stats();
  bool named = false;
  for (int i = 0; i < said.wait_count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint64_t cycles = said.wait_at(i).cycles;
    if (cycles == said_[at]) continue;
    said_[at] = cycles;
    last_ = i, named = true;
    if (counts) ++counted_[at];
  }
  // The task that ends the wait is on its way: a cycle of the link, which belongs to what was waited for.
  if (counts && !named && last_ >= 0) ++counted_[static_cast<std::size_t>(last_)];
}

TimeShares TimeObserver::shares() const {
  const BlockStats& q = qk_.stats();
  const auto why = [&](Wait w) { return counted_[static_cast<std::size_t>(w.index)]; };
  const Controller& c = controller_;
  TimeShares s;
  s.cycles[TimeShares::memory] = q.cycles_of(qk_.kKeys) + q.cycles_of(qk_.kQueries) + why(c.kMemory) + why(c.kGather);
  s.cycles[TimeShares::qk] = q.busy_cycles() + q.cycles_of(qk_.kArrays);
  s.cycles[TimeShares::softmax] = q.cycles_of(qk_.kSoftmax) + why(c.kSoftmax) + why(c.kProgressive);
  // A greedy search is a choice as well.
  s.cycles[TimeShares::topk] = why(c.kTopk) + why(c.kCascade);
  for (int i = 0; i < q.wait_count(); ++i)
    if (q.wait_at(i).key == std::string_view("greedy")) s.cycles[TimeShares::topk] += q.wait_at(i).cycles;
  s.cycles[TimeShares::drain] = why(c.kPv) + why(c.kLayerEnd);
  s.cycles[TimeShares::other] = q.cycles() - s.total();
  return s;
}

}  // namespace winnow
