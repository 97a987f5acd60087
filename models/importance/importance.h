#pragma once
// Importance beside the pipeline: adds up probabilities of tokens and |out| of heads, and gives the cascade's top-k
// engine what it compares.
//
// In:   Fifo<ImportanceJob>: a group whose probabilities are final; its selection sums are read from the store, `width`
//       slots a cycle. Fifo<HeadMagnitude> from P x V. Fifo<RankJob> from the controller.
// Out:  Fifo<ImportanceDone>; to the top-k unit items in list order (rank()).
// Rate: width tokens a cycle. The token memory has `width` banks (bank = token mod width), each behind a queue of
//       kBankQueue: tokens of one bank in a row stall the read (counted in bank_stalls()).
// Latency: 1 cycle; the done message comes when the queues have drained.
// State: importance of every token (one list, or one a layer and KV head), chances, head importance.
// Decay at the start of a step is a sweep over the memory, width words a cycle.
// Paper: 3.2, 3.3 (cascade) and section 3 (accumulation beside the way). Widths: token 48 bits, head 64.
#include <cstdint>
#include <vector>

#include "golden/model.h"
#include "golden/policies/decisions.h"
#include "models/prim/fifo.h"
#include "models/softmax/score_store.h"
#include "models/stats.h"

namespace winnow {

struct ImportanceJob {
  std::uint16_t store = 0;
  const std::uint32_t* tokens = nullptr;  // token of each slot at the first pass
  std::size_t base = 0;                   // of the list in the token memory
};
struct ImportanceDone {
  std::uint16_t store = 0;
};
struct HeadMagnitude {
  std::uint16_t head = 0;
  std::uint64_t value = 0;  // sum of |out| times out16
};

class Importance {
 public:
  Importance(const golden::Shape& shape, const golden::Decisions& decisions, int width, std::vector<GroupStore>& stores,
             Fifo<ImportanceJob>& jobs, Fifo<ImportanceDone>& done, Fifo<HeadMagnitude>& magnitudes);

  void tick(Cycle now);
  bool idle() const { return !active_ && jobs_.drained() && magnitudes_.drained() && sweep_ == 0; }

  // Controller: state at the start of the range, and the start of a step (decay).
  void load(const std::vector<std::uint64_t>& importance, const std::vector<std::uint64_t>& chances,
            const std::vector<std::uint64_t>& heads);
  void begin_step();
  void add_chance(std::uint32_t token, std::uint64_t rows) { chances_[token] += rows; }

  const std::vector<std::uint64_t>& tokens() const { return tokens_; }
  const std::vector<std::uint64_t>& chances() const { return chances_; }
  const std::vector<std::uint64_t>& heads() const { return heads_; }
  std::size_t base(int layer, int kv_head) const {
    return per_head_ ? static_cast<std::size_t>((layer * shape_.kv_heads + kv_head) * shape_.tokens) : 0;
  }

  enum Wait { kBank, kSoftmax };
  const BlockStats& stats() const { return stats_; }
  std::uint64_t bank_stalls() const { return bank_stalls_; }
  std::uint64_t accumulations() const { return accumulations_; }

 private:
  static constexpr int kBankQueue = 8;
  golden::Shape shape_;
  int decay_shift_;  // of a step; 0: nothing decays
  int width_;
  bool per_head_;
  std::vector<GroupStore>& stores_;
  Fifo<ImportanceJob>& jobs_;
  Fifo<ImportanceDone>& done_;
  Fifo<HeadMagnitude>& magnitudes_;
  std::vector<std::uint64_t> tokens_, chances_, heads_;
  ImportanceJob job_;
  bool active_ = false;
  std::uint32_t next_ = 0;
  std::uint64_t sweep_ = 0;  // cycles of decay still to go
  std::vector<int> queue_;   // level of each bank's queue
  std::uint64_t bank_stalls_ = 0, accumulations_ = 0;
  BlockStats stats_{"importance", {"bank", "softmax"}};
};

}  // namespace winnow
