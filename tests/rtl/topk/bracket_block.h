#pragma once
// Lockstep adapter of the bracket engine. Jobs of both rules, refused ones among them, offered whether or not the
// engine is ready; a job's first row is offered as early, before its job is taken. Gaps and stalls on every side,
// resets in mid-run.
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "golden/error.h"
#include "models/topk/bracket_engine.h"
#include "sim/rtl/verilated_block.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/lockstep/lockstep.h"

namespace winnow::topk::test {

// What random stimuli must have met; each is seen in the model's state.
struct BracketCover {
  std::uint64_t jobs[2] = {}, refused[4] = {}, all_kept = 0, sum_zero = 0, zero_boundary = 0;
  std::uint64_t below_32 = 0, octaves = 0, last_octave = 0;
  std::uint64_t wide_window = 0, missed_up = 0, missed_down = 0, early = 0, exact = 0, single = 0, sure = 0,
                narrowed = 0, divided = 0, second_pass = 0, overtaken = 0;
  std::uint64_t lists_full = 0, all_busy = 0, pass_waits = 0, hand_waits = 0, stalled = 0, starved = 0;
  std::uint64_t resets = 0, reset_in_job = 0, reset_in_refusal = 0, job_waits = 0, job_waits_long = 0, row_waits = 0,
                refusal_waits = 0;
};

class BracketBlock : public rtl::VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  static constexpr const char* kName = "topk_bracket";
  static constexpr const char* kScope = "TOP.topk_bracket_lockstep";
  static std::vector<std::string> probe_names() {
    return {
#include "topk_bracket_probe_names.inc"
    };
  }
  static std::span<const rtl::Place> probe_places() {
    static constexpr rtl::Place all[] = {
#include "topk_bracket_probe_places.inc"
    };
    return all;
  }

  // What the driver is told to do wrong, to see the assertion on its contract.
  enum class Breach : std::uint8_t { none, job, row };

  explicit BracketBlock(std::uint64_t seed, unsigned mutant = 0, Breach breach = Breach::none)
      : VerilatedBlock(lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant)})),
        breach_(breach),
        random_(seed) {
    config_.parallelism = rtl_->parallelism_o;
    config_.fifo_depth = rtl_->fifo_depth_o;
    config_.item_bits = rtl_->item_bits_o;
    config_.prefilter = Prefilter::bracket;
    model_ = std::make_unique<BracketEngine>(config_);
  }

  const Config& config() const { return config_; }
  const BracketCover& cover() const { return cover_; }
  std::uint64_t jobs() const { return earlier_jobs_ + model_->stats().jobs; }

  void drive() {
    reset_ = resets_.active();
    rtl_->rst_ni = !reset_;
    if (reset_) restart();
    out_ = model_->comb();
    choose();
    in_ = {};
    in_.out_ready = takes_.now();
    in_.row = row_offered_ ? &row_ : nullptr;
    bad_ = header_offered_ ? error_of(header_) : 0;
    in_.job = header_;
    in_.job_valid = header_offered_ && !bad_;  // RTL takes a job that it refuses, too
    noise_ = random_.next();
    const Job job = header_offered_ ? header_
                                    : Job{static_cast<unsigned>(noise_), noise_ & 1 ? Rule::mass : Rule::count,
                                          static_cast<unsigned>(noise_ >> 32)};
    rtl_->job_valid_i = header_offered_;
    rtl_->job_n_i = job.n;
    rtl_->job_mass_i = job.rule == Rule::mass;
    rtl_->job_amount_i = job.amount;
    rtl_->row_valid_i = row_offered_;
    for (unsigned i = 0; i < config_.parallelism; ++i)
      rtl_->row_i[i] = row_offered_ ? row_[i] : noise_ >> (13 * i & 31);
    rtl_->out_ready_i = in_.out_ready;
    if (breach_ != Breach::none) commit_breach();
    rtl_->eval();
  }

  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    using State = List::State;
    const BracketEngine& m = *model_;
    const Outputs& o = out_;
    const unsigned refused = refused_, Parallelism = config_.parallelism, Lists = rtl_->lists_o, Edges = rtl_->edges_o;
    constexpr unsigned Bins = WindowPass::kBins;
    if (m.load() == BracketEngine::Load::hand) edges_ = m.bins().at_least();
#include "topk_bracket_probes.inc"
  }

  void tick() {
    note();
    refused_ = 0;
    if (!reset_) {
      if (header_offered_ && out_.job_ready) {
        header_offered_ = false;
        if (bad_) {
          refused_ = bad_;
          resets_.likely();
        } else {
          job_ = plan_.front().job;
          items_ = std::move(plan_.front().items);
          next_ = 0;
          loading_ = true;
        }
        plan_.pop_front();
        gaps_.renew(), takes_.renew();
        if (random_.below(2)) rows_.renew();
      }
      if (row_offered_ && out_.row_ready) {
        row_offered_ = false;
        next_ += config_.parallelism;
        loading_ = next_ < job_.n;
        if (!loading_) rows_.renew();
      }
      model_->tick(in_);
    }
    clock();
  }

  std::string doing() const {
    return "job " + std::to_string(jobs()) + " was taken last: n " + std::to_string(job_.n) +
           (job_.rule == Rule::count ? ", count, k " : ", mass, mu16 ") + std::to_string(job_.amount) + ", " +
           std::to_string(std::min(next_, job_.n)) + " items loaded, pass " + std::to_string(model_->stats().passes) +
           (model_->busy() ? "" : ", idle") + (reset_ ? ", in reset" : "") + (header_offered_ ? ", a job waits" : "") +
           (row_offered_ ? ", a row waits" : "");
  }

 private:
  struct Planned {
    Job job;
    std::vector<std::uint64_t> items;
  };

  // 0: can be done; 1 n, 2 k, 3 mu16, as topk_pkg::error_e.
  unsigned error_of(const Job& job) const {
    if (job.n == 0 || job.n > config_.capacity()) return 1;
    if (job.rule == Rule::count) return job.amount == 0 || job.amount > job.n ? 2 : 0;
    return job.amount == 0 || job.amount > 65536 ? 3 : 0;
  }

  // Both sides as after a reset; the jobs that are offered may stay so, what belongs to the job that is lost may not.
  void restart() {
    ++cover_.resets;
    cover_.reset_in_job += model_->busy();
    cover_.reset_in_refusal += refused_ != 0;
    earlier_jobs_ += model_->stats().jobs;
    model_ = std::make_unique<BracketEngine>(config_);
    if (loading_ || random_.below(2)) row_offered_ = false;
    if (random_.below(2)) header_offered_ = false;
    loading_ = false;
    refused_ = 0;
  }

  // A job that can be done is at the end of the plan.
  void plan() {
    while (plan_.empty() || error_of(plan_.back().job)) {
      plan_.emplace_back();
      draw(plan_.back());
    }
  }

  void draw(Planned& planned) {
    const unsigned capacity = config_.capacity(), lanes = config_.parallelism;
    Job& job = planned.job;
    // Small and large jobs in turn; some full to the brim, some that cannot be done.
    const auto size = static_cast<unsigned>(random_.below(8));
    job.n = size < 3   ? 1 + static_cast<unsigned>(random_.below(3 * lanes)) % capacity
            : size < 7 ? 1 + static_cast<unsigned>(random_.below(capacity))
                       : capacity;
    if (random_.below(2) && capacity > 128) job.n = 1 + (job.n - 1) % 128;
    job.rule = random_.below(3) ? Rule::mass : Rule::count;
    job.amount = job.rule == Rule::mass ? 1 + static_cast<unsigned>(random_.below(65536))
                                        : 1 + static_cast<unsigned>(random_.below(job.n));
    switch (random_.below(48)) {
      case 0: job.n = 0; break;
      case 1: job.n = capacity + 1; break;
      case 2: job.amount = 0; break;
      case 3: job.amount = job.rule == Rule::mass ? 65537 : job.n + 1; break;
      case 4: job.amount = job.rule == Rule::mass ? 65536 : job.n; break;
      case 5: job.amount = 1; break;
      default: break;
    }
    fill(planned.items, job.n);
    if (job.rule == Rule::mass && job.amount > 1 && job.amount < 65536 && config_.item_bits > 16 && job.n != 0 &&
        random_.below(2))
      fill_exactly(planned);
    // The smallest product that rounds up: one item of 1, and the smallest share.
    if (job.amount == 1 && random_.below(2))
      for (unsigned i = 0; i < job.n; ++i) planned.items[i] = i == job.n / 2;
  }

  // Items that sum up to 65536, as probabilities do, and a share that the largest of them reach exactly, or miss by
  // one.
  void fill_exactly(Planned& planned) {
    auto& items = planned.items;
    const unsigned clump = static_cast<unsigned>(random_.below(3));
    std::uint64_t left = 65536;
    for (auto& v : items) {
      v = random_.below(left / (1 + random_.below(8)) + 1);
      if (clump == 1) v = std::min(left, v & ~std::uint64_t{255});
      if (clump == 2 && random_.below(2)) v = std::min(left, random_.below(4));
      left -= v;
    }
    items[random_.below(items.size())] += left;
    for (std::size_t i = items.size(); i-- > 1;) std::swap(items[i], items[random_.below(i + 1)]);
    std::vector<std::uint64_t> order = items;
    std::sort(order.rbegin(), order.rend());
    const std::uint64_t upto = 1 + random_.below(1 + random_.below(order.size()));
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < upto; ++i) sum += order[i];
    const auto amount = static_cast<unsigned>(sum + random_.below(3) - 1);
    if (amount >= 1 && amount <= 65536) planned.job.amount = amount;
  }

  void fill(std::vector<std::uint64_t>& items, unsigned n) {
    items.resize(n);
    const unsigned bits = config_.item_bits;
    const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t distinct = 1 + random_.below(6), kind = random_.below(12);
    const auto shift = static_cast<unsigned>(random_.below(bits));
    const std::uint64_t base = (random_.next() & top) >> shift << shift;
    for (unsigned i = 0; i < n; ++i) {
      const std::uint64_t r = random_.next() & top;
      items[i] = kind < 2    ? r
                 : kind < 5  ? r >> random_.below(bits)
                 : kind < 7  ? (random_.below(distinct) * (kind == 5 ? 1 : top / 7)) & top
                 : kind < 8  ? (random_.below(8) ? 0 : top)
                 : kind < 9  ? (random_.below(2) ? i : n - i) & top
                 : kind < 10 ? base | (r & ((std::uint64_t{1} << shift) - 1))       // around one value
                 : kind < 11 ? (i == n / 2 ? top : r >> (bits > 6 ? bits - 6 : 0))  // one huge
                             : std::min(top, base + random_.below(3));
    }
    if (random_.below(32) == 0) std::fill(items.begin(), items.end(), random_.below(2) ? top : 0);
  }

  // What is offered from this cycle on. A job as soon as the one before was taken, or later; its first row as soon as
  // the rows of the job before were, or later.
  void choose() {
    if (!header_offered_ && gaps_.now()) {
      plan();
      header_ = plan_.front().job;
      header_offered_ = true;
      waited_ = 0;
    }
    if (!row_offered_ && rows_.now()) {
      plan();
      if (loading_)
        offer_row(items_, job_.n, next_);
      else
        offer_row(plan_.back().items, plan_.back().job.n, 0);
    }
  }

  void offer_row(const std::vector<std::uint64_t>& items, unsigned n, unsigned from) {
    for (unsigned i = 0; i < config_.parallelism; ++i)
      row_[i] = from + i < n ? items[from + i] : random_.next() & ((std::uint64_t{1} << config_.item_bits) - 1);
    row_offered_ = true;
  }

  // The assertions see it at this cycle's clock or the next.
  void commit_breach() {
    if (!model_->busy() || reset_) return;
    if (breach_ == Breach::job && header_offered_ && random_.below(4) == 0) rtl_->job_n_i ^= 1;
    if (breach_ == Breach::row && row_offered_ && !out_.row_ready && random_.below(4) == 0) rtl_->row_valid_i = 0;
  }

  void note() {
    if (reset_) return;
    using State = List::State;
    const BracketEngine& m = *model_;
    const ListTable& lists = m.table();
    if (in_.job_valid && out_.job_ready) {
      ++cover_.jobs[header_.rule == Rule::mass];
      cover_.all_kept += header_.rule == Rule::count && header_.amount == header_.n;
    }
    if (bad_ && out_.job_ready) ++cover_.refused[bad_];
    if (header_offered_ && !out_.job_ready) {
      ++cover_.job_waits;
      cover_.job_waits_long += ++waited_ == 100;
    }
    cover_.refusal_waits += bad_ && !out_.job_ready;
    cover_.row_waits += row_offered_ && !out_.row_ready;
    cover_.starved += out_.row_ready && !in_.row;
    cover_.stalled += out_.out_valid && !in_.out_ready;
    cover_.lists_full += m.load() == BracketEngine::Load::header && !out_.job_ready;
    cover_.all_busy += (m.load() != BracketEngine::Load::header) + !m.scan().idle() + !m.pass().idle() +
                           !m.search().idle() + !m.filter().idle() ==
                       static_cast<int>(lists.size());
    cover_.hand_waits += m.load() == BracketEngine::Load::hand && !m.scan().idle();
    cover_.pass_waits += m.pass().ready() && !m.search().idle();
    if (last_scan_ != BinScan::State::idle && m.scan().idle()) {
      const List& l = lists[m.scan().list()];
      if (l.state == State::found) {
        cover_.sum_zero += l.mass;
        cover_.zero_boundary += !l.mass && l.limit == 1;
      } else {
        ++(last_scan_ == BinScan::State::small ? cover_.below_32 : cover_.octaves);
        cover_.last_octave += last_scan_ == BinScan::State::scan && m.scan().octave() + 1 == config_.item_bits;
        cover_.wide_window += l.shift != 0;
      }
    }
    if (last_search_ != WindowSearch::State::idle && m.search().idle()) {
      const List& l = lists[m.search().list()];
      const bool found = l.state == State::found;
      if (last_search_ == WindowSearch::State::aim)
        ++(l.limit == searched_limit_ ? cover_.missed_up : cover_.missed_down);
      else if (last_search_ == WindowSearch::State::halve && found)
        ++(m.search().width() > 1    ? cover_.early
           : m.search().shift() == 0 ? cover_.exact
           : l.mass                  ? cover_.sure
                                     : cover_.single);
      else if (last_search_ == WindowSearch::State::halve)
        ++cover_.narrowed;
      cover_.divided += last_search_ == WindowSearch::State::divide;
      cover_.second_pass += !found;
    }
    if (!m.search().idle()) searched_limit_ = lists[m.search().list()].limit;
    last_scan_ = m.scan().state();
    last_search_ = m.search().state();
    // A later list is found before the oldest.
    const unsigned second = lists.after(m.oldest());
    cover_.overtaken +=
        lists[second].state == State::found && lists[m.oldest()].state != State::found && m.filter().idle();
  }

  Breach breach_;
  Config config_;
  std::unique_ptr<BracketEngine> model_;
  Random random_;
  lockstep::Pace gaps_{random_}, rows_{random_}, takes_{random_};
  lockstep::Resets resets_{random_, 4000};
  Outputs out_;
  Inputs in_;
  std::vector<unsigned> edges_;
  std::deque<Planned> plan_;  // not taken yet
  Job header_, job_;          // offered; taken last, with its items
  std::vector<std::uint64_t> items_;
  Row row_{};
  unsigned next_ = 0, bad_ = 0, refused_ = 0, waited_ = 0;
  bool reset_ = true, header_offered_ = false, row_offered_ = false, loading_ = false;
  std::uint64_t noise_ = 0, earlier_jobs_ = 0;
  BinScan::State last_scan_ = BinScan::State::idle;
  WindowSearch::State last_search_ = WindowSearch::State::idle;
  std::uint64_t searched_limit_ = 0;
  BracketCover cover_;
};

}  // namespace winnow::topk::test
