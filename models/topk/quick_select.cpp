#include "models/topk/quick_select.h"

#include <bit>

namespace winnow::topk {

QuickSelect::QuickSelect(const Config& config)
    : config_(config),
      index_bits_(config.index_bits()),
      lanes_log2_(static_cast<unsigned>(std::countr_zero(config.parallelism))),
      left_(config.parallelism, config.fifo_depth),
      right_(config.parallelism, config.fifo_depth),
      lfsr_(config.seed),
      stride_log2_(Sampler::stride_log2(0, config.parallelism)) {}  // as RTL's, one clock after reset

void QuickSelect::start(const Job& job) {
  mass_ = job.rule == Rule::mass;
  amount_ = job.amount;
  items_ = job.n;
  target_ = mass_ ? 0 : job.amount;
  above_ = equals_ = 0;
  pivot_ = 0;
  in_right_ = true;
  product_step_ = kProductDone;
  left_.drop();
  right_.drop();
  clear_pass();
}

void QuickSelect::clear_pass() {
  equal_count_ = 0;
  sum_above_ = sum_equal_ = 0;
}

void QuickSelect::merge(const Partitioned& row, bool loading) {
  if (!row.valid) return;
  const bool sample = config_.pivot == PivotRule::sampled;
  right_.merge(row.right, row.above, sample, stride_log2_);
  if (!loading) left_.merge(row.left, row.below, sample, stride_log2_);
  equal_count_ += row.equal;
  sum_above_ += row.sum_above;
  sum_equal_ += row.sum_equal;
}

std::uint64_t QuickSelect::next_pivot(const Side& side, std::uint64_t target) const {
  if (config_.pivot == PivotRule::random) return side.first_row()[lfsr_.below(side.first_count())];
  // Count: the sample at rank target / stride, one further towards the larger side while the side is more than two
  // rows, so that the boundary falls into the smaller one. Mass: a sum says nothing of ranks; the median sample.
  unsigned rank = side.sampler().count() / 2;
  if (!mass_) {
    rank = static_cast<unsigned>((target - 1 + ((1u << stride_log2_) >> 1)) >> stride_log2_);
    if (side.items() > 2 * config_.parallelism) {
      if (2 * target < side.items())
        ++rank;
      else if (rank > 0)
        --rank;
    }
  }
  return side.sampler().at_rank(rank);
}

void QuickSelect::go_on(bool in_right, std::uint64_t target) {
  Side& to = in_right ? right_ : left_;
  pivot_ = next_pivot(to, target);
  items_ = to.items();
  in_right_ = in_right;
  target_ = target;
  to.flush();
  (in_right ? left_ : right_).drop();
  clear_pass();
}

QuickSelect::Next QuickSelect::decide(bool loading) {
  if (loading) {
    // Nothing to search for: all stay, or (sum 0) the first of equal items does.
    if (mass_ ? sum_above_ == 0 : target_ == items_) {
      equals_ = mass_ ? 1 : items_;
      return Next::filter;
    }
    total_ = sum_above_;
    product_ = 0;
    product_step_ = mass_ ? 0 : kProductDone;
    go_on(true, target_);
    return Next::pass;
  }
  const std::uint64_t above = mass_ ? sum_above_ : right_.items();
  const std::uint64_t from = mass_ ? sum_above_ + sum_equal_ : right_.items() + equal_count_;
  if (target_ <= above) {
    go_on(true, target_);
    return Next::pass;
  }
  if (target_ > from) {
    above_ += right_.items() + equal_count_;
    go_on(false, target_ - from);
    return Next::pass;
  }
  above_ += right_.items();
  equals_ = mass_ ? 1 : static_cast<unsigned>(target_ - above);
  if (!mass_ || equal_count_ == 1) return Next::filter;
  remainder_ = target_ - above - 1;
  quotient_ = 0;
  divide_step_ = index_bits_;
  return Next::divide;
}

bool QuickSelect::divide() {
  --divide_step_;
  quotient_ <<= 1;
  if ((remainder_ >> divide_step_) >= pivot_) {
    remainder_ -= pivot_ << divide_step_;
    quotient_ |= 1;
  }
  equals_ = quotient_ + 1;
  return divide_step_ == 0;
}

void QuickSelect::tick(bool passing) {
  if (passing) lfsr_.tick();
  stride_log2_ = Sampler::stride_log2(items_, config_.parallelism);
  if (product_step_ != kProductDone) {
    product_ += static_cast<unsigned __int128>(total_) * ((amount_ >> (6 * product_step_)) & 63) << (6 * product_step_);
    if (++product_step_ == kProductDone) target_ = static_cast<std::uint64_t>((product_ + 65535) >> 16);
  }
}

}  // namespace winnow::topk
