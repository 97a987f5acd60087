#pragma once
// Lockstep adapter of the top-k engine: what it has beside engine_block.h. Seeds while the engine is idle and, with
// Rules::mixed, a pivot rule that changes from job to job.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "models/topk/engine.h"
#include "tests/rtl/topk/engine_block.h"
#include "tests/rtl/topk/topk_rtl.h"

namespace winnow::topk::test {

struct Cover : EngineCover {
  std::uint64_t branch_right = 0, branch_left = 0, branch_found = 0, divided = 0;
  std::uint64_t fifo_full = 0, refill_from_empty = 0, side_in_pack_only = 0, cut_in_row = 0;
  std::uint64_t shifts[6] = {};  // a zero eliminator moved an item in layer l
  std::uint64_t seeds = 0, seed_with_job = 0, seed_zero = 0, back_to_back = 0, rule_changes = 0;
};

// Pivot rule of a run's jobs.
enum class Rules : std::uint8_t { random, sampled, mixed };

class TopkBlock final : public EngineBlock<rtl::TopkRtl, Engine, Cover> {
 public:
  static constexpr const char* kName = "topk";
  static std::span<const rtl::Place> probe_places() {
    static constexpr rtl::Place all[] = {
#include "topk_probe_places.inc"
    };
    return all;
  }

  TopkBlock(std::uint64_t seed, Rules rules, const std::vector<FileJob>* jobs = nullptr, unsigned mutant = 0,
            bool refusals = false, Breach breach = Breach::none)
      : EngineBlock(
            seed, 1, jobs, breach, rules == Rules::random ? PivotRule::random : PivotRule::sampled, seed,
            lockstep::power_on(seed, {"+mutant=" + std::to_string(mutant), refusals ? "+refusals=1" : "+refusals=0"}),
            false),
        mixed_(rules == Rules::mixed) {
    config_ = built();
    renew_model();
  }

  bool with_sampler() const { return rtl_->with_sampler_o; }

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

 private:
  static PivotRule pivot_of(bool sampled) { return sampled ? PivotRule::sampled : PivotRule::random; }

  void reset_config() override { config_.pivot = pivot_of(rtl_->sampled_i), config_.seed = 0; }

  // A seed while idle only, in the cycle of a job's header too; the rule may change while idle, and is then the job's.
  void drive_settings() override {
    const bool idle = !reset_ && !model_->busy();
    seeding_ = idle && random_.below(8) == 0;
    seed_ = static_cast<std::uint16_t>(random_.below(16) ? random_.next() : 0);
    rtl_->seed_en_i = seeding_ || (reset_ && random_.below(2));
    rtl_->seed_i = seed_;
    if (mixed_ && (idle || reset_) && random_.below(2)) rtl_->sampled_i = static_cast<CData>(random_.below(2));
  }

  void tick_settings(bool taken) override {
    changed_ = false;
    if (reset_) return;
    if (seeding_) model_->seed(seed_);
    if (!taken || bad_ || pivot_of(rtl_->sampled_i) == config_.pivot) return;
    ++cover_.rule_changes;
    changed_ = true;
    config_.pivot = pivot_of(rtl_->sampled_i), config_.seed = model_->select().lfsr();
    renew_model();
  }

  std::string doing_beside() const override { return seeding_ ? ", seeded with " + std::to_string(seed_) : ""; }

  void commit_breach() override {
    EngineBlock::commit_breach();
    if (breach_ == Breach::seed) rtl_->seed_en_i = 1;
    if (breach_ == Breach::rule) rtl_->sampled_i = !rtl_->sampled_i;
  }

  void fill(Planned& planned) override {
    auto& items = planned.items;
    const unsigned n = planned.job.n, bits = config_.item_bits;
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

  void note() override {
    using State = Engine::State;
    const QuickSelect& s = model_->select();
    const State now = model_->state();
    if (seeding_) {
      ++cover_.seeds;
      cover_.seed_with_job += header_offered_;
      cover_.seed_zero += seed_ == 0;
    }
    cover_.back_to_back += in_.job_valid && out_.job_ready && ended_;
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
    ended_ = out_.out_valid && out_.last && in_.out_ready;
    if (ended_) {
      // The last index that stays equals the boundary, and an equal behind it in its row is cut off.
      const unsigned last = static_cast<unsigned>((*out_.indices)[out_.count - 1]);
      const unsigned behind = last + 1;
      cover_.cut_in_row += items_[last] == s.pivot() && behind < job_.n && behind % config_.parallelism != 0 &&
                           items_[behind] == s.pivot();
    }
    last_ = now;
  }

  bool mixed_, seeding_ = false, ended_ = false, changed_ = false;
  std::uint16_t seed_ = 0;
  Engine::State last_ = Engine::State::idle;
};

}  // namespace winnow::topk::test
