#include "models/converter/stream_unit.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace winnow::converter {

namespace {

constexpr std::size_t kSlide = 8;     // the array is this many windows long
constexpr std::size_t kReadPad = 16;  // unpack reads past an item's end

}  // namespace

StreamUnit::StreamUnit(const Lists& lists, DataFifos& data, int window_bursts)
    : lists_(lists),
      data_(data),
      lane_mask_(data.lanes() - 1),
      capacity_(static_cast<std::size_t>(window_bursts)),
      window_(capacity_ * kSlide * kBurstBytes + kReadPad) {}

void StreamUnit::start(const FetchJob& job) {
  job_ = job;
  list_ = job.list == kEveryItem ? nullptr : lists_.read(job.list, 0, job.entries());
  item_ = 0;
  keep_ = tail_ = 0;
  taken_ = 0;
  end_ = 0;
  locate();
}

void StreamUnit::advance() {
  ++item_;
  locate();
}

void StreamUnit::locate() {
  if (item_ == job_.items) return;
  const std::uint64_t at = job_.base + job_.index(list_, item_) * job_.stride_bytes;
  const std::uint64_t first = at / kBurstBytes;
  const std::uint64_t last = (at + job_.item_bytes - 1) / kBurstBytes;
  const bool shared = item_ != 0 && first == last_burst_;  // the address generator's rule
  first_ = shared ? end_ - 1 : end_;
  end_ = first_ + static_cast<std::size_t>(last - first) + 1;
  offset_ = static_cast<std::uint32_t>(at % kBurstBytes);
  last_burst_ = last;
  keep_ = first_;
}

int StreamUnit::take(Cycle now, std::uint64_t limit) {
  const int lanes = data_.lanes();
  const std::uint64_t room = capacity_ - (tail_ - keep_);  // an item is delivered whole, so keep_ <= tail_
  const int most = static_cast<int>(std::min({limit - taken_, room, static_cast<std::uint64_t>(lanes)}));
  if (most == 0) return 0;
  const int lane = static_cast<int>(taken_) & lane_mask_;
  const LaneMask ready = data_.ready(now);
  const LaneMask turned = (ready >> lane | ready << (lanes - lane)) & ((LaneMask{1} << lanes) - 1);
  const int n = std::min(most, std::countr_one(turned));
  if (n == 0) return 0;

  const std::size_t end = window_.size() / kBurstBytes;
  if (tail_ + static_cast<std::size_t>(n) > end) {
    const std::size_t by = keep_;
    std::memmove(window_.data(), &window_[by * kBurstBytes], (tail_ - by) * kBurstBytes);
    keep_ -= by;
    tail_ -= by;
    first_ -= by;
    end_ -= by;
  }
  for (int i = 0; i < n; ++i) {
    const int from = (lane + i) & lane_mask_;
    std::memcpy(&window_[tail_++ * kBurstBytes], data_.front(from).data(), kBurstBytes);
    data_.pop(from, now);
  }
  taken_ += static_cast<std::uint64_t>(n);
  bursts_ += static_cast<std::uint64_t>(n);
  return n;
}

}  // namespace winnow::converter
