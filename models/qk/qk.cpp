#include "models/qk/qk.h"

#include <algorithm>

namespace winnow {
namespace {

// One score: the tree over D products of 12 x 12 bits; D <= 256 fits 32 bits.
template <int D>
inline std::int32_t tree(const std::int16_t* q, const std::int16_t* k, int) {
  std::int32_t sum = 0;
  for (int d = 0; d < D; ++d) sum += static_cast<std::int32_t>(q[d]) * k[d];
  return sum;
}
inline std::int32_t tree_any(const std::int16_t* q, const std::int16_t* k, int dim) {
  std::int32_t sum = 0;
  for (int d = 0; d < dim; ++d) sum += static_cast<std::int32_t>(q[d]) * k[d];
  return sum;
}

}  // namespace

// The query's normaliser: leading zeros of the largest code, a shift and a rounding a word.
void Qk::begin_query(const std::int16_t* q) {
  query_sum_ = query_size_ = query_shift_ = 0;
  if (task_.crude) {
    std::uint32_t largest = 0;
    for (int d = 0; d < params_.head_dim; ++d)
      largest = std::max(largest, static_cast<std::uint32_t>(q[d] < 0 ? -q[d] : q[d]));
    query_shift_ = golden::crude_shift(largest, params_.first_q_bits);
  }
  for (int d = 0; d < params_.head_dim; ++d) {
    const std::int32_t x = task_.crude ? golden::crude_query(q[d], query_shift_, params_.first_q_bits) : q[d];
    crude_[static_cast<std::size_t>(d)] = static_cast<std::int16_t>(x);
    query_sum_ += x * (1 << query_shift_), query_size_ += (x < 0 ? -x : x) * (1 << query_shift_);
  }
}

// How many of the n slots, in order, lie in banks that no slot before them takes.
std::uint32_t Qk::reachable(const std::uint32_t* slots, std::uint32_t n, Cycle now) const {
  KvBanks::Mask used = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const KvBanks::Mask banks = keys_.mask(half(task_), slots[i]);
    if ((used & banks) || !keys_.slot_ready(half(task_), slots[i], now) ||
        !keys_.can_read(half(task_), slots[i], 1, now))
      return i;
    used |= banks;
  }
  return n;
}

// The largest score that a key within a page's bounds could have.
std::int32_t Qk::bound(const std::int16_t* q, const std::int16_t* page) const {
  std::int32_t sum = 0;
  for (int d = 0; d < params_.head_dim; ++d)
    sum += static_cast<std::int32_t>(q[d]) * golden::page_bound(page[d], q[d], params_.page_bound_bits);
  return sum;
}

// Scores of `count` neighbouring keys, from the row's `from`-th on.
void Qk::score(ScoreRow& row, const std::int16_t* k, const std::int16_t* q, int from, int count, int weight) const {
  const int stride = keys_.stride();
  std::int32_t* to = &row.value[static_cast<std::size_t>(from)];
  if (task_.pages && params_.page_bound_bits) {
    for (int i = 0; i < count; ++i) to[i] = bound(q, k + i * stride) * weight;
    return;
  }
  switch (params_.head_dim) {
    case 64:
      for (int i = 0; i < count; ++i) to[i] = tree<64>(q, k + i * stride, 64) * weight;
      break;
    case 32:
      for (int i = 0; i < count; ++i) to[i] = tree<32>(q, k + i * stride, 32) * weight;
      break;
    default:
      for (int i = 0; i < count; ++i) to[i] = tree_any(q, k + i * stride, params_.head_dim) * weight;
  }
}

void Qk::tick(Cycle now) {
  multiply(now);
  if (arrays_.shared()) ask_for_arrays(now);
}

// For the next cycle, and only where a later pass will have something to multiply and somebody who takes it: P x V
// stands meanwhile.
void Qk::ask_for_arrays(Cycle now) {
  if (!out_.can_push(now)) return;
  if (!active_) {
    if (later_.can_pop(now) && startable(later_.peek(), now)) arrays_.ask(now);
    return;
  }
  if (task_.tag.pass == 0) return;
  const auto n = std::min(rate_, task_.keys - next_);
  if (keys_.run_ready(half(task_), next_, n, now)) arrays_.ask(now);
}

void Qk::multiply(Cycle now) {
  if (!active_) {
    // A later pass goes first, but one that waits for its gather does not hold up the other head's first pass.
    if (later_.can_pop(now) && startable(later_.peek(), now)) {
      task_ = later_.peek(), later_.pop(now), active_ = true, next_ = 0, rate_ = rate(task_);
    } else if (first_.can_pop(now)) {
      if (!startable(first_.peek(), now)) {
        stats_.wait(!queries_.ready(first_.peek().query, now) ? kQueries
                    : !listed(first_.peek(), now)             ? kGreedy
                                                              : kKeys);
        return;
      }
      task_ = first_.peek(), first_.pop(now), active_ = true, next_ = 0, rate_ = rate(task_);
    } else if (later_.can_pop(now)) {
      stats_.wait(kKeys);
      return;
    } else {
      stats_.wait(kController);
      return;
    }
  }
  if (arrays_.taken(now)) {
    stats_.wait(kArrays);
    return;
  }
  if (!out_.can_push(now)) {
    stats_.wait(kSoftmax);
    return;
  }
  const bool searched = candidates_.asked(task_.store);
  const std::uint32_t keys = searched ? candidates_.count(task_.store, task_.tag.group) : task_.keys;
  const std::uint32_t* slots = searched ? candidates_.peek(task_.store, task_.tag.group) + next_ : nullptr;
  auto n = std::min(rate_, keys - next_);
  if (searched) n = reachable(slots, n, now);
  const int count = static_cast<int>(n);
  if (searched ? n == 0 : !keys_.run_ready(half(task_), next_, n, now) || !keys_.can_read(half(task_), next_, n, now)) {
    stats_.wait(kKeys);
    return;
  }
  const bool last = next_ + n == keys;
  if (last && task_.release_half && !released_.can_push(now)) {
    stats_.wait(kController);
    return;
  }
  ScoreRow& r = out_.push(now);
  r.tag = task_.tag, r.store = task_.store, r.add = task_.add, r.last = last, r.first = next_, r.count = count;
  const std::int16_t* k = searched ? nullptr : keys_.read_run(half(task_), next_, n, now);
  if (searched) slots = candidates_.read(task_.store, task_.tag.group, next_, CandidateLists::Port::qk, now);
  if (!params_.shape_only) {
    const std::int16_t* q = queries_.entry(task_.query);
    if (next_ == 0) {
      begin_query(q);
      if (queries_.weighted()) groups_[task_.store].head_weight[task_.tag.group] = queries_.weight(task_.query);
    }
    if (task_.crude) q = crude_.data();
    r.query_sum = query_sum_, r.query_size = query_size_;
    const int weight = 1 << (task_.shift + query_shift_);
    if (searched)
      for (int i = 0; i < count; ++i) score(r, keys_.read_slot(half(task_), slots[i], now), q, i, 1, weight);
    else
      score(r, k, q, 0, count, weight);
  }
  const std::uint64_t products = static_cast<std::uint64_t>(count) * static_cast<std::uint64_t>(params_.head_dim);
  products_ += products, of_epoch_[task_.epoch] += products;
  stats_.busy();
  next_ += n;
  if (last) {
    active_ = false;
    if (task_.release_queries) queries_.release(task_.release_queries, now);
    if (task_.release_half) released_.push(now, {task_.half});
  }
}

}  // namespace winnow
