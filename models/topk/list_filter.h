#pragma once
// List filter: gives out which items of a list stay, in index order, once that is known.
//
// in   rows of P items, one a cycle; low, limit, equals: items from `limit` on stay, and of those in low..limit - 1,
//      which are all equal, the first `equals` do
// out  row of up to P indices, ready/valid; with the last one kept, boundary (the smallest that may stay: the equals'
//      value), kept_sum. Rows with no index are not given out.
// Takes at most 1 + ceil(n / P) + 2 cycles, and those in which an output row waits: the pipeline stands.
// The registers are those of the paper's engine in its filter pass. RTL: rtl/topk/topk_list_filter.sv.
#include "models/topk/engine_base.h"
#include "models/topk/filter.h"
#include "models/topk/list_table.h"
#include "models/topk/zero_eliminator.h"

namespace winnow::topk {

class ListFilter {
 public:
  explicit ListFilter(const Config& config) : lanes_(config.parallelism) {}

  bool idle() const { return idle_; }
  unsigned rows_left() const { return rows_left_; }
  unsigned equals_left() const { return equals_left_; }
  bool out_valid() const { return out_valid_ && out_count_ != 0; }
  bool compared_valid() const { return compared_count_ != 0; }
  Mask stays() const { return stays_; }
  Mask takes() const { return takes_; }
  const Row& compared() const { return compared_; }

  void comb(Outputs& out) const {
    out.out_valid = out_valid();
    out.count = out_count_;
    out.indices = &indices_;
    out.kept = kept_ + out_count_;
    out.last = out.out_valid && out.kept == all_;
    out.boundary = boundary_ | row_boundary_;
    out.kept_sum = kept_sum_ + row_sum_;
  }

  void start(unsigned list, const List& job) {
    list_ = list;
    row_ = 0;
    rows_left_ = (job.n + lanes_ - 1) / lanes_;
    tail_ = (job.n - 1) % lanes_ + 1;
    low_ = job.low, limit_ = job.limit, equals_left_ = job.equals, all_ = job.kept;
    kept_ = 0;
    kept_sum_ = boundary_ = 0;
    idle_ = false;
  }

  // True in the cycle in which the list's last row is taken.
  bool tick(const ListTable& lists, bool out_ready, Stats& stats) {
    if (out_valid()) {
      if (!out_ready) {
        ++stats.filter_stalls;
        return false;
      }
      if (kept_ + out_count_ == all_) {
        stats.kept += all_;
        compared_count_ = 0;
        out_valid_ = false;
        idle_ = true;
        return true;
      }
      kept_ += out_count_;
      kept_sum_ += row_sum_;
      boundary_ |= row_boundary_;
    }
    close_up();
    read(lists);
    return false;
  }

 private:
  // Second register: indices of what stays, closed up; sum and boundary.
  void close_up() {
    out_valid_ = compared_count_ != 0;
    if (!out_valid_) return;
    row_sum_ = row_boundary_ = 0;
    for (unsigned i = 0; i < lanes_; ++i) {
      if ((stays_ >> i) & 1) row_sum_ += compared_[i];
      if ((takes_ >> i) & 1) row_boundary_ |= compared_[i];
      indices_[i] = index_ + i;
    }
    out_count_ = eliminate_zeros(indices_, stays_, indices_, lanes_);
  }

  // First register: a row, and what of it stays.
  void read(const ListTable& lists) {
    compared_count_ = 0;
    if (rows_left_ == 0) return;
    index_ = row_ * lanes_;
    compared_ = lists.row(list_, row_++);
    compared_count_ = --rows_left_ ? lanes_ : tail_;
    Compared c;
    for (unsigned i = 0; i < compared_count_; ++i) {
      c.above |= Mask{compared_[i] >= limit_} << i;
      c.below |= Mask{compared_[i] < low_} << i;
    }
    const Filtered f = filter(c, compared_count_, equals_left_);
    equals_left_ -= f.equals;
    stays_ = f.stays;
    takes_ = f.stays & ~c.above;
  }

  unsigned lanes_;
  bool idle_ = true;
  unsigned list_ = 0, row_ = 0, rows_left_ = 0, tail_ = 0;
  std::uint64_t low_ = 0, limit_ = 0;
  unsigned equals_left_ = 0, all_ = 0;
  unsigned compared_count_ = 0, index_ = 0;
  Row compared_{};
  Mask stays_ = 0, takes_ = 0;
  bool out_valid_ = false;
  unsigned out_count_ = 0;
  Row indices_{};
  std::uint64_t row_sum_ = 0, row_boundary_ = 0;
  unsigned kept_ = 0;
  std::uint64_t kept_sum_ = 0, boundary_ = 0;
};

}  // namespace winnow::topk
