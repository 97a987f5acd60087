#pragma once
// What the machine decided, for the comparison with golden: watches the controller and reads the memories without
// ports. No part of the machine.
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "golden/formats.h"
#include "models/controller/observer.h"
#include "models/memories/candidate_lists.h"
#include "models/memories/group_table.h"
#include "models/memories/lists.h"
#include "models/memories/score_memories.h"

namespace winnow {

// What one group did.
struct GroupRecord {
  int sequence = 0;         // of the batch
  std::uint32_t query = 0;  // place in the plan's positions
  std::uint16_t head = 0;   // KV head
  bool refetched = false;
  std::vector<std::uint32_t> tokens;                         // that a page stage has left; empty: no page stage
  std::vector<std::uint32_t> survivors[golden::kMaxStages];  // after each stage, slots of the first pass
  std::vector<std::uint32_t> values;                         // slots whose V was used
  std::vector<std::uint16_t> p;  // [group][slots of the first pass] last probabilities; 0 where left out
};

class Recorder final : public ControllerObserver {
 public:
  // Without `values` probabilities are not kept: shape-only runs have none.
  Recorder(const GroupTable& groups, const Probabilities& probabilities, const KeptFlags& kept, const Origins& origins,
           const CandidateLists& candidates, const Lists& lists, int group, bool values)
      : groups_(groups),
        probabilities_(probabilities),
        kept_(kept),
        origins_(origins),
        candidates_(candidates),
        lists_(lists),
        group_(group),
        values_(values) {}

  // Groups of a sequence that have left since the last call, in order of start.
  std::vector<GroupRecord> take(int sequence);

  void started(const GroupView& g) override;
  void paged(const GroupView& g) override { of(g).tokens = lists_.peek(g.pages); }
  void refetched(const GroupView& g) override { of(g).refetched = true; }
  void selected(const GroupView& g, int stage) override;
  void values_known(const GroupView& g, bool all) override;
  void freed(const GroupView& g) override;
  void retired(const GroupView& g) override;

 private:
  GroupRecord& of(const GroupView& g);
  std::vector<std::uint32_t> kept_slots(std::uint16_t store, bool all) const;

  const GroupTable& groups_;
  const Probabilities& probabilities_;
  const KeptFlags& kept_;
  const Origins& origins_;
  const CandidateLists& candidates_;
  const Lists& lists_;
  int group_;
  bool values_;
  std::deque<std::pair<std::uint64_t, GroupRecord>> open_;  // by number
  std::vector<GroupRecord> done_;
};

}  // namespace winnow
