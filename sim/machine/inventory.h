#pragma once
// The inventory of a machine: every block, link and memory, once. Construction, draining, statistics, SystemC, RTL
// binding, `winnow machines` and the drawing in docs/ walk it.
//
// A part is declared here by its type and named in its own header: models/links (ends, payload, depth and why),
// models/memories (words, banks, ports), models/<block> (contract). Adding one is a line here, and its ends in
// inventory.cpp.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "golden/policies/decisions.h"
#include "models/cascade/cascade.h"
#include "models/controller/controller.h"
#include "models/converter/converter.h"
#include "models/dram/memory.h"
#include "models/fetcher/fetcher.h"
#include "models/greedy/greedy.h"
#include "models/importance/importance.h"
#include "models/progressive/progressive.h"
#include "models/pv/pv.h"
#include "models/qk/qk.h"
#include "models/softmax/softmax.h"
#include "models/topk/unit.h"
#include "models/writeback/writeback.h"
#include "sim/config/machine.h"
#include "sim/machine/dram_block.h"
#include "sim/machine/lazy_controller.h"

namespace winnow {

// What the machine is built for, besides its description.
struct Workpiece {
  golden::Shape shape;
  golden::Decisions decisions;
  std::vector<std::uint8_t> image;  // bytes of the memory
  std::uint64_t seed = 1;
  bool shape_only = false;  // addresses, bursts and cycles without values
  int longest = 0;          // tokens a head holds at most
  int sequences = 1;        // of the batch
};

Sizes sizes_of(const Machine& machine, const Workpiece& piece);

// Where parts sign up, in the order of their declaration.
struct Register {
  std::vector<Block*> blocks;
  std::vector<LinkBase*> links;
  std::vector<MemoryBase*> memories;
};

// A part that signs up.
template <class T>
struct Part : T {
  template <class... Args>
  explicit Part(Register& all, Args&&... args) : T(std::forward<Args>(args)...) {
    if constexpr (std::is_base_of_v<Block, T>)
      all.blocks.push_back(this);
    else if constexpr (std::is_base_of_v<LinkBase, T>)
      all.links.push_back(this);
    else
      all.memories.push_back(this);
  }
};

template <class L>
using LinkPart = Part<Link<L>>;

struct Inventory {
  using MakeSource = std::function<std::unique_ptr<PlanSource>(ImportanceMemory&)>;
  // Throws Error when a part cannot be made in that size.
  Inventory(const Machine& machine, Workpiece piece, const MakeSource& make_source);
  Inventory(const Inventory&) = delete;  // parts refer to each other

  // The first link, memory or block that still holds something; empty when all are drained.
  std::string undrained() const;
  Block* find_block(const std::string& name) const;

  Register all;
  Sizes sizes;

  // Memories.
  std::shared_ptr<KvBanks> pool;  // where K and V lie, if they share banks
  Part<KvBuffer> keys, values;
  Part<ScaleStore> value_scales;
  Part<ValueSums> value_sums;
  Part<QueryRegisters> queries;
  Part<GroupTable> groups;
  Part<HeadConstants> constants;
  Part<Scores> scores;
  Part<Exponentials> exponentials;
  Part<Probabilities> probabilities;
  Part<SelectionScores> selection_scores;
  Part<KeptFlags> kept;
  Part<Origins> origins;
  Part<Lists> lists;
  Part<RankingItems> ranking_items;
  Part<ImportanceMemory> importance_memory;
  Part<SortedKeys> sorted_keys;
  Part<CandidateLists> candidate_lists;

  // Links, in the order of the pipeline.
  LinkPart<FetchJobs> fetch_jobs;
  Part<StartedJobs> started_jobs;
  Part<DataFifos> data_fifos;
  ArrayGrant array_grant;  // a wire
  LinkPart<FirstPasses> first_passes;
  LinkPart<LaterPasses> later_passes;
  LinkPart<GreedyJobs> greedy_jobs;
  LinkPart<KeyReleased> key_released;
  LinkPart<ScoreRows> score_rows;
  LinkPart<RowSums> row_sums;
  LinkPart<VerdictsToSoftmax> verdicts_to_softmax;
  LinkPart<VerdictsToController> verdicts_to_controller;
  LinkPart<GroupsDone> groups_done;
  LinkPart<Compactions> compactions;
  LinkPart<CompactionsDone> compactions_done;
  LinkPart<TopkJobs> topk_jobs;
  LinkPart<TopkAnswers> topk_answers;
  LinkPart<CascadeChoices> cascade_choices;
  LinkPart<CascadeJobs> cascade_jobs;
  LinkPart<CascadeAnswers> cascade_answers;
  LinkPart<ImportanceJobs> importance_jobs;
  LinkPart<ImportanceAnswers> importance_answers;
  LinkPart<Magnitudes> magnitudes;
  LinkPart<PvJobs> pv_jobs;
  LinkPart<StoresReleased> stores_released;
  LinkPart<PvAnswers> pv_answers;
  LinkPart<Outputs> outputs;
  LinkPart<WriteBursts> write_bursts;
  LinkPart<WritesAccepted> writes_accepted;

  // Blocks, in the order of the pipeline.
  Part<DramBlock> hbm2;
  Part<Fetcher> fetcher;
  Part<Converter> converter;
  Part<Greedy> greedy;
  Part<Qk> qk;
  Part<Softmax> softmax;
  Part<Progressive> progressive;
  Part<TopkUnit> topk;
  Part<Pv> pv;
  Part<WriteBack> writeback;
  Part<Importance> importance;
  Part<Cascade> cascade;
  Part<TopkUnit> cascade_topk;
  std::unique_ptr<PlanSource> source;  // of the controller; no part
  Part<Controller> controller;
};

}  // namespace winnow
