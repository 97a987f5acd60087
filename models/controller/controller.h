#pragma once
// Controller: walks layers, KV heads and queries; says what is fetched, multiplied, selected, and when.
//
// In:   plans (PlanSource); verdicts, done and release messages of the blocks.
// Out:  FetchJob to the fetcher; QkTask (first and later passes) to Q x K; CompactJob to softmax; TopkJob to both
//       engines; ImportanceJob; PvJob. One message a FIFO and cycle at most.
// Order: heads are loaded in order, as far ahead as halves of the buffers are free, also into the next layer if its
// plan
//       is known; queries run in order once their layer is open; gathers (LSBs, records, V of survivors) go before
//       loads. Importance, local top-k, V fetch and P x V keep head order. A layer opens when the one before has
//       written its last output and its choices have been made.
// State: heads being loaded or at work, groups in flight, the lists of the living and of survivors.
// Latency: 1 cycle a message.
// Paper: 3.1 (schedule) and section 3; what is open there: README, "Time".
#include <cstdint>
#include <deque>
#include <vector>

#include "golden/policies/decisions.h"
#include "models/buffers/kv_buffer.h"
#include "models/buffers/query_registers.h"
#include "models/buffers/scale_store.h"
#include "models/controller/plan.h"
#include "models/importance/importance.h"
#include "models/pv/pv.h"
#include "models/qk/qk.h"
#include "models/softmax/softmax.h"
#include "models/topk/unit.h"

namespace winnow {

// The controller's ends of the links.
struct ControllerPorts {
  Fifo<FetchJob>& fetch;
  Fifo<QkTask>&first, &later;
  Fifo<HalfReleased>& key_released;
  Fifo<Verdict>& verdicts;
  Pipe<GroupDone>& done;
  Fifo<CompactJob>& compact;
  Fifo<CompactDone>& compacted;
  Fifo<TopkJob>&topk, &cascade;
  Fifo<TopkDone>&topk_done, &cascade_done;
  Fifo<ImportanceJob>& importance;
  Fifo<ImportanceDone>& importance_done;
  Fifo<PvJob>& pv;
  Fifo<StoreReleased>& store_released;
  Fifo<PvDone>& pv_done;
};
struct ControllerTargets {
  std::vector<GroupStore>& stores;
  KvBuffer &keys, &values;
  ScaleStore& scales;
  QueryRegisters& queries;
  Importance& importance;
};

// What one group did, for comparison with golden and for statistics.
struct GroupRecord {
  std::uint32_t query = 0;  // place in the plan's positions
  std::uint16_t head = 0;   // KV head
  bool refetched = false;
  std::vector<std::uint32_t> survivors[golden::kMaxStages];  // after each stage, slots of the first pass
  std::vector<std::uint32_t> values;                         // slots whose V was used
  std::vector<std::uint16_t> p;  // [group][slots of the first pass] last probabilities; 0 where left out
};

class Controller {
 public:
  struct Params {
    int group = 1;  // query heads a KV head
    int head_dim = 64;
    bool shape_only = false;
    std::size_t halves = 2;
    std::size_t prompt_stores = 4;  // groups in flight where K and V are resident; decode has one a half
  };
  Controller(const Params& params, const golden::Decisions& decisions, PlanSource& source, ControllerPorts ports,
             ControllerTargets targets);

  void tick(Cycle now);

  // Nothing more to do; all outputs have been handed to P x V.
  bool finished() const { return layers_.empty() && !source_.more(); }
  // All groups of the layer at work have left P x V: the machine then waits for the last write and calls
  // outputs_written(), and, when the choices that follow have been made, close_layer().
  bool layer_computed() const {
    return !layers_.empty() && layers_.front().open && layers_.front().groups_left == 0 &&
           layers_.front().importance_left == 0;
  }
  const LayerPlan& layer() const { return layers_.front().plan; }
  const std::vector<GroupRecord>& layer_records() const { return layers_.front().records; }
  std::uint64_t layer_vectors() const { return layers_.front().vectors; }
  std::uint32_t layer_epoch() const { return layers_.front().epoch; }
  // The machine has seen the layer's last output written and its importance complete.
  void close_layer(Cycle now);

  enum Why { kMemory, kSoftmax, kProgressive, kTopk, kGather, kPv, kLayerEnd, kCascade };
  // Cycles in which Q x K had no task, by what the oldest group or head waited for.
  const BlockStats& stats() const { return stats_; }
  std::uint64_t groups() const { return groups_run_; }
  std::uint64_t refetches() const { return refetches_; }

 private:
  struct Layer {
    LayerPlan plan;
    bool open = false, begins_step = false;
    std::uint8_t epoch = 0;           // of its fetches
    std::size_t load_head = 0;        // next head to load
    std::size_t groups_left = 0;      // not yet out of P x V
    std::size_t importance_left = 0;  // groups whose probabilities are not yet added up
    std::uint64_t vectors = 0;        // output vectors
    std::vector<GroupRecord> records;
  };
  // A head whose K and V are on their way or at work.
  struct Head {
    Layer* layer = nullptr;
    const HeadPlan* plan = nullptr;
    std::uint8_t half = 0;
    std::size_t group_heads = 0;  // live query heads
    std::deque<FetchJob> loads;   // not yet handed out
    bool key_armed = false;       // K's half was emptied for it
    bool value_armed = false;
    // Halves expect this head's vectors and scales, and nothing of another head is left in them.
    bool value_begun = false, scale_begun = false;
    std::size_t queries_ordered = 0;                     // positions whose queries were asked for
    std::deque<std::vector<std::uint32_t>> query_lists;  // address lists of those jobs
    std::uint64_t first_query = 0;                       // number of its first query vector
    std::size_t started = 0;                             // positions whose groups have started
    std::size_t finished = 0;                            // positions whose groups have left
  };
  enum class Stage : std::uint8_t {
    passing,    // scores, softmax; a verdict may be due
    selecting,  // top-k engine at work on a stage
    gathering,  // compaction and the gather of records
    final,      // probabilities are final
    pruning,    // local value top-k at work
    kept,       // the values to fetch are known
    weighing    // in P x V
  };
  struct Group {
    Layer* layer = nullptr;
    Head* head = nullptr;
    std::size_t query = 0;  // place in positions
    std::uint16_t store = 0;
    Stage stage = Stage::passing;
    int pass = 0;
    std::uint64_t first_query = 0;
    bool undecided = false, compacted = false, gathered = false;
    bool sent = false;                  // the stage's request to the engine or to softmax
    bool record_values_wanted = false;  // the engine's answer is about values, not survivors
    bool all_values = false, values_sent = false;
    bool importance_sent = false, importance_done = false, weighed = false, multiplied = false, freed = false;
    std::vector<std::uint32_t> tokens;  // address list of the gather at hand
    GroupRecord record;
  };

  // Whether a message waits, or query registers were released, since the tick that found nothing to do.
  bool woken(Cycle now) const;
  // Whether the link takes an entry; one that does not keeps the controller looking.
  template <class T>
  bool room(const Fifo<T>& link, Cycle now, std::size_t entries = 1) {
    const bool there = link.space(now) >= entries;
    blocked_ = blocked_ || !there;
    return there;
  }
  void messages(Cycle now);
  void plan_ahead(Cycle now);
  void open_heads();
  bool send_fetch(Cycle now);
  bool order_queries(Cycle now);
  bool send_load(Cycle now);
  void start_group(Cycle now);
  void advance(Cycle now);
  bool send_tasks(Group& g, bool later, Cycle now);
  void refetch(Group& g, Cycle now);
  bool follows(const Group& g) const;
  void end_of_pass(Group& g);
  void take_survivors(Group& g);
  void retire(Cycle now);
  void add_layer(LayerPlan plan);
  Group& group_of(std::size_t store);
  FetchJob fetch(const Head& h, Stream stream, const golden::Region& r, const std::vector<std::uint32_t>& list) const;
  FetchJob key_job(const Head& h, int digit, const std::vector<std::uint32_t>& list) const;
  bool records() const { return decisions_.selects(); }
  void note_probabilities(Group& g) const;
  Why why() const;

  Params params_;
  golden::Decisions decisions_;
  golden::Digits digits_;
  PlanSource& source_;
  ControllerPorts p_;
  ControllerTargets t_;

  std::deque<Layer> layers_;  // the one at work, and the next if it is known
  enum class Planning : std::uint8_t { waiting, tokens, between, heads } planning_ = Planning::waiting;
  std::vector<Choice> choices_;  // of the round at hand
  std::vector<std::vector<std::uint32_t>> kept_;
  std::size_t sent_ = 0, answered_ = 0, kept_base_ = 0;
  bool begun_step_ = false;

  std::deque<Head> heads_;    // in order of loading
  std::deque<Group> groups_;  // in order of start
  std::vector<std::uint8_t> key_free_, value_free_, store_free_;
  std::vector<std::uint8_t> value_read_;  // V's half has been read for the last time, but may not have arrived whole
  std::size_t next_half_ = 0, next_store_ = 0;
  std::deque<FetchJob> gathers_;  // go before loads
  std::uint64_t queries_ordered_ = 0;
  std::uint8_t next_epoch_ = 0;
  std::uint64_t groups_run_ = 0, refetches_ = 0;
  // A tick in which nothing moved and no link was full finds nothing to do either until a message comes: the simulator
  // leaves it out. No part of the machine.
  bool moved_ = false, blocked_ = false, quiet_ = false, why_known_ = false;
  std::uint64_t released_seen_ = 0;
  Why why_seen_ = kMemory;
  BlockStats stats_{"qk without a task",
                    {"hbm2", "softmax", "progressive", "topk", "gather", "pv", "layer end", "cascade topk"}};
};

}  // namespace winnow
