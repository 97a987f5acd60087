#include "models/topk/bin_scan.h"

#include "golden/select.h"
#include "models/topk/window_pass.h"

namespace winnow::topk {

void BinScan::start(unsigned list, const List& job, const OctaveBins& bins) {
  list_ = list;
  at_least_ = bins.at_least();
  at_least_.push_back(0);
  octave_ = 0;
  digit_ = 0;
  total_ = bins.total();
  target_ = job.target;
  state_ = job.mass ? State::product : State::scan;
}

// The window: 32 bins that are the quarter, or around it where the quarter is narrower.
void BinScan::aim(List& job, unsigned quarter) const {
  constexpr unsigned kBits = WindowPass::kBinBits;
  job.state = List::State::pass;
  job.least = 0;
  job.limit = std::uint64_t{1} << octaves_;
  job.target = target_;
  job.shift = octave_ > kBits + 2 ? octave_ - kBits - 2 : 0;
  job.low = 0;
  if (octave_ < kBits) return;
  const std::uint64_t width = std::uint64_t{1} << (octave_ - 2);
  job.low = (4 + quarter) * width;
  if (width < WindowPass::kBins) job.low -= (WindowPass::kBins - width) / 2;
}

bool BinScan::tick(List& job) {
  if (state_ == State::product) {
    if (++digit_ == kDigits) {
      target_ = golden::mass_target(static_cast<std::uint32_t>(target_), total_);
      below_ = (total_ - target_) << 3;
      state_ = State::scan;
    }
    return false;
  }
  const unsigned* edge = &at_least_[std::size_t{octave_} * OctaveBins::kQuarters];
  const bool top = octave_ + 1 == octaves_;
  const unsigned above = edge[4];  // the next octave's lowest edge
  if (octave_ == 0) {
    // Nothing to search for: all stay, or the boundary is zero.
    const bool all = !job.mass && target_ == job.n;
    if (all || (job.mass ? total_ == 0 : edge[0] < target_)) {
      job.state = List::State::found;
      job.low = 0;
      job.limit = all ? 0 : 1;
      job.equals = job.mass ? 1 : static_cast<unsigned>(target_) - edge[0];
      job.kept = job.mass ? 1 : static_cast<unsigned>(target_);
      job.target = target_;
      state_ = State::idle;
      return true;
    }
  }
  unsigned quarter = 0;
  if (!job.mass) {
    if (above < target_) {
      for (unsigned q = 1; q < OctaveBins::kQuarters; ++q) quarter += edge[q] >= target_;
      aim(job, quarter);
      state_ = State::idle;
      return true;
    }
  } else {
    // Sums of the bins up to each quarter's end: counts times 9, 11, 13, 15 eighths. Values being whole, the middle of an
    // octave's bins lies half of one lower, which matters where octaves are short and items many.
    const std::uint64_t up_to[] = {9ull * (edge[0] - edge[1]), 9ull * edge[0] + 2ull * edge[1] - 11ull * edge[2],
                                   9ull * edge[0] + 2ull * (edge[1] + edge[2]) - 13ull * edge[3]};
    const std::uint64_t octave = 9ull * edge[0] + 2ull * (edge[1] + edge[2] + edge[3]) - 15ull * above -
                                 ((edge[0] - above) >> (octave_ > 2 ? octave_ - 2 : 0));
    if (below_ < octave || top) {
      for (const std::uint64_t sum : up_to) quarter += below_ >= sum;
      aim(job, quarter);
      state_ = State::idle;
      return true;
    }
    below_ = (below_ - octave) >> 1;
  }
  ++octave_;
  return false;
}

}  // namespace winnow::topk
