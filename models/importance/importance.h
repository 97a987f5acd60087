#pragma once
// Importance beside the pipeline: adds up probabilities of tokens and |out| of heads, and gives the cascade's top-k
// engine what it compares.
//
// In:   Fifo<ImportanceJob>: a group whose probabilities are final; its selection scores are read, `width` slots a
// cycle.
//       Fifo<HeadMagnitude> from P x V.
// Out:  Fifo<ImportanceDone>; the importance memory, from which the cascade chooses.
// Rate: width tokens a cycle. The token memory has `width` banks (bank = token mod width), each behind a queue of
//       kBankQueue: tokens of one bank in a row stall the read (counted in bank_stalls()).
// Latency: 1 cycle; the done message comes when the queues have drained.
// State: importance of every token (one list, or one a layer and KV head), chances, head importance.
// Decay at the start of a step is a sweep over the memory, width words a cycle.
// Paper: III.A, III.B, IV.A; docs/specification/numbers.md, "Importance". Widths: token 48 bits, head 64.
#include <cstdint>
#include <vector>

#include "models/links/importance_jobs.h"
#include "models/links/magnitudes.h"
#include "models/memories/group_table.h"
#include "models/memories/importance_memory.h"
#include "models/memories/lists.h"
#include "models/memories/score_memories.h"
#include "models/prim/block.h"

namespace winnow {

struct ImportanceMemories {
  const GroupTable& groups;
  const SelectionScores& selection_scores;
  const Origins& origins;
  const Lists& lists;
  ImportanceMemory& importance;
};

class Importance : public Block {
 public:
  // `width`: tokens a cycle, and banks of the importance memory; a power of two.
  Importance(int width, ImportanceMemories memories, Fifo<ImportanceJob>& jobs, Fifo<ImportanceDone>& done,
             Fifo<HeadMagnitude>& magnitudes);

  void tick(Cycle now) override;
  bool idle() const override {
    return !active_ && jobs_.drained() && magnitudes_.drained() && !m_.importance.sweeping();
  }
  void report(StatSink& sink) const override { sink.cycles("bank_stalls", "bank stalls", bank_stalls_); }

  std::uint64_t bank_stalls() const { return bank_stalls_; }
  std::uint64_t accumulations() const { return accumulations_; }

  const Wait kBank = stats_.waits_for("bank", "bank"), kSoftmax = stats_.waits_for("softmax", "softmax");

 private:
  static constexpr int kBankQueue = 8;
  int width_;
  ImportanceMemories m_;
  Fifo<ImportanceJob>& jobs_;
  Fifo<ImportanceDone>& done_;
  Fifo<HeadMagnitude>& magnitudes_;
  ImportanceJob job_;
  bool active_ = false;
  std::uint32_t next_ = 0;
  std::vector<int> queue_;  // level of each bank's queue
  std::uint64_t bank_stalls_ = 0, accumulations_ = 0;
};

}  // namespace winnow
