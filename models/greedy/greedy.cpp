#include "models/greedy/greedy.h"

#include <algorithm>
#include <bit>

namespace winnow {

Greedy::Greedy(const Params& params, GreedyMemories memories, Fifo<GreedyJob>& jobs)
    : Block("greedy", "greedy search"), params_(params), m_(memories), jobs_(jobs) {
  if (params.sizes.columns) partial_.resize(static_cast<std::size_t>(params.longest));
}

std::vector<StoredWords> Greedy::registers() const {
  if (!params_.sizes.columns) return {};
  const int slot_bits = std::bit_width(static_cast<unsigned>(params_.longest));
  return {{"partial_scores", static_cast<std::uint64_t>(params_.longest), 32},
          {"search_heads", 2 * static_cast<std::uint64_t>(params_.head_dim), 24 + 2 * slot_bits},
          {"search_query", static_cast<std::uint64_t>(params_.head_dim), golden::kWordBits}};
}

void Greedy::report(StatSink& sink) const {
  sink.count("searches", "searches", searches_);
  sink.count("iterations", "iterations", iterations_);
  sink.count("multiplications", "multiplications", products_);
  sink.count("keys", "keys searched among", keys_);
  sink.count("candidates", "candidates", candidates_);
  sink.count("sorts", "heads sorted", sorts_);
  sink.cycles("sort_cycles", "sorting, apart from the run", sort_cycles_);
  sink.bytes("sort_bytes", "sorted columns", sort_bytes_);
}

void Greedy::tick(Cycle now) {
  if (!active_) {
    if (!jobs_.can_pop(now)) {
      stats_.idle();
      return;
    }
    const GreedyJob& job = jobs_.peek();
    if (!m_.keys.loaded(job.half, now)) {
      stats_.wait(kKeys);
      return;
    }
    if (!m_.queries.ready(job.query, now)) {
      stats_.wait(kQueries);
      return;
    }
    job_ = job;
    jobs_.pop(now);
    begin();
  }
  stats_.busy();
  switch (phase_) {
    case Phase::set_up: set_up(now); break;
    case Phase::walk: walk(now); break;
    case Phase::drain:
      if (++next_ == static_cast<std::uint32_t>(params_.sizes.latency)) phase_ = Phase::scan, next_ = 0;
      break;
    case Phase::scan: scan(now); break;
  }
}

void Greedy::begin() {
  if (job_.sort) sort();
  std::copy_n(m_.queries.entry(job_.query), params_.head_dim, query_.begin());
  active_ = true, phase_ = Phase::set_up, next_ = 0;
  sum_ = 0, found_ = 0;
  ++searches_, keys_ += job_.keys;
}

// Of equal codes the lower slot comes first.
void Greedy::sort() {
  for (int d = 0; d < params_.head_dim; ++d) {
    SortedKeys::Element* column = m_.sorted.column(job_.half, d);
    for (std::uint32_t slot = 0; slot < job_.keys; ++slot) column[slot] = {m_.keys.slot(job_.half, slot)[d], slot};
    std::sort(column, column + job_.keys, [](const SortedKeys::Element& a, const SortedKeys::Element& b) {
      return a.code != b.code ? a.code < b.code : a.slot < b.slot;
    });
  }
  ++sorts_;
  const auto lanes = static_cast<std::uint64_t>(params_.sizes.columns),
             D = static_cast<std::uint64_t>(params_.head_dim);
  sort_cycles_ += (D + lanes - 1) / lanes * job_.keys * static_cast<std::uint64_t>(std::bit_width(job_.keys - 1));
  sort_bytes_ += (D * job_.keys * static_cast<std::uint64_t>(m_.sorted.shape().bits) + 7) / 8;
}

// The element where a side stands in column d, and its product.
void Greedy::fetch(Head& head, int d, bool largest, Cycle now) {
  head.left = head.taken < job_.keys;
  if (!head.left) return;
  const std::int16_t q = query_[static_cast<std::size_t>(d)];
  const bool from_top = (q >= 0) == largest;
  const std::uint32_t rank = from_top ? job_.keys - 1 - head.taken : head.taken;
  const SortedKeys::Element& e = m_.sorted.read(job_.half, d, rank, largest ? End::top : End::bottom, now);
  head.slot = e.slot, head.product = std::int32_t{q} * e.code;
  ++products_;
}

void Greedy::set_up(Cycle now) {
  const auto columns = static_cast<std::uint32_t>(params_.sizes.columns),
             D = static_cast<std::uint32_t>(params_.head_dim);
  const std::uint32_t end = std::min(D, (next_ + 1) * columns);
  for (std::uint32_t d = next_ * columns; d < end; ++d) {
    largest_[d] = smallest_[d] = {};
    fetch(largest_[d], static_cast<int>(d), true, now);
    fetch(smallest_[d], static_cast<int>(d), false, now);
  }
  ++next_;
  if (end == D) phase_ = Phase::walk, next_ = 0;
}

void Greedy::take(Heads& heads, bool largest, Cycle now) {
  int best = -1;
  for (int d = 0; d < params_.head_dim; ++d) {
    const Head& h = heads[static_cast<std::size_t>(d)];
    if (!h.left) continue;
    const std::int32_t most = best < 0 ? 0 : heads[static_cast<std::size_t>(best)].product;
    if (best < 0 || (largest ? h.product > most : h.product < most)) best = d;
  }
  if (best < 0) return;
  Head& h = heads[static_cast<std::size_t>(best)];
  if (largest ? h.product > 0 : h.product < 0) partial_[h.slot] += h.product, sum_ += h.product;
  ++h.taken;
  fetch(h, best, largest, now);
}

void Greedy::walk(Cycle now) {
  const bool both = sum_ >= 0;
  take(largest_, true, now);
  if (both) take(smallest_, false, now);
  ++iterations_;
  if (++next_ == static_cast<std::uint32_t>(params_.decisions.iterations(static_cast<int>(job_.keys))))
    phase_ = Phase::drain, next_ = 0;
}

void Greedy::scan(Cycle now) {
  const auto width = static_cast<std::uint32_t>(params_.sizes.scan);
  const std::uint32_t end = std::min(job_.keys, (next_ + 1) * width);
  word_.clear();
  for (std::uint32_t slot = next_ * width; slot < end; ++slot) {
    const std::int32_t score = partial_[slot];
    if (slot == 0 || score > best_score_) best_ = slot, best_score_ = score;
    if (score > 0) word_.push_back(slot);
    partial_[slot] = 0;
  }
  found_ += static_cast<std::uint32_t>(word_.size());
  ++next_;
  if (end == job_.keys && found_ == 0) word_.push_back(best_), found_ = 1;
  m_.lists.append(job_.store, job_.tag.group, word_, now);
  if (end < job_.keys) return;
  m_.lists.finish(job_.store, job_.tag.group, now);
  candidates_ += found_;
  active_ = false;
}

}  // namespace winnow
