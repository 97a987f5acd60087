#pragma once
// Lockstep adapter of the top-k engine: random jobs of both rules, bubbles, back-pressure, refused jobs; or jobs of a
// file.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "golden/error.h"
#include "sim/rtl/topk_rtl.h"
#include "tests/models/topk/drive.h"
#include "tests/rtl/lockstep/lockstep.h"

namespace winnow::topk::test {

// What random stimuli must have met; each is seen in the model's state.
struct Cover {
  std::uint64_t jobs[2] = {}, refused[4] = {}, all_kept = 0, sum_zero = 0;
  std::uint64_t branch_right = 0, branch_left = 0, branch_found = 0, divided = 0;
  std::uint64_t fifo_full = 0, refill_from_empty = 0, side_in_pack_only = 0, cut_in_row = 0, stalled = 0, starved = 0;
  std::uint64_t shifts[6] = {};  // a zero eliminator moved an item in layer l
};

struct FileJob {
  Rule rule;
  unsigned amount;
  std::vector<std::uint64_t> items;
};

class TopkBlock : public rtl::TopkRtl {
 public:
  static constexpr const char* kName = "topk";

  TopkBlock(std::uint64_t seed, PivotRule pivot, const std::vector<FileJob>* jobs = nullptr, unsigned mutant = 0,
            bool refusals = false)
      : TopkRtl(pivot, seed, {"+mutant=" + std::to_string(mutant), refusals ? "+refusals=1" : "+refusals=0"}),
        config_(built()),
        model_(std::make_unique<Engine>(config_)),
        random_(seed),
        file_(jobs) {}

  const Config& config() const { return config_; }
  const Cover& cover() const { return cover_; }
  Engine& model() { return *model_; }
  std::uint64_t jobs() const { return model_->stats().jobs; }

  void outputs() { out_ = model_->comb(); }

  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    TopkRtl::probes(*model_, out_, refused_, visit, unseen);
  }

  // `before_clock` sees this cycle's outputs and inputs together.
  template <class F>
  void step(F&& before_clock) {
    choose();
    refused_ = 0;
    Inputs in;
    in.job = job_;
    in.out_ready = flow_.takes();
    in.row = row_offered_ ? &row_ : nullptr;
    const unsigned bad = job_offered_ ? error_of(job_) : 0;
    in.job_valid = job_offered_ && !bad;
    Inputs with_bad = in;  // RTL takes a job that it refuses, too
    with_bad.job_valid = job_offered_;
    drive(with_bad);
    note(in);
    if (job_offered_ && out_.job_ready) {
      job_offered_ = false;
      if (bad) {
        refused_ = bad;
        ++cover_.refused[bad];
      } else {
        next_ = 0;
        loading_ = true;
      }
    }
    if (row_offered_ && out_.row_ready) {
      row_offered_ = false;
      next_ += config_.parallelism;
      loading_ = next_ < job_.n;
    }
    before_clock();
    model_->tick(in);
    clock();
  }

  std::string doing() const {
    return "job " + std::to_string(jobs()) + ": n " + std::to_string(job_.n) +
           (job_.rule == Rule::count ? ", count, k " : ", mass, mu16 ") + std::to_string(job_.amount) + ", " +
           std::to_string(std::min(next_, job_.n)) + " items loaded, pass " + std::to_string(model_->stats().passes);
  }

 private:
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

  void new_job() {
    const unsigned capacity = config_.capacity(), lanes = config_.parallelism, bits = config_.item_bits;
    if (file_) {
      const FileJob& j = (*file_)[file_next_++ % file_->size()];
      job_ = {static_cast<unsigned>(j.items.size()), j.rule, j.amount};
      items_ = j.items;
    } else {
      // Small and large jobs in turn; some full to the brim, some that cannot be done.
      const unsigned size = static_cast<unsigned>(random_.below(8));
      job_.n = size < 3   ? 1 + static_cast<unsigned>(random_.below(3 * lanes)) % capacity
               : size < 7 ? 1 + static_cast<unsigned>(random_.below(capacity))
                          : capacity;
      if (random_.below(2) && capacity > 128) job_.n = 1 + (job_.n - 1) % 128;
      job_.rule = random_.below(2) ? Rule::mass : Rule::count;
      job_.amount = job_.rule == Rule::mass ? 1 + static_cast<unsigned>(random_.below(65536))
                                            : 1 + static_cast<unsigned>(random_.below(job_.n));
      switch (random_.below(64)) {
        case 0: job_.n = 0; break;
        case 1: job_.n = capacity + 1; break;
        case 2: job_.amount = 0; break;
        case 3: job_.amount = job_.rule == Rule::mass ? 65537 : job_.n + 1; break;
        case 4: job_.amount = job_.rule == Rule::mass ? 65536 : job_.n; break;
        case 5: job_.amount = 1; break;
        default: break;
      }
      fill(bits);
      // The smallest product that rounds up: one item of 1, and the smallest share.
      if (job_.amount == 1 && random_.below(2)) {
        for (unsigned i = 0; i < job_.n; ++i) items_[i] = i == job_.n / 2;
      }
    }
    flow_.renew();
  }

  void fill(unsigned bits) {
    items_.resize(job_.n);
    const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t distinct = 1 + random_.below(6), kind = random_.below(8);
    for (unsigned i = 0; i < job_.n; ++i) {
      const std::uint64_t r = random_.next() & top;
      items_[i] = kind < 2   ? r
                  : kind < 4 ? r >> random_.below(bits)
                  : kind < 6 ? (random_.below(distinct) * (kind == 4 ? 1 : top / 7)) & top
                  : kind < 7 ? (random_.below(8) ? 0 : top)
                             : (random_.below(2) ? i : job_.n - i) & top;
    }
    if (random_.below(32) == 0) std::fill(items_.begin(), items_.end(), random_.below(2) ? top : 0);
  }

  void choose() {
    const unsigned lanes = config_.parallelism;
    if (out_.job_ready && !job_offered_ && !loading_ && random_.below(4) != 0) {
      new_job();
      job_offered_ = true;
    }
    if (loading_ && !row_offered_ && flow_.offers()) {
      for (unsigned i = 0; i < lanes; ++i)
        row_[i] =
            next_ + i < job_.n ? items_[next_ + i] : random_.next() & ((std::uint64_t{1} << config_.item_bits) - 1);
      row_offered_ = true;
    }
  }

  void note(const Inputs& in) {
    using State = Engine::State;
    const QuickSelect& s = model_->select();
    const State now = model_->state();
    if (in.job_valid && out_.job_ready) {
      ++cover_.jobs[job_.rule == Rule::mass];
      cover_.all_kept += job_.rule == Rule::count && job_.amount == job_.n;
    }
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
    if (out_.out_valid && out_.last && in.out_ready) {
      // The last index that stays equals the boundary, and an equal behind it in its row is cut off.
      const unsigned last = static_cast<unsigned>((*out_.indices)[out_.count - 1]);
      const unsigned behind = last + 1;
      cover_.cut_in_row += items_[last] == s.pivot() && behind < job_.n && behind % config_.parallelism != 0 &&
                           items_[behind] == s.pivot();
    }
    last_ = now;
  }

  Config config_;
  std::unique_ptr<Engine> model_;
  Random random_;
  lockstep::Flow flow_{random_};
  const std::vector<FileJob>* file_;
  std::size_t file_next_ = 0;
  Outputs out_;
  Job job_;
  std::vector<std::uint64_t> items_;
  Row row_{};
  unsigned next_ = 0, refused_ = 0;
  bool job_offered_ = false, row_offered_ = false, loading_ = false;
  Engine::State last_ = Engine::State::idle;
  Cover cover_;
};

}  // namespace winnow::topk::test
