#include "models/topk/window_search.h"

#include <algorithm>
#include <bit>

namespace winnow::topk {

namespace {
constexpr unsigned kBins = WindowPass::kBins, kBinBits = WindowPass::kBinBits;
}

void WindowSearch::start(const WindowPass& pass) {
  list_ = pass.list();
  unsigned sum = 0;
  for (unsigned b = kBins; b-- > 0;) at_least_[b] = sum += pass.in_bin(b);
  low_ = pass.low();
  shift_ = pass.shift();
  above_ = pass.above();
  sum_above_ = pass.sum_above();
  sum_inside_ = pass.sum_inside();
  bin_ = 0;
  step_ = kBins / 2;
  width_ = kBins;
  summed_ = false;
  over_ = 0;
  sum_over_ = 0;
  sum_reached_ = sum_inside_;
  state_ = State::aim;
}

std::uint64_t WindowSearch::sum_from(unsigned bin) const {
  std::uint64_t ones = 0;
  for (unsigned b = bin + 1; b < kBins; ++b) ones += at_least_[b];
  return (low_ + (std::uint64_t{bin} << shift_) + middle()) * at_least_[bin] + (ones << shift_);
}

bool WindowSearch::found(List& job, std::uint64_t low, std::uint64_t limit, unsigned equals) {
  job.state = List::State::found;
  job.low = low;
  job.limit = std::min(job.limit, limit);
  job.equals = equals;
  job.kept = above_ + over_ + equals;
  state_ = State::idle;
  return true;
}

// Beside the window: all that is left, in 32 bins.
bool WindowSearch::missed(List& job, std::uint64_t least, std::uint64_t limit) {
  job.state = List::State::pass;
  job.least = job.low = least;
  job.limit = limit;
  const auto bits = static_cast<unsigned>(std::bit_width(limit - least - 1));
  job.shift = bits > kBinBits ? bits - kBinBits : 0;
  state_ = State::idle;
  return true;
}

// In the window, in bins of more than one value: the bin that was found, or around it where it is narrower than 32.
bool WindowSearch::narrow(List& job) {
  job.state = List::State::pass;
  job.least = low_;
  job.limit = std::min(job.limit, low_ + (std::uint64_t{kBins} << shift_));
  job.shift = shift_ > kBinBits ? shift_ - kBinBits : 0;
  const std::uint64_t edge = low_ + (std::uint64_t{bin_} << shift_);
  const std::uint64_t before = shift_ < kBinBits ? (kBins - (std::uint64_t{1} << shift_)) / 2 : 0;
  job.low = std::max(edge, low_ + before) - before;
  state_ = State::idle;
  return true;
}

bool WindowSearch::tick(List& job) {
  switch (state_) {
    case State::aim: {
      const std::uint64_t over = job.mass ? sum_above_ : above_;
      const std::uint64_t limit = low_ + (std::uint64_t{kBins} << shift_);
      if (job.mass && over >= job.target) return missed(job, limit, job.limit);
      wanted_ = job.target - over;
      if (job.mass && wanted_ > sum_inside_) return missed(job, job.least, low_);
      reached_ = at_least_[0];
      state_ = State::halve;
      return false;
    }
    case State::halve: {
      if (!summed_) {
        const std::uint64_t edge = low_ + (std::uint64_t{bin_} << shift_),
                            end = edge + (std::uint64_t{width_} << shift_);
        const unsigned items = reached_ - over_;
        const bool sure = !job.mass || (sum_over_ < wanted_ && sum_reached_ >= wanted_);
        const bool exact = step_ == 0 && shift_ == 0;
        if ((items == 1 && sure) || (exact && !job.mass))
          return found(job, edge, end, job.mass ? 1 : static_cast<unsigned>(wanted_) - over_);
        if (exact) {
          remainder_ = wanted_ - sum_over_ - 1;
          quotient_ = 0;
          divisor_ = edge;
          divide_step_ = 0;
          aligned_ = false;
          state_ = State::divide;
          return false;
        }
        if (step_ == 0) return narrow(job);
        if (job.mass) {
          from_ = sum_from(bin_ + step_);
          summed_ = true;
          return false;
        }
      }
      const unsigned at = bin_ + step_;
      const std::uint64_t from = job.mass ? from_ : at_least_[at];
      // What is known for certain: the boundary lies below the limit, and where no item lies further down, all that is
      // inside reaches the target.
      const bool possible = low_ + (std::uint64_t{at} << shift_) < job.limit, all = at_least_[at] == at_least_[0];
      if (possible && (from >= wanted_ || all)) {
        bin_ = at;
        reached_ = at_least_[at];
        if (!all) sum_reached_ = from - at_least_[at] * middle();
      } else {
        over_ = at_least_[at];
        sum_over_ = from + at_least_[at] * middle();
      }
      width_ = step_;
      step_ /= 2;
      summed_ = false;
      return false;
    }
    case State::divide: {
      if (!aligned_) {
        if (remainder_ >= 2 * divisor_)
          divisor_ *= 2, ++divide_step_;
        else
          aligned_ = true;
        return false;
      }
      quotient_ <<= 1;
      if (remainder_ >= divisor_) {
        remainder_ -= divisor_;
        quotient_ |= 1;
      }
      divisor_ /= 2;
      const std::uint64_t value = low_ + bin_;
      if (divide_step_ == 0) return found(job, value, value + 1, quotient_ + 1);
      --divide_step_;
      return false;
    }
    default: return false;
  }
}

}  // namespace winnow::topk
