#pragma once
// Lockstep adapter of a top-k engine, whichever of the two. Jobs of both rules or of a file, refused ones among them,
// offered whether or not the engine is ready; a job's first row is offered as early, before its job is taken or the job
// before has ended. Gaps and stalls on every side, resets in mid-run.
//
// topk_block.h and bracket_block.h say what the engine has beside: settings, which items are hard for it, what must
// have been met.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "golden/error.h"
#include "models/topk/engine_base.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/topk/engine_ports.h"

namespace winnow::topk::test {

// What random stimuli must have met with any engine; each is seen in the model's state.
struct EngineCover {
  std::uint64_t jobs[2] = {}, refused[4] = {}, all_kept = 0, sum_zero = 0, stalled = 0, starved = 0;
  std::uint64_t resets = 0, reset_in_job = 0, reset_in_refusal = 0;
  std::uint64_t job_waits = 0, job_waits_long = 0, row_waits = 0, refusal_waits = 0;
};

struct FileJob {
  Rule rule;
  unsigned amount;
  std::vector<std::uint64_t> items;
};

// `Rtl`: a VerilatedBlock. `Cover`: an EngineCover with the engine's own points.
template <class Rtl, class Model, class Cover>
class EngineBlock : public Rtl {
 public:
  // What the driver is told to do wrong, to see the assertion on its contract.
  enum class Breach : std::uint8_t { none, job, row, seed, rule };

  const Config& config() const { return config_; }
  const Cover& cover() const { return cover_; }
  std::uint64_t jobs() const { return earlier_jobs_ + model_->stats().jobs; }

  void drive() {
    reset_ = resets_.active();
    rtl_->rst_ni = !reset_;
    if (reset_) restart();
    out_ = model_->comb();
    choose();
    in_ = {};
    in_.job = header_;
    in_.out_ready = takes_.now();
    in_.row = row_offered_ ? &row_ : nullptr;
    bad_ = header_offered_ ? error_of(header_) : 0;
    in_.job_valid = header_offered_ && !bad_;
    Inputs with_bad = in_;  // RTL takes a job that it refuses, too
    with_bad.job_valid = header_offered_;
    if (!header_offered_) with_bad.job = anything();
    rtl::drive_ports(*rtl_, with_bad, config_.parallelism);
    if (!row_offered_)
      for (unsigned i = 0, w = 0; i < config_.parallelism; ++i, w += 13) rtl_->row_i[i] = noise_ >> (w & 31);
    drive_settings();
    if (breach_ != Breach::none && model_->busy() && !reset_) commit_breach();
    rtl_->eval();
  }

  void tick() {
    if (!reset_) note_any(), note();
    refused_ = 0;
    const bool taken = !reset_ && header_offered_ && out_.job_ready;
    tick_settings(taken);
    if (!reset_) {
      if (taken) {
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
    this->clock();
  }

  std::string doing() const {
    return "job " + std::to_string(jobs()) + " was taken last: n " + std::to_string(job_.n) +
           (job_.rule == Rule::count ? ", count, k " : ", mass, mu16 ") + std::to_string(job_.amount) + ", " +
           std::to_string(std::min(next_, job_.n)) + " items loaded, pass " + std::to_string(model_->stats().passes) +
           (model_->busy() ? "" : ", idle") + (reset_ ? ", in reset" : "") + (header_offered_ ? ", a job waits" : "") +
           (row_offered_ ? ", a row waits" : "") + doing_beside();
  }

 protected:
  using Rtl::rtl_;

  struct Planned {
    Job job;
    std::vector<std::uint64_t> items;
  };

  // Of `by_mass` + 1 jobs drawn all but one are by mass. What Rtl needs comes last.
  template <class... Args>
  EngineBlock(std::uint64_t seed, unsigned by_mass, const std::vector<FileJob>* file, Breach breach, Args&&... rtl)
      : Rtl(std::forward<Args>(rtl)...), breach_(breach), random_(seed), by_mass_(by_mass), file_(file) {}
  ~EngineBlock() = default;

  // Items of a job that are hard for this engine; `planned` has its job.
  virtual void fill(Planned& planned) = 0;
  // Points of this engine that are met in this cycle.
  virtual void note() = 0;
  // Ports beside job, row and indices, before RTL is evaluated and before its clock.
  virtual void drive_settings() {}
  virtual void tick_settings(bool /*taken*/) {}
  // What config_ is after a reset.
  virtual void reset_config() {}
  virtual std::string doing_beside() const { return {}; }
  // While a job is inside. The assertions see it at this cycle's clock or the next.
  virtual void commit_breach() {
    if (breach_ == Breach::job && header_offered_ && random_.below(4) == 0) rtl_->job_n_i ^= 1;
    if (breach_ == Breach::row && row_offered_ && !out_.row_ready && random_.below(4) == 0) rtl_->row_valid_i = 0;
  }

  // A fresh model of config_.
  void renew_model() {
    if (model_) earlier_jobs_ += model_->stats().jobs;
    model_ = std::make_unique<Model>(config_);
  }

  Breach breach_;
  Config config_;
  std::unique_ptr<Model> model_;
  Random random_;
  Outputs out_;
  Inputs in_;
  Job header_, job_;  // offered; taken last, with its items
  std::vector<std::uint64_t> items_;
  unsigned bad_ = 0, refused_ = 0;  // why the job offered is, and the one before was: 1 n, 2 k, 3 mu16
  bool reset_ = true, header_offered_ = false;
  Cover cover_;

 private:
  // 0: can be done; else as topk_pkg::error_e.
  unsigned error_of(const Job& job) const {
    try {
      check(job, config_);
    } catch (const Error& e) {
      const std::string text = e.what();
      return text.starts_with("topk.n ") ? 1 : text.starts_with("topk.k ") ? 2 : 3;
    }
    return 0;
  }

  // Both sides as after a reset; the jobs that are offered may stay so, what belongs to the job that is lost may not.
  void restart() {
    ++cover_.resets;
    cover_.reset_in_job += model_->busy();
    cover_.reset_in_refusal += refused_ != 0;
    reset_config();
    renew_model();
    if (loading_ || random_.below(2)) row_offered_ = false;
    if (random_.below(2)) header_offered_ = false;
    loading_ = false;
    refused_ = 0;
  }

  // A job that can be done is at the end of the plan, unless the file has none.
  void plan() {
    while (plan_.empty() || error_of(plan_.back().job)) {
      if (file_) {
        const FileJob& j = (*file_)[file_next_++ % file_->size()];
        plan_.push_back({{static_cast<unsigned>(j.items.size()), j.rule, j.amount}, j.items});
        if (plan_.size() > file_->size()) return;
        continue;
      }
      plan_.emplace_back();
      draw(plan_.back());
    }
  }

  // The first job of the plan that can be done; null: none.
  const Planned* next_good() {
    plan();
    return error_of(plan_.back().job) ? nullptr : &plan_.back();
  }

  Job anything() {
    noise_ = random_.next();
    return {static_cast<unsigned>(noise_), noise_ & 1 ? Rule::mass : Rule::count, static_cast<unsigned>(noise_ >> 32)};
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
    job.rule = random_.below(by_mass_ + 1) ? Rule::mass : Rule::count;
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
    planned.items.resize(job.n);
    fill(planned);
    // The smallest product that rounds up: one item of 1, and the smallest share.
    if (job.amount == 1 && random_.below(2))
      for (unsigned i = 0; i < job.n; ++i) planned.items[i] = i == job.n / 2;
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
      if (loading_)
        offer_row(items_, job_.n, next_);
      else if (const Planned* good = next_good())
        offer_row(good->items, good->job.n, 0);
    }
  }

  void offer_row(const std::vector<std::uint64_t>& items, unsigned n, unsigned from) {
    for (unsigned i = 0; i < config_.parallelism; ++i)
      row_[i] = from + i < n ? items[from + i] : random_.next() & ((std::uint64_t{1} << config_.item_bits) - 1);
    row_offered_ = true;
  }

  void note_any() {
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
  }

  unsigned by_mass_;
  lockstep::Pace gaps_{random_}, rows_{random_}, takes_{random_};
  lockstep::Resets resets_{random_, 4000};
  const std::vector<FileJob>* file_;
  std::size_t file_next_ = 0;
  std::deque<Planned> plan_;  // not taken yet
  Row row_{};
  unsigned next_ = 0, waited_ = 0;
  bool row_offered_ = false, loading_ = false;
  std::uint64_t noise_ = 0, earlier_jobs_ = 0;
};

}  // namespace winnow::topk::test
