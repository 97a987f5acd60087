#pragma once
// A top-k engine with its surroundings: loads items from where they lie, P a cycle, and puts what stays where it is
// looked for.
//
// In:   Fifo<TopkJob>: n items in a group's selection scores, or in a list (importances).
// Out:  Fifo<TopkDone>; kept flags in the group's store, or kept indices in the job's list.
// Rate and latency: engine.h.
// The machine has two: one for local values and selection on the critical path, one beside it for the cascade's tokens
// and heads. Paper: section 2.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "models/prim/fifo.h"
#include "models/softmax/score_store.h"
#include "models/stats.h"
#include "models/topk/engine.h"
#include "models/topk/twin.h"

namespace winnow {

struct TopkJob {
  topk::Job job;
  const char* what = "";                              // "tokens", "values", "heads": for reports
  Tag tag;                                            // whose; head kAllHeads: of all
  const std::vector<std::uint32_t>* names = nullptr;  // token (or head) of each item; with a store, of each first slot
  int store = -1;                                     // items are this group's selection scores, or
  const std::vector<std::uint64_t>* items = nullptr;  // these
  std::vector<std::uint32_t>* kept = nullptr;         // indices that stay, ascending (with items)
};
struct TopkDone {
  int store = -1;
  std::uint32_t kept = 0;
};

class TopkUnit {
 public:
  TopkUnit(const char* name, const topk::Config& config, std::vector<GroupStore>& stores, Fifo<TopkJob>& jobs,
           Fifo<TopkDone>& done)
      : engine_(config), stores_(stores), jobs_(jobs), done_(done), stats_(name, {"controller"}) {}

  void tick(Cycle now) {
    if (!active_ && !engine_.busy() && !jobs_.can_pop(now)) {
      stats_.idle();
      return;
    }
    const topk::Outputs out = twin_ ? twin_->comb(engine_, engine_.comb()) : engine_.comb();
    topk::Inputs in;
    if (!active_ && jobs_.can_pop(now))
      job_ = jobs_.peek(), jobs_.pop(now), active_ = true, started_ = false, next_ = 0, kept_ = 0;
    if (active_ && !started_) {
      in.job_valid = true, in.job = job_.job;
      if (out.job_ready) {
        started_ = true;
        if (job_.kept) job_.kept->clear();
        if (job_.store >= 0) {
          GroupStore& g = stores_[static_cast<std::size_t>(job_.store)];
          std::fill_n(g.kept.begin(), job_.job.n, std::uint8_t{0});
        }
      }
    } else if (active_ && next_ < job_.job.n) {
      const unsigned count = std::min(engine_.config().parallelism, job_.job.n - next_);
      for (unsigned i = 0; i < count; ++i)
        row_[i] =
            job_.store >= 0 ? stores_[static_cast<std::size_t>(job_.store)].sums[next_ + i] : (*job_.items)[next_ + i];
      in.row = &row_;
      if (out.row_ready) next_ += count;
    }
    in.out_ready = !out.last || done_.can_push(now);
    if (out.out_valid && in.out_ready) {
      for (unsigned i = 0; i < out.count; ++i) {
        const auto index = static_cast<std::uint32_t>((*out.indices)[i]);
        if (job_.store >= 0)
          stores_[static_cast<std::size_t>(job_.store)].kept[index] = 1;
        else
          job_.kept->push_back(index);
      }
      kept_ += out.count;
      if (out.last) {
        if (job_.store >= 0) stores_[static_cast<std::size_t>(job_.store)].kept_count = kept_;
        done_.push(now, {job_.store, kept_});
        active_ = false;
      }
    }
    engine_.tick(in);
    if (twin_) twin_->tick(in);
    stats_.busy();
  }

  // From now on the twin's outputs are what the machine sees. Both stand still while there is no job. Must outlive the
  // unit; before the first cycle.
  void attach(topk::Twin& twin) { twin_ = &twin; }
  // What the engine is working on, for a report: whose job, how far, and which tokens (or heads) its lanes hold.
  std::string doing() const {
    if (!active_) return "no job";
    const topk::Job& j = job_.job;
    const auto name = [&](std::uint32_t item) {
      const GroupStore* g = job_.store >= 0 ? &stores_[static_cast<std::size_t>(job_.store)] : nullptr;
      return std::to_string(job_.names ? (*job_.names)[g ? g->origin[item] : item] : item);
    };
    std::string text = "step " + std::to_string(job_.tag.step) + ", layer " + std::to_string(job_.tag.layer) + ", ";
    if (job_.tag.head != kAllHeads) text += "KV head " + std::to_string(job_.tag.head) + ", ";
    if (job_.store >= 0)
      text += "query " + std::to_string(job_.tag.query) + " of the step, pass " + std::to_string(job_.tag.pass) + ", ";
    text += std::string("which ") + job_.what + " stay: n " + std::to_string(j.n) +
            (j.rule == topk::Rule::kCount ? ", k " : ", mu16 ") + std::to_string(j.amount);
    if (next_ == 0) return text + "; nothing loaded yet";
    if (next_ < j.n) {
      const unsigned from = (next_ - 1) / engine_.config().parallelism * engine_.config().parallelism;
      return text + "; just loaded " + job_.what + " " + name(from) + " to " + name(next_ - 1);
    }
    return text + "; all loaded (" + name(0) + " to " + name(j.n - 1) + "), " + std::to_string(kept_) + " given out";
  }

  bool idle() const { return !active_ && jobs_.drained(); }
  enum Wait { kController };
  const BlockStats& stats() const { return stats_; }
  const topk::Engine& engine() const { return engine_; }

 private:
  topk::Engine engine_;
  std::vector<GroupStore>& stores_;
  Fifo<TopkJob>& jobs_;
  Fifo<TopkDone>& done_;
  TopkJob job_;
  topk::Row row_{};
  bool active_ = false, started_ = false;
  unsigned next_ = 0;
  std::uint32_t kept_ = 0;
  topk::Twin* twin_ = nullptr;
  BlockStats stats_;
};

}  // namespace winnow
