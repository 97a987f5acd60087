#pragma once
// Stream half of the converter: bursts in order across lanes, through one window, to vectors in order.
// Contract: converter.h.
#include <cstdint>
#include <vector>

#include "models/links/data_fifos.h"
#include "models/links/fetch_jobs.h"
#include "models/memories/lists.h"

namespace winnow::converter {

class StreamUnit {
 public:
  // window_bursts: bursts the window holds, at least lanes and one item's.
  StreamUnit(const Lists& lists, DataFifos& data, int window_bursts);

  void start(const FetchJob& job);

  // The next item lies whole in the window.
  bool item_there() const { return item_ < job_.items && end_ <= tail_; }
  std::uint32_t item() const { return item_; }
  const std::uint8_t* item_data() const { return &window_[first_ * kBurstBytes + offset_]; }
  void advance();  // to the next item
  bool done() const { return item_ == job_.items; }

  // Takes bursts from the lanes in order, at most `limit` in all since the job's start. Returns their number.
  int take(Cycle now, std::uint64_t limit);

  std::uint64_t bursts() const { return bursts_; }

 private:
  void locate();

  const Lists& lists_;
  DataFifos& data_;
  int lane_mask_;
  std::size_t capacity_;
  // The window: bursts [keep_, tail_) of the job, at index keep_..tail_ of an array that is longer than the window
  // only so that it slides seldom.
  std::vector<std::uint8_t> window_;
  std::size_t keep_ = 0, tail_ = 0;
  FetchJob job_;
  const std::uint32_t* list_ = nullptr;  // its entries; none: every item
  std::uint32_t item_ = 0;
  std::uint64_t last_burst_ = 0;     // burst number of the item's last burst
  std::size_t first_ = 0, end_ = 0;  // the item's bursts in the window
  std::uint32_t offset_ = 0;         // its first byte in the first
  std::uint64_t taken_ = 0;          // bursts of this job
  std::uint64_t bursts_ = 0;         // since reset
};

}  // namespace winnow::converter
