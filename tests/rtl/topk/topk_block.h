#pragma once
// Lockstep adapter of the top-k engine. Jobs of both rules or of a file, refused ones among them, offered whether or
// not the engine is ready; a job's first row is offered as early, before its job is taken or the job before has ended.
// Gaps and stalls on every side, seeds while the engine is idle, resets in mid-run, and, with Rules::mixed, a pivot
// rule that changes from job to job.
#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "golden/error.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/lockstep/lockstep.h"
#include "tests/rtl/topk/topk_rtl.h"

namespace winnow::topk::test {

// What random stimuli must have met; each is seen in the model's state.
struct Cover {
  std::uint64_t jobs[2] = {}, refused[4] = {}, all_kept = 0, sum_zero = 0;
  std::uint64_t branch_right = 0, branch_left = 0, branch_found = 0, divided = 0;
  std::uint64_t fifo_full = 0, refill_from_empty = 0, side_in_pack_only = 0, cut_in_row = 0, stalled = 0, starved = 0;
  std::uint64_t shifts[6] = {};  // a zero eliminator moved an item in layer l
  std::uint64_t resets = 0, reset_in_job = 0, reset_in_refusal = 0, seeds = 0, seed_with_job = 0, seed_zero = 0;
  std::uint64_t job_waits = 0, job_waits_long = 0, row_waits = 0, refusal_waits = 0, back_to_back = 0, rule_changes = 0;
};

struct FileJob {
  Rule rule;
  unsigned amount;
  std::vector<std::uint64_t> items;
};

// Pivot rule of a run's jobs.
enum class Rules : std::uint8_t { random, sampled, mixed };

class TopkBlock : public rtl::TopkRtl {
 public:
  static constexpr const char* kName = "topk";
  static std::span<const rtl::Place> probe_places() {
    static constexpr rtl::Place all[] = {
#include "topk_probe_places.inc"
    };
    return all;
  }

  // What the driver is told to do wrong, to see the assertion on its contract.
  enum class Breach : std::uint8_t { none, job, row, seed, rule };

  TopkBlock(std::uint64_t seed, Rules rules, const std::vector<FileJob>* jobs = nullptr, unsigned mutant = 0,
            bool refusals = false, Breach breach = Breach::none)
      : TopkRtl(
            rules == Rules::random ? PivotRule::random : PivotRule::sampled, seed,
            lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant), refusals ? "+refusals=1" : "+refusals=0"}),
            false),
        mixed_(rules == Rules::mixed),
        breach_(breach),
        config_(built()),
        model_(std::make_unique<Engine>(config_)),
        random_(seed),
        file_(jobs) {}

  const Config& config() const { return config_; }
  bool with_sampler() const { return rtl_->with_sampler_o; }
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
    TopkRtl::drive(with_bad);
    if (!row_offered_)
      for (unsigned i = 0, w = 0; i < config_.parallelism; ++i, w += 13) rtl_->row_i[i] = noise_ >> (w & 31);
    choose_seed_and_rule();
    if (breach_ != Breach::none) commit_breach();
    rtl_->eval();
  }

  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    // The new model of a changed rule knows nothing of the job before, whose items the stride is of for one more cycle.
    TopkRtl::probes(
        *model_, out_, refused_,
        [&](const char* name, int lane, std::uint64_t rtl, std::uint64_t model, auto& port) {
          if (changed_ && std::strcmp(name, "stride") == 0)
            unseen(rtl, port);
          else
            visit(name, lane, rtl, model, port);
        },
        unseen);
  }

  void tick() {
    note();
    refused_ = 0;
    changed_ = false;
    if (!reset_) {
      const bool taken = header_offered_ && out_.job_ready;
      if (seeding_) model_->seed(seed_);
      if (taken && !bad_ && pivot_of(rtl_->sampled_i) != model_->config().pivot) change_rule();
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
    clock();
  }

  std::string doing() const {
    return "job " + std::to_string(jobs()) + ": n " + std::to_string(job_.n) +
           (job_.rule == Rule::count ? ", count, k " : ", mass, mu16 ") + std::to_string(job_.amount) + ", " +
           std::to_string(std::min(next_, job_.n)) + " items loaded, pass " + std::to_string(model_->stats().passes) +
           (model_->busy() ? "" : ", idle") + (reset_ ? ", in reset" : "") + (header_offered_ ? ", a job waits" : "") +
           (row_offered_ ? ", a row waits" : "") + (seeding_ ? ", seeded with " + std::to_string(seed_) : "");
  }

 private:
  struct Planned {
    Job job;
    std::vector<std::uint64_t> items;
  };

  static PivotRule pivot_of(bool sampled) { return sampled ? PivotRule::sampled : PivotRule::random; }

  // 0: can be done; 1 n, 2 k, 3 mu16, as topk_pkg::error_e.
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
    renew_model(pivot_of(rtl_->sampled_i), 0);
    if (loading_ || random_.below(2)) row_offered_ = false;
    if (random_.below(2)) header_offered_ = false;
    loading_ = false;
    refused_ = 0;
  }

  void change_rule() {
    ++cover_.rule_changes;
    changed_ = true;
    renew_model(pivot_of(rtl_->sampled_i), model_->select().lfsr());
  }

  void renew_model(PivotRule pivot, std::uint64_t seed) {
    earlier_jobs_ += model_->stats().jobs;
    config_.pivot = pivot;
    config_.seed = seed;
    model_ = std::make_unique<Engine>(config_);
  }

  // A job that can be done is at the end of the plan.
  void plan() {
    while (plan_.empty() || error_of(plan_.back().job)) {
      if (file_) {
        const FileJob& j = (*file_)[file_next_++ % file_->size()];
        plan_.push_back({{static_cast<unsigned>(j.items.size()), j.rule, j.amount}, j.items});
        if (plan_.size() > file_->size()) return;  // none can be done
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
    const unsigned capacity = config_.capacity(), lanes = config_.parallelism, bits = config_.item_bits;
    Job& job = planned.job;
    // Small and large jobs in turn; some full to the brim, some that cannot be done.
    const unsigned size = static_cast<unsigned>(random_.below(8));
    job.n = size < 3   ? 1 + static_cast<unsigned>(random_.below(3 * lanes)) % capacity
            : size < 7 ? 1 + static_cast<unsigned>(random_.below(capacity))
                       : capacity;
    if (random_.below(2) && capacity > 128) job.n = 1 + (job.n - 1) % 128;
    job.rule = random_.below(2) ? Rule::mass : Rule::count;
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
    fill(planned.items, job.n, bits);
    // The smallest product that rounds up: one item of 1, and the smallest share.
    if (job.amount == 1 && random_.below(2)) {
      for (unsigned i = 0; i < job.n; ++i) planned.items[i] = i == job.n / 2;
    }
  }

  void fill(std::vector<std::uint64_t>& items, unsigned n, unsigned bits) {
    items.resize(n);
    const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t distinct = 1 + random_.below(6), kind = random_.below(8);
    for (unsigned i = 0; i < n; ++i) {
      const std::uint64_t r = random_.next() & top;
      items[i] = kind < 2   ? r
                 : kind < 4 ? r >> random_.below(bits)
                 : kind < 6 ? (random_.below(distinct) * (kind == 4 ? 1 : top / 7)) & top
                 : kind < 7 ? (random_.below(8) ? 0 : top)
                            : (random_.below(2) ? i : n - i) & top;
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

  // A seed while idle only, in the cycle of a job's header too; the rule may change while idle, and is then the job's.
  void choose_seed_and_rule() {
    const bool idle = !reset_ && !model_->busy();
    seeding_ = idle && random_.below(8) == 0;
    seed_ = static_cast<std::uint16_t>(random_.below(16) ? random_.next() : 0);
    rtl_->seed_en_i = seeding_ || (reset_ && random_.below(2));
    rtl_->seed_i = seed_;
    if (mixed_ && (idle || reset_) && random_.below(2)) rtl_->sampled_i = static_cast<CData>(random_.below(2));
  }

  // The assertions see it at this cycle's clock or the next.
  void commit_breach() {
    if (!model_->busy() || reset_) return;
    if (breach_ == Breach::job && header_offered_ && random_.below(4) == 0) rtl_->job_n_i ^= 1;
    if (breach_ == Breach::row && row_offered_ && !out_.row_ready && random_.below(4) == 0) rtl_->row_valid_i = 0;
    if (breach_ == Breach::seed) rtl_->seed_en_i = 1;
    if (breach_ == Breach::rule) rtl_->sampled_i = !rtl_->sampled_i;
  }

  void note() {
    const Inputs& in = in_;
    if (reset_) return;
    using State = Engine::State;
    const QuickSelect& s = model_->select();
    const State now = model_->state();
    if (in.job_valid && out_.job_ready) {
      ++cover_.jobs[header_.rule == Rule::mass];
      cover_.all_kept += header_.rule == Rule::count && header_.amount == header_.n;
    }
    if (bad_ && out_.job_ready) ++cover_.refused[bad_];
    if (seeding_) {
      ++cover_.seeds;
      cover_.seed_with_job += header_offered_;
      cover_.seed_zero += seed_ == 0;
    }
    if (header_offered_ && !out_.job_ready) {
      ++cover_.job_waits;
      cover_.job_waits_long += ++waited_ == 100;
    }
    cover_.refusal_waits += bad_ && !out_.job_ready;
    cover_.row_waits += row_offered_ && !out_.row_ready;
    cover_.back_to_back += in.job_valid && out_.job_ready && ended_;
    cover_.starved += out_.row_ready && !in.row;
    cover_.stalled += out_.out_valid && !in.out_ready;
    cover_.fifo_full += s.right().fifo().level() == config_.fifo_depth;
    if (last_ == State::decide) {
      if (now == State::pass) ++(s.in_right() ? cover_.branch_right : cover_.branch_left);
      cover_.branch_found += now == State::filter;
      cover_.divided += now == State::divide;
      cover_.sum_zero += now == State::filter && job_.rule == Rule::mass && s.pivot() == 0;
      cover_.side_in_pack_only += now == State::pass && s.items() < config_.parallelism;
    }
    cover_.refill_from_empty += now == State::pass && model_->partitioned().valid && s.source().fifo().level() == 1;
    const CompareStage& c = model_->compared();
    if (c.valid && now != State::filter) {
      unsigned zeros = 0;
      for (unsigned i = 0; i < c.count; ++i) {
        if ((c.masks.above >> i) & 1) {
          for (unsigned l = 0; l < 6; ++l) cover_.shifts[l] += (zeros >> l) & 1;
        } else {
          ++zeros;
        }
      }
    }
    ended_ = out_.out_valid && out_.last && in.out_ready;
    if (ended_) {
      // The last index that stays equals the boundary, and an equal behind it in its row is cut off.
      const unsigned last = static_cast<unsigned>((*out_.indices)[out_.count - 1]);
      const unsigned behind = last + 1;
      cover_.cut_in_row += items_[last] == s.pivot() && behind < job_.n && behind % config_.parallelism != 0 &&
                           items_[behind] == s.pivot();
    }
    last_ = now;
  }

  bool mixed_;
  Breach breach_;
  Config config_;
  std::unique_ptr<Engine> model_;
  Random random_;
  lockstep::Pace gaps_{random_}, rows_{random_}, takes_{random_};
  lockstep::Resets resets_{random_, 4000};
  const std::vector<FileJob>* file_;
  std::size_t file_next_ = 0;
  Outputs out_;
  Inputs in_;
  std::deque<Planned> plan_;  // not taken yet
  Job header_, job_;          // offered; taken last, with its items
  std::vector<std::uint64_t> items_;
  Row row_{};
  unsigned next_ = 0, bad_ = 0, refused_ = 0, waited_ = 0;
  bool reset_ = true, header_offered_ = false, row_offered_ = false, loading_ = false, seeding_ = false, ended_ = false,
       changed_ = false;
  std::uint16_t seed_ = 0;
  std::uint64_t noise_ = 0, earlier_jobs_ = 0;
  Engine::State last_ = Engine::State::idle;
  Cover cover_;
};

}  // namespace winnow::topk::test
