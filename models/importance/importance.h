#pragma once
// Importance beside the pipeline: adds up probabilities of tokens and |out| of heads, and gives the cascade's top-k
// engine what it compares.
//
// In:   Fifo<ImportanceJob>: a group whose probabilities are final; its selection scores are read, `width` slots a
// cycle.
//       Fifo<HeadMagnitude> from P x V.
// Out:  Fifo<ImportanceDone>; the importance memory, from which the cascade chooses.
// Rate: width tokens a cycle are read, one a lane, into queues of `lane_queue`; a row is read when every lane has room.
//       A crossbar takes the lanes' oldest to the token memory's `width` banks (bank = token mod width): a bank accepts
//       `bank_accepts` a cycle into its queue of `bank_queue`, and adds one a cycle. The lane that asks first changes
//       every cycle. A cycle in which a row was held up is counted in bank_stalls().
// Waits for: bank (a lane is full), softmax (the last division has not begun), selection scores (their port is
// claimed). Latency: 2 cycles; the done message comes when the job's tokens are added, the next job is read meanwhile.
// State: the queues, a bit an entry that says whose it is. What is added up lies in the importance memory.
// Decay at the start of a step is a sweep over the memory, width words a cycle.
// Paper: III.A, III.B, IV.A; docs/specification/numbers.md, "Importance". Widths: token 48 bits, head 64.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/importance/params.h"
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
  Importance(int width, const ImportanceParams& params, ImportanceMemories memories, Fifo<ImportanceJob>& jobs,
             Fifo<ImportanceDone>& done, Fifo<HeadMagnitude>& magnitudes);

  void tick(Cycle now) override;
  bool idle() const override {
    return !active_ && !draining_ && jobs_.drained() && magnitudes_.drained() && m_.importance.drained();
  }
  void report(StatSink& sink) const override { sink.cycles("bank_stalls", "bank stalls", bank_stalls_); }

  std::uint64_t bank_stalls() const { return bank_stalls_; }
  std::uint64_t accumulations() const { return accumulations_; }

  const Wait kBank = stats_.waits_for("bank", "bank"), kSoftmax = stats_.waits_for("softmax", "softmax"),
             kSums = stats_.waits_for("selection_scores", "selection scores");

 private:
  // What waits in a lane.
  struct Item {
    std::uint32_t place;  // in the importance memory
    std::uint32_t sum;
    std::uint8_t job;  // of two in turn
  };
  struct Lane {
    std::vector<Item> ring;
    std::size_t head = 0, level = 0;
  };
  // The queue in front of a bank.
  struct Bank {
    std::uint64_t jobs = 0;  // a bit an entry, the oldest lowest
    int level = 0;
    int accepted = 0;  // in this cycle
  };
  void add();
  void cross();
  bool read(Cycle now);
  // Slots of the next read.
  std::uint32_t words() const {
    return std::min(m_.groups[job_.store].slots - next_, static_cast<std::uint32_t>(width_));
  }

  int width_;
  ImportanceParams params_;
  ImportanceMemories m_;
  Fifo<ImportanceJob>& jobs_;
  Fifo<ImportanceDone>& done_;
  Fifo<HeadMagnitude>& magnitudes_;
  ImportanceJob job_;
  bool active_ = false;
  std::uint32_t next_ = 0;
  // The job before, whose tokens are not all added.
  bool draining_ = false;
  std::uint16_t draining_store_ = 0;
  std::uint8_t turn_ = 0;           // of the job that is read
  std::uint32_t left_[2] = {0, 0};  // tokens of each job, read and not yet added
  std::vector<Lane> lanes_;
  int first_lane_ = 0;                          // asks first
  std::uint32_t in_lanes_ = 0, in_queues_ = 0;  // entries of all lanes, of all banks
  std::vector<Bank> banks_;
  std::uint64_t bank_stalls_ = 0, accumulations_ = 0;
};

}  // namespace winnow
