#include "models/topk/window_pass.h"

namespace winnow::topk {

void WindowPass::start(unsigned list, const List& job) {
  list_ = list;
  row_ = 0;
  rows_left_ = (job.n + lanes_ - 1) / lanes_;
  tail_ = (job.n - 1) % lanes_ + 1;
  low_ = job.low;
  shift_ = job.shift;
  compared_count_ = 0;
  in_bin_.fill(0);
  above_ = 0;
  row_above_ = row_inside_ = sum_above_ = sum_inside_ = 0;
  drained_ = false;
  state_ = State::read;
}

void WindowPass::tick(const ListTable& lists) {
  if (state_ != State::read && state_ != State::drain) return;
  sum_above_ += row_above_;
  sum_inside_ += row_inside_;
  row_above_ = row_inside_ = 0;
  for (unsigned i = 0; i < compared_count_; ++i) {
    if ((compared_above_ >> i) & 1) {
      ++above_;
      row_above_ += compared_[i];
    } else if ((compared_inside_ >> i) & 1) {
      ++in_bin_[compared_bin_[i]];
      row_inside_ += compared_[i];
    }
  }
  compared_count_ = 0;
  if (state_ == State::drain) {
    if (drained_) state_ = State::hand;
    drained_ = true;
    return;
  }
  compared_ = lists.row(list_, row_++);
  compared_count_ = --rows_left_ ? lanes_ : tail_;
  compared_above_ = compared_inside_ = 0;
  for (unsigned i = 0; i < compared_count_; ++i) {
    if (compared_[i] < low_) continue;
    const std::uint64_t bin = (compared_[i] - low_) >> shift_;
    compared_above_ |= Mask{bin >= kBins} << i;
    compared_inside_ |= Mask{bin < kBins} << i;
    compared_bin_[i] = static_cast<std::uint8_t>(bin % kBins);
  }
  if (rows_left_ == 0) state_ = State::drain;
}

}  // namespace winnow::topk
