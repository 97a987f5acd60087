#include "models/topk/engine.h"

#include <string>

#include "golden/error.h"
#include "models/topk/filter.h"
#include "models/topk/zero_eliminator.h"

namespace winnow::topk {

Engine::Engine(const Config& config) : EngineBase(config), select_(config), store_(config.fifo_depth) {}

bool Engine::last_row() const { return kept_ + partitioned_.above == select_.above() + select_.equals(); }

Outputs Engine::comb() const {
  Outputs out;
  out.job_ready = state_ == State::idle;
  out.row_ready = state_ == State::load;
  out.out_valid = state_ == State::filter && partitioned_.valid && partitioned_.above != 0;
  out.count = partitioned_.above;
  out.indices = &partitioned_.right;
  out.last = out.out_valid && last_row();
  out.kept = kept_ + partitioned_.above;
  out.boundary = select_.pivot();
  out.kept_sum = kept_sum_ + partitioned_.sum_above;
  return out;
}

void Engine::count_cycle(const Inputs& in) {
  switch (state_) {
    case State::idle: ++(in.job_valid ? stats_.load_cycles : stats_.idle_cycles); break;
    case State::load:
      stats_.load_stalls += in.row == nullptr;
      ++stats_.load_cycles;
      break;
    case State::filter: ++stats_.filter_cycles; break;
    default: ++(loading_ ? stats_.load_cycles : stats_.select_cycles);
  }
}

// Second register: masks become two compacted rows, counts and sums.
void Engine::partition() {
  const CompareStage& c = compared_;
  Partitioned& p = partitioned_;
  p.valid = c.valid;
  if (!c.valid) return;
  const unsigned lanes = config_.parallelism;
  p.above = eliminate_zeros(c.row, c.masks.above, p.right, lanes);
  p.below = loading_ ? 0 : eliminate_zeros(c.row, c.masks.below, p.left, lanes);
  p.equal = c.count - p.above - p.below;
  p.sum_above = 0;
  for (unsigned i = 0; i < p.above; ++i) p.sum_above += p.right[i];
  p.sum_equal = p.equal * select_.pivot();
}

// The same register in the filter pass: the lanes that stay, as indices.
void Engine::filter_row() {
  const CompareStage& c = compared_;
  Partitioned& p = partitioned_;
  p.valid = c.valid;
  if (!c.valid) return;
  const Filtered f = filter(c.masks, c.count, equals_left_);
  equals_left_ -= f.equals;
  p.sum_above = 0;
  for (unsigned i = 0; i < config_.parallelism; ++i) {
    p.sum_above += (f.stays >> i) & 1 ? c.row[i] : 0;
    p.right[i] = c.index + i;
  }
  p.above = eliminate_zeros(p.right, f.stays, p.right, config_.parallelism);
}

// First register: the head row of a FIFO, compared with the pivot.
void Engine::read(const RowFifo& fifo) {
  compared_.valid = rows_left_ != 0;
  if (!compared_.valid) return;
  --rows_left_;
  compared_.count = rows_left_ ? config_.parallelism : tail_;
  for (unsigned i = 0; i < config_.parallelism; ++i) compared_.row[i] = fifo.head()[i];
  compared_.masks = compare(compared_.row, compared_.count, select_.pivot());
  compared_.index = next_index_;
  next_index_ += config_.parallelism;
}

void Engine::begin_pass(unsigned rows, unsigned tail) {
  rows_left_ = rows;
  tail_ = tail;
  drained_ = false;
}

void Engine::tick(const Inputs& in) {
  const unsigned lanes = config_.parallelism;
  count_cycle(in);
  select_.tick(state_ == State::pass || state_ == State::drain);
  switch (state_) {
    case State::idle: {
      if (!in.job_valid) return;
      check(in.job, config_);
      n_ = in.job.n;
      begin_pass((n_ + lanes - 1) / lanes, (n_ - 1) % lanes + 1);
      select_.start(in.job);
      loading_ = true;
      state_ = State::load;
      ++stats_.jobs;
      stats_.items += n_;
      break;
    }
    case State::load: {
      select_.merge(partitioned_, true);
      partition();
      compared_.valid = in.row != nullptr;
      if (in.row) {
        --rows_left_;
        compared_.count = rows_left_ ? lanes : tail_;
        for (unsigned i = 0; i < lanes; ++i) compared_.row[i] = (*in.row)[i];
        std::uint64_t bits = 0;
        for (unsigned i = 0; i < compared_.count; ++i) bits |= compared_.row[i];
        if (bits >> config_.item_bits)
          throw Error("topk.item " + std::to_string(bits) +
                      " has more than item_bits = " + std::to_string(config_.item_bits) + " bits");
        compared_.masks = {first_lanes(compared_.count), 0};
        store_.push(compared_.row, lanes);
        if (rows_left_ == 0) state_ = State::drain;
      }
      break;
    }
    case State::pass: {
      select_.merge(partitioned_, false);
      partition();
      read(select_.source().fifo());
      select_.source().pop();
      if (rows_left_ == 0) state_ = State::drain;
      break;
    }
    case State::drain: {
      select_.merge(partitioned_, loading_);
      partition();
      compared_.valid = false;
      if (drained_) state_ = State::decide;
      drained_ = true;
      break;
    }
    case State::decide: {
      const QuickSelect::Next next = select_.decide(loading_);
      if (next == QuickSelect::Next::pass) {
        const Side& from = select_.source();
        begin_pass(from.rows(), (select_.items() - 1) % lanes + 1);
        state_ = State::pass;
        ++stats_.passes;
      } else {
        begin_pass((n_ + lanes - 1) / lanes, (n_ - 1) % lanes + 1);
        next_index_ = 0;
        kept_ = 0;
        kept_sum_ = 0;
        equals_left_ = select_.equals();
        state_ = next == QuickSelect::Next::divide ? State::divide : State::filter;
        stats_.divisions += next == QuickSelect::Next::divide;
      }
      loading_ = false;
      break;
    }
    case State::divide: {
      if (select_.divide()) state_ = State::filter;
      equals_left_ = select_.equals();
      break;
    }
    case State::filter: {
      const bool waits = partitioned_.valid && partitioned_.above != 0;
      if (waits && !in.out_ready) {
        ++stats_.filter_stalls;
        return;
      }
      if (waits && last_row()) {
        stats_.kept += kept_ + partitioned_.above;
        partitioned_.valid = compared_.valid = false;
        store_.clear();
        state_ = State::idle;
        return;
      }
      if (waits) {
        kept_ += partitioned_.above;
        kept_sum_ += partitioned_.sum_above;
      }
      filter_row();
      const bool more = rows_left_ != 0;
      read(store_);
      if (more) store_.pop();
      break;
    }
  }
}

}  // namespace winnow::topk
