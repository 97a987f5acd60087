#pragma once
// Controller: walks layers, KV heads and queries; says what is fetched, multiplied, selected, and when.
//
// In:   plans (PlanSource); verdicts, done and release messages of the blocks.
// Out:  FetchJob to the fetcher; QkTask (first and later passes) to Q x K; CompactJob to softmax; TopkJob to both
//       engines; ImportanceJob; PvJob.
// Order: heads are loaded in order, as far ahead as halves of the buffers are free, also into the next layer if its
// plan
//       is known; queries run in order once their layer is open; gathers (LSBs, records, V of survivors) go before
//       loads. Importance, local top-k, V fetch and P x V keep head order. A layer opens when the one before has
//       written its last output and its choices have been made.
// State: heads being loaded or at work, groups in flight, the lists of the living and of survivors.
// Latency: 1 cycle a message.
// Rate: seven sequencers, each of which does one thing a cycle and pushes at most once into a link: messages, retiring,
//       the count of a layer, planner, heads opened, groups (one action of the oldest that has one, a start included),
//       loads.
// Parts: planner (which layer, who lives) -> loads (what is fetched) and groups (what is computed, kTransitions).
// Waits for: nobody of its own. Its statistics say for whom Q x K had no task: what the oldest group or head waited
// for. Paper: IV.A; what is open there: docs/specification/time.md.
#include <cstdint>

#include "models/controller/groups.h"
#include "models/controller/loads.h"
#include "models/controller/planner.h"
#include "models/controller/state.h"
#include "models/prim/block.h"

namespace winnow {

class Controller : public Block {
 public:
  using Params = ControllerParams;
  Controller(const Params& params, const golden::Decisions& decisions, PlanSource& source, ControllerPorts ports,
             ControllerMemories memories);

  void tick(Cycle now) override {
    act(now);
    account(now, starved(now) ? why() : kMemory);
  }
  bool idle() const override { return finished(); }

  // tick() in its two halves. act() returns whether it would find nothing to do in the next cycle either, unless a
  // message comes (woken); account() counts the cycle.
  bool act(Cycle now);
  bool woken(Cycle now) const;
  bool starved(Cycle now) const {
    const ControllerPorts& p = s_.ports;
    return p.first.space(now) == p.first.depth() && p.later.space(now) == p.later.depth() && !s_.layers.empty();
  }
  Wait why() const;
  void account(Cycle now, Wait reason) { starved(now) ? stats_.wait(reason) : stats_.busy(); }

  // Nothing more to do; all outputs have been handed to P x V.
  bool finished() const { return s_.layers.empty() && planner_.done(); }
  // The layer at work has ended: its outputs are in the memory, its importance is complete. For one cycle; the machine
  // then compares it with golden.
  bool layer_ended() const { return !s_.layers.empty() && s_.layers.front().ended; }
  // It is the first of its round that closes; the last.
  bool round_begins_to_end() const { return planner_.round_begins_to_end(); }
  bool round_ends() const { return planner_.round_ends(); }
  const LayerPlan& layer() const { return s_.layers.front().plan; }
  std::uint32_t layer_epoch() const { return s_.layers.front().epoch; }

  // Before the first cycle; must outlive the run.
  void observe(ControllerObserver* observer) { s_.observer = observer; }

  std::uint64_t groups() const { return groups_.started(); }
  std::uint64_t refetches() const { return groups_.refetches(); }

  // Cycles in which Q x K had no task.
  const Wait kMemory = stats_.waits_for("hbm2", "hbm2"), kSoftmax = stats_.waits_for("softmax", "softmax"),
             kProgressive = stats_.waits_for("progressive", "progressive"), kTopk = stats_.waits_for("topk", "topk"),
             kGather = stats_.waits_for("gather", "gather"), kPv = stats_.waits_for("pv", "pv"),
             kLayerEnd = stats_.waits_for("layer_end", "layer end"),
             kCascade = stats_.waits_for("cascade_topk", "cascade topk");

 private:
  controller::State s_;
  controller::Planner planner_;
  controller::Loads loads_;
  controller::Groups groups_;
};

}  // namespace winnow
