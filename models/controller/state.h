#pragma once
// What the controller's parts share: the links and memories at its hands, and the layers, heads and groups in flight.
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <vector>

#include "golden/policies/decisions.h"
#include "models/controller/plan.h"
#include "models/links/cascade_choices.h"
#include "models/links/compactions.h"
#include "models/links/greedy_jobs.h"
#include "models/links/groups_done.h"
#include "models/links/importance_jobs.h"
#include "models/links/key_released.h"
#include "models/links/pv_jobs.h"
#include "models/links/qk_tasks.h"
#include "models/links/topk_jobs.h"
#include "models/links/verdicts.h"
#include "models/links/writes_accepted.h"
#include "models/memories/candidate_lists.h"
#include "models/memories/group_table.h"
#include "models/memories/head_constants.h"
#include "models/memories/importance_memory.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/lists.h"
#include "models/memories/query_registers.h"
#include "models/memories/ranking_items.h"
#include "models/memories/score_memories.h"
#include "models/memories/value_scales.h"
#include "models/memories/value_sums.h"

namespace winnow {

// The controller's ends of the links.
struct ControllerPorts {
  Fifo<FetchJob>& fetch;
  Fifo<QkTask>&first, &later;
  Fifo<GreedyJob>& greedy;
  Fifo<HalfReleased>& key_released;
  Fifo<Verdict>& verdicts;
  Pipe<GroupDone>& done;
  Fifo<CompactJob>& compact;
  Fifo<CompactDone>& compacted;
  Fifo<TopkJob>& topk;
  Fifo<CascadeChoice>& cascade;
  Fifo<TopkDone>&topk_done, &cascade_done;
  Fifo<ImportanceJob>& importance;
  Fifo<ImportanceDone>& importance_done;
  Fifo<PvJob>& pv;
  Fifo<StoreReleased>& store_released;
  Fifo<PvDone>& pv_done;
  Fifo<AcceptedWrites>& written;
};
// The memories that it arms, fills and reads.
struct ControllerMemories {
  GroupTable& groups;
  HeadConstants& constants;
  Lists& lists;
  RankingItems& ranking_items;
  Origins& origins;
  SelectionScores& selection_scores;  // shape-only: priorities stand in for probabilities
  KvBuffer &keys, &values;
  ScaleStore& scales;
  ValueSums& sums;
  QueryRegisters& queries;
  ImportanceMemory& importance;
  CandidateLists& candidates;
};

struct ControllerParams {
  int group = 1;  // query heads a KV head
  int head_dim = 64;
  bool shape_only = false;
  std::size_t halves = 2;
  std::size_t sequences = 1;      // of the batch
  std::uint32_t load_chunk = 0;   // tokens that a job of a load brings; 0: all of a head
  std::size_t list_width = 16;    // names that the controller writes into a list a cycle
  std::size_t prompt_stores = 4;  // groups in flight where K and V are resident; decode has one a half
};

class ControllerObserver;

namespace controller {

// A layer at work, or known ahead.
struct Layer {
  LayerPlan plan;
  std::uint64_t round = 0;  // the layer's number, alike in all sequences of the batch
  bool open = false, begins_step = false, renews = false;
  bool ended = false;               // all of it is written and added up; the next cycle closes it
  std::uint8_t epoch = 0;           // of its fetches
  std::size_t load_head = 0;        // next head to load
  std::uint16_t constants = 0;      // place of its scales
  bool described = false;           // they have been asked for
  std::size_t groups_left = 0;      // not yet out of P x V
  std::size_t importance_left = 0;  // groups whose probabilities are not yet added up
  std::uint64_t bursts = 0;         // of its output vectors, still to be accepted by the memory
  std::vector<ListRef> lists;  // [head of the plan] its tokens; held until the layer ends, which loads do not outlive
  ListRef positions = kEveryItem;  // of its queries

  // Of its n-th query.
  std::uint32_t position(const Lists& all, std::size_t n) const {
    return positions == kEveryItem ? plan.positions.front() + static_cast<std::uint32_t>(n)
                                   : *all.read(positions, n, 1);
  }
};

// A head whose K and V are on their way or at work.
struct Head {
  Layer* layer = nullptr;
  const HeadPlan* plan = nullptr;
  std::uint8_t half = 0;
  ListRef live = kEveryItem;    // its tokens: of a page stage those that it leaves, once they are known
  std::uint32_t tokens = 0;     // how many; after a page stage, also before it
  bool paging = false;          // the keys of pages come first, and pages are chosen, before a token is asked for
  ConstantsRef constants = 0;   // of its first query head
  std::size_t group_heads = 0;  // live query heads
  std::deque<FetchJob> loads;   // not yet handed out
  bool key_armed = false;       // K's half was emptied for it
  bool value_armed = false;
  // Halves expect this head's vectors and scales, and nothing of another head is left in them.
  bool value_begun = false, scale_begun = false, sum_begun = false;
  bool second_begun = false;                     // K of the survivors behind a crude first pass
  bool holds_key = false, holds_values = false;  // its K, its V lie in the half that it has
  std::size_t queries_ordered = 0;               // positions whose queries were asked for
  std::uint64_t first_query = 0;                 // number of its first query vector
  std::size_t started = 0;                       // positions whose groups have started
  std::size_t finished = 0;                      // positions whose groups have left
};

enum class Stage : std::uint8_t {
  passing,    // scores, softmax; a verdict may be due
  expanding,  // the pages chosen are written out as tokens, whose K is asked for
  selecting,  // top-k engine at work on a stage
  gathering,  // compaction and the gather of records
  final,      // probabilities are final
  pruning,    // local value top-k at work
  kept,       // the values to fetch are known
  weighing    // in P x V
};

// One query position on one KV head, with the query heads that share it.
struct Group {
  Layer* layer = nullptr;
  Head* head = nullptr;
  std::uint64_t number = 0;  // in order of start
  std::size_t query = 0;     // place in positions
  std::uint16_t store = 0;
  Stage stage = Stage::passing;
  int pass = 0;
  std::uint64_t first_query = 0;
  bool undecided = false, compacted = false, gathered = false;
  bool sent = false;           // the stage's request to the engine or to softmax
  std::uint32_t tasks = 0;     // query heads whose task of this pass is still to be sent, a bit each
  bool prunes_values = false;  // the engine's answer is about values, not survivors
  ListRef pages = kEveryItem;  // tokens of the pages that were chosen
  Cycle written = 0;           // when the last of them is
  bool all_values = false, values_sent = false;
  bool importance_sent = false, importance_done = false, weighed = false, multiplied = false, freed = false;
  ListRef tokens = kEveryItem;  // its own list, of what the engine left
  ListRef next = kEveryItem;    // the list that the engine is writing
  std::uint32_t token_count = 0;
};

struct State {
  ControllerParams params;
  golden::Decisions decisions;
  ControllerPorts ports;
  ControllerMemories memories;
  ControllerObserver* observer = nullptr;

  std::deque<Layer> layers;  // of each sequence the one at work, and the next if it is known
  std::uint64_t round = 0;   // at work
  std::deque<Head> heads;    // in order of loading
  std::deque<Group> groups;  // in order of start
  // A flag a half, or a store.
  std::vector<std::uint8_t> key_free, value_free, store_free;
  std::vector<std::uint8_t> value_read;  // V's half has been read for the last time, but may not have arrived whole
  std::deque<FetchJob> gathers;          // go before loads

  // Whether anything was done in the tick at hand, and whether something could not be for want of room in a link.
  bool moved = false, blocked = false;

  bool records() const { return decisions.selects(); }
  int last_pass() const { return decisions.digits.count - 1; }
  // Whether the link takes that many entries; one that does not is a reason to look again in the next cycle.
  template <class T>
  bool room(const Fifo<T>& link, Cycle now, std::size_t entries = 1) {
    const bool there = link.space(now) >= entries;
    blocked = blocked || !there;
    return there;
  }
};

}  // namespace controller
}  // namespace winnow
