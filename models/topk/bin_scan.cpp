#include "models/topk/bin_scan.h"

#include "golden/select.h"
#include "models/topk/window_pass.h"

namespace winnow::topk {

void BinScan::start(unsigned list, const List& job, const OctaveBins& bins) {
  list_ = list;
  at_least_ = bins.at_least();
  at_least_.push_back(0);
  nonzero_ = bins.nonzero();
  small_ = bins.small();
  total_ = bins.total();
  target_ = job.target;
  below_ = 0;
  octave_ = OctaveBins::kFirst;
  digit_ = 1;  // the first in this cycle
  state_ = job.mass ? State::product : State::small;
}

bool BinScan::found(List& job, unsigned limit, unsigned equals, unsigned kept) {
  job.state = List::State::found;
  job.target = target_;
  job.low = 0;
  job.limit = limit;
  job.equals = equals;
  job.kept = kept;
  state_ = State::idle;
  return true;
}

// The window: 32 bins that are the quarter, or around it where the quarter is narrower; or all values below 32.
bool BinScan::aim(List& job, unsigned quarter) {
  constexpr unsigned kBits = WindowPass::kBinBits;
  job.state = List::State::pass;
  job.target = target_;
  job.least = 0;
  job.limit = std::uint64_t{1} << item_bits_;
  job.shift = octave_ > kBits + 2 ? octave_ - kBits - 2 : 0;
  job.low = 0;
  if (state_ == State::scan) {
    const std::uint64_t width = std::uint64_t{1} << (octave_ - 2);
    job.low = (4 + quarter) * width;
    if (width < WindowPass::kBins) job.low -= (WindowPass::kBins - width) / 2;
  }
  state_ = State::idle;
  return true;
}

bool BinScan::tick(List& job) {
  switch (state_) {
    case State::product: {
      if (++digit_ < kDigits) return false;
      target_ = golden::mass_target(static_cast<std::uint32_t>(target_), total_);
      below_ = total_ - target_;
      state_ = State::small;
      return false;
    }
    case State::small: {
      const auto k = static_cast<unsigned>(target_);
      if (job.mass) {
        if (total_ == 0) return found(job, 1, 1, 1);
        if (below_ < small_) return aim(job, 0);
        below_ = (below_ - small_) >> 2;
      } else {
        if (k == job.n) return found(job, 0, 0, k);  // nothing to search for
        if (nonzero_ < k) return found(job, 1, k - nonzero_, k);
        if (at_least_[0] < k) return aim(job, 0);
      }
      // There are items from 32 on, so there is an octave.
      state_ = State::scan;
      return false;
    }
    case State::scan: {
      const unsigned* edge = &at_least_[std::size_t{octave_ - OctaveBins::kFirst} * OctaveBins::kQuarters];
      const unsigned above = edge[4];  // the next octave's lowest edge
      unsigned quarter = 0;
      if (job.mass) {
        // Sums of the bins up to each quarter's end: counts times 9, 11, 13, 15 eighths.
        const std::uint64_t up_to[] = {9ull * (edge[0] - edge[1]), 9ull * edge[0] + 2ull * edge[1] - 11ull * edge[2],
                                       9ull * edge[0] + 2ull * (edge[1] + edge[2]) - 13ull * edge[3],
                                       9ull * edge[0] + 2ull * (edge[1] + edge[2] + edge[3]) - 15ull * above};
        if (below_ < up_to[3] || octave_ + 1 == item_bits_) {
          for (unsigned q = 0; q < 3; ++q) quarter += below_ >= up_to[q];
          return aim(job, quarter);
        }
        below_ = (below_ - up_to[3]) >> 1;
      } else if (above < target_) {
        for (unsigned q = 1; q < OctaveBins::kQuarters; ++q) quarter += edge[q] >= target_;
        return aim(job, quarter);
      }
      ++octave_;
      return false;
    }
    default: return false;
  }
}

}  // namespace winnow::topk
