#pragma once
// A top-k engine with its surroundings: loads items from where they lie, as many a cycle as their memory gives, and
// puts what stays where it is looked for.
//
// In:   Fifo<TopkJob>: n items in a group's selection scores, or in a list of ranking items (importances).
// Out:  Fifo<TopkDone>; kept flags of the group; names (tokens, heads) of what stays, in a list: while the filter
//       passes a row of items, the same row of the list of names is read, and what stays of it is written.
// Rate and latency: engine.h, or bracket_engine.h where topk.prefilter says so. Selection scores are read `load_width`
//       a cycle, in a cycle that is claimed in the one before, and a row of P is offered when it is whole. Kept flags
//       are registers: cleared at once when a job begins, at most P set a cycle.
// State: the engine's. Its two sides share no state but a queue of kJobs jobs: the *loader* has the job whose items go
//       in and how far they are loaded, the *keeper* has the oldest job of the queue, whose results come out. So the
//       unit does not ask how many jobs are inside the engine: a job is handed over when the engine is ready for it and
//       the queue has room, whatever the keeper is at.
// Waits for: controller (a job).
// The machine has two: `topk` for local values and selection on the critical path, `cascade_topk` beside it for the
// cascade's tokens and heads. Paper: IV.B; docs/specification/topk.md, "Two engines".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "models/links/topk_jobs.h"
#include "models/memories/lists.h"
#include "models/memories/ranking_items.h"
#include "models/memories/score_memories.h"
#include "models/prim/block.h"
#include "models/topk/engine.h"

namespace winnow {

// The memories that items are loaded from, and that what stays goes to.
struct TopkMemories {
  const SelectionScores& selection_scores;
  const RankingItems& ranking_items;
  KeptFlags& kept;
  Lists& lists;
};

class TopkUnit : public Block {
 public:
  TopkUnit(const char* name, const char* label, const topk::Config& config, unsigned load_width, TopkMemories memories,
           Fifo<TopkJob>& jobs, Fifo<TopkDone>& done)
      : Block(name, label),
        engine_(topk::make_engine(config)),
        load_width_(load_width),
        m_(memories),
        jobs_(jobs),
        done_(done),
        queue_(std::max(kJobs, std::size_t{engine_->jobs()} + 1)) {}

  void tick(Cycle now) override;
  bool idle() const override { return !loading() && queue_.drained() && jobs_.drained(); }
  void report(StatSink& sink) const override;
  std::vector<StoredWords> registers() const override { return engine_->registers(); }
  // Whose job, how far, and which tokens (or heads) its lanes hold.
  std::string doing() const override;

  // Of its RTL: sizes; seed and pivot rule, which begin a fresh engine; the engine's named state.
  void parameters(const VisitParameter& visit) const override;
  void settings(const VisitSetting& visit) override;
  void probes(const VisitProbe& visit) const override;
  const topk::EngineBase& engine() const { return *engine_; }

  const Wait kController = stats_.waits_for("controller", "controller");

 private:
  static constexpr std::size_t kJobs = 3;  // at least

  // The loader: offers the next job, then its rows, and claims the scores that it reads in the next cycle.
  void offer(const topk::Outputs& out, topk::Inputs& in, Cycle now);
  void load(const topk::Outputs& out, topk::Inputs& in, Cycle now);
  void fetch(unsigned count, Cycle now);
  void claim(Cycle now) const;
  bool loading() const { return next_ < job_.job.n; }
  // Items of the row at hand.
  unsigned row_items() const { return std::min(engine_->config().parallelism, job_.job.n - next_); }
  // The keeper: takes what the engine gives out.
  void keep(const topk::Outputs& out, Cycle now);
  std::string work_of(const TopkJob& job) const;

  std::unique_ptr<topk::EngineBase> engine_;
  unsigned load_width_;
  TopkMemories m_;
  Fifo<TopkJob>& jobs_;
  Fifo<TopkDone>& done_;
  Fifo<TopkJob> queue_;  // handed to the engine, and not given out to the end
  // Loader.
  TopkJob job_;
  topk::Row row_{};
  unsigned next_ = 0;
  unsigned have_ = 0;  // items of the row that is loaded
  // Keeper.
  TopkJob last_;  // that was given out to the end, for reports
  std::uint32_t kept_ = 0;
};

}  // namespace winnow
