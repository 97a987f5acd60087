#include "models/topk/bracket_engine.h"

#include <string>

#include "golden/error.h"

namespace winnow::topk {

BracketEngine::BracketEngine(const Config& config)
    : EngineBase(config),
      lists_(kBracketLists, config.fifo_depth),
      bins_(config.item_bits),
      scan_(config.item_bits),
      pass_(config),
      filter_(config) {}

Outputs BracketEngine::comb() const {
  Outputs out;
  out.job_ready = load_ == Load::header && lists_[loading_].state == List::State::free;
  out.row_ready = load_ == Load::rows;
  filter_.comb(out);
  return out;
}

void BracketEngine::count_cycle(const Inputs& in) {
  stats_.load_cycles += load_ != Load::header || (in.job_valid && lists_[loading_].state == List::State::free);
  stats_.load_stalls += load_ == Load::rows && !in.row;
  stats_.select_cycles += !scan_.idle() || !pass_.idle() || !search_.idle() || next_pass() < lists_.size();
  stats_.filter_cycles += !filter_.idle() || lists_[oldest_].state == List::State::found;
  stats_.idle_cycles += !busy() && !in.job_valid;
}

// The oldest list that waits for a pass, or none.
unsigned BracketEngine::next_pass() const {
  for (unsigned i = 0, list = oldest_; i < lists_.size(); ++i, list = lists_.after(list))
    if (lists_[list].state == List::State::pass) return list;
  return lists_.size();
}

void BracketEngine::tick_load(const Inputs& in, bool job_ready, bool scan_idle) {
  const unsigned lanes = config_.parallelism;
  List& list = lists_[loading_];
  const Row* row = nullptr;
  unsigned count = 0;
  switch (load_) {
    case Load::header: {
      if (!in.job_valid || !job_ready) return;
      check(in.job, config_);
      list = List{};
      list.state = List::State::busy;
      list.n = in.job.n;
      list.mass = in.job.rule == Rule::mass;
      list.target = in.job.amount;
      bins_.clear();
      rows_left_ = (list.n + lanes - 1) / lanes;
      tail_ = (list.n - 1) % lanes + 1;
      row_ = 0;
      load_ = Load::rows;
      ++stats_.jobs;
      stats_.items += list.n;
      return;
    }
    case Load::rows: {
      if (!in.row) break;
      row = in.row;
      count = --rows_left_ ? lanes : tail_;
      std::uint64_t bits = 0;
      for (unsigned i = 0; i < count; ++i) bits |= (*row)[i];
      if (bits >> config_.item_bits)
        throw Error("topk.item " + std::to_string(bits) +
                    " has more than item_bits = " + std::to_string(config_.item_bits) + " bits");
      Row& to = lists_.row(loading_, row_++);
      for (unsigned i = 0; i < lanes; ++i) to[i] = (*row)[i];
      drained_ = false;
      if (rows_left_ == 0) load_ = Load::drain;
      break;
    }
    case Load::drain: {
      if (drained_) load_ = Load::hand;
      drained_ = true;
      break;
    }
    case Load::hand: {
      if (!scan_idle) return;
      scan_.start(loading_, list, bins_);
      loading_ = lists_.after(loading_);
      load_ = Load::header;
      return;
    }
  }
  bins_.tick(row, count);
}

void BracketEngine::tick(const Inputs& in) {
  count_cycle(in);
  // What the stages see of each other is this cycle's beginning.
  const bool job_ready = load_ == Load::header && lists_[loading_].state == List::State::free;
  const bool scan_idle = scan_.idle(), search_idle = search_.idle();
  const bool filter_starts = filter_.idle() && lists_[oldest_].state == List::State::found;
  const bool handed = pass_.ready() && search_idle;
  const unsigned next = pass_.idle() || handed ? next_pass() : lists_.size();

  if (filter_starts) {
    filter_.start(oldest_, lists_[oldest_]);
  } else if (!filter_.idle() && filter_.tick(lists_, in.out_ready, stats_)) {
    lists_[oldest_].state = List::State::free;
    oldest_ = lists_.after(oldest_);
  }
  tick_load(in, job_ready, scan_idle);
  if (!search_idle) {
    const bool divided = search_.state() == WindowSearch::State::divide;
    search_.tick(lists_[search_.list()]);
    stats_.divisions += !divided && search_.state() == WindowSearch::State::divide;
  }
  if (!scan_idle) scan_.tick(lists_[scan_.list()]);
  if (handed) {
    search_.start(pass_);
    pass_.release();
  }
  if (next < lists_.size()) {
    pass_.start(next, lists_[next]);
    lists_[next].state = List::State::busy;
    ++stats_.passes;
  } else {
    pass_.tick(lists_);
  }
}

}  // namespace winnow::topk
