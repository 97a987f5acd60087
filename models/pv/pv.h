#pragma once
// P x V array: `multipliers` 12-bit multipliers, D trees of floor(multipliers / D) inputs (with bricks more, where V is
// narrow: models/prim/bricks.h), and the requantizer behind them.
//
// In:   Fifo<PvJob>: a group whose probabilities are final and whose kept slots are known; V vectors in their buffer.
// Out:  Fifo<OutputVector> to write-back, one a live query head; Fifo<HeadMagnitude> to importance;
//       Fifo<StoreReleased> when the last probability was read, Fifo<PvDone> when the last V vector was.
// Three stages, each at work on a row (one query head) of its own:
//   weigh     reads the row's probabilities in slot order, `width` a cycle, drops slots that were not kept (zero
//             eliminator), multiplies V's scale in, keeps the largest: ceil(slots / width) cycles. V's scales lie in
//             scale_banks banks of one read a cycle: a word of survivors that share a bank takes as many cycles as the
//             fullest has (scale_conflicts());
//   multiply  rounds the weights to 12 bits under the row's exponent and adds up weight * V: each of the
//             banks of V delivers one vector a cycle, `rate` of them at most. In decode kept slots lie side by side and
//             this is ceil(kept / rate); where V was loaded whole (prompt, encoder) kept slots lie where they were,
//             and the fullest bank decides (uneven_cycles());
//   requantize  takes the row's sums over when they leave the trees, `requantizers` of them a cycle, and multiplies
//   them
//             by the output's scale. With option renormalise that waits for 1 / kept probability, which an iterative
//             divider makes in divide_latency cycles from the end of weigh on, one at a time.
// The rivals' rules: where weights may be 0 the zero eliminator drops these too, and vectors are read where they lie,
// as where V was loaded whole. Of a group that was searched for, weigh goes over a row's candidates. A lazy row's
// outputs are multiplied with one over its sum, which softmax has divided. Weights of heads are a factor more of the
// output's scale, a product a row, which is made while the row is weighed. Latency: `latency` cycles from the last
// vector to the sums, ceil(D / requantizers) to the output. State: two rows of weights (one in each of the first two
// stages; V's banks have a queue of row_fifo entries each, as
//       deep as V's own rows, because a row's exponent is known at its end), accumulators of 36 bits, the row's sums
//       that are requantized, two output vectors.
// Waits for: softmax (no job), value scales, value buffer, requantizers, writeback.
// Paper: IV.G; arithmetic: golden/num.h.
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "golden/num.h"
#include "models/links/array_grant.h"
#include "models/links/fetch_jobs.h"
#include "models/links/magnitudes.h"
#include "models/links/outputs.h"
#include "models/links/pv_jobs.h"
#include "models/memories/candidate_lists.h"
#include "models/memories/group_table.h"
#include "models/memories/head_constants.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/score_memories.h"
#include "models/memories/value_scales.h"
#include "models/memories/value_sums.h"
#include "models/prim/block.h"

namespace winnow {

struct PvMemories {
  const GroupTable& groups;
  const HeadConstants& constants;
  const Probabilities& probabilities;
  const KeptFlags& kept;
  const Origins& origins;
  KvBuffer& values;
  ScaleStore& scales;
  const ValueSums& sums;
  const CandidateLists& candidates;
  ArrayGrant& arrays;
};

class Pv : public Block {
 public:
  struct Params {
    int head_dim, rate, width, latency;  // rate: vectors a cycle, at most V's banks
    bool scaled = false;                 // V has a scale a token
    bool renormalise = false;
    bool shape_only = false;
    int requantizers = 8, divide_latency = 17;
    int v_bits = golden::kWordBits;
    bool drops_zeros = false, lazy = false;
    int output_vectors = 2;
    bool weighs_heads = false;
  };
  Pv(const Params& params, PvMemories memories, Fifo<PvJob>& jobs, Fifo<OutputVector>& out,
     Fifo<HeadMagnitude>& magnitudes, Fifo<StoreReleased>& released, Fifo<PvDone>& done);

  void tick(Cycle now) override;
  // Two rows of weights with the slot of each, sums of D words, and what leaves for write-back.
  std::vector<StoredWords> registers() const override {
    return {
        {"weight_rows", 2 * std::uint64_t{m_.probabilities.slots()}, golden::kWordBits + 17},
        {"sums", static_cast<std::uint64_t>(params_.head_dim), 36},
        {"output_vectors", static_cast<std::uint64_t>(params_.output_vectors * params_.head_dim), golden::kWordBits}};
  }
  bool idle() const override {
    return !job_active_ && !rows_full() && !multiplying_ && pending_in_ == pending_out_ && jobs_.drained();
  }
  void report(StatSink& sink) const override {
    sink.count("multiplications", "multiplications", products_);
    sink.cycles("uneven_banks", "uneven banks", uneven_);
    sink.cycles("scale_conflicts", "scale conflicts", scale_conflicts_);
  }

  std::uint64_t multiplications() const { return products_; }
  // Of one layer, so far; the next of that epoch begins at 0 again.
  struct OfLayer {
    std::uint64_t products = 0, outputs = 0;  // vectors
  };
  OfLayer take_counts(std::uint32_t epoch) { return std::exchange(of_epoch_[epoch % kEpochs], OfLayer{}); }
  std::uint64_t uneven_cycles() const { return uneven_; }
  std::uint64_t scale_conflicts() const { return scale_conflicts_; }

  const Wait kSoftmax = stats_.waits_for("softmax", "softmax"),
             kScales = stats_.waits_for("value_scales", "value scales"),
             kValues = stats_.waits_for("value_buffer", "value buffer"), kArrays = stats_.waits_for("arrays", "arrays"),
             kRequantizers = stats_.waits_for("requantizers", "requantizers"),
             kWriteback = stats_.waits_for("writeback", "writeback");

 private:
  struct Row {
    bool full = false;
    Tag tag;
    PvJob job;
    int head = 0;
    bool last_row = false;
    bool contiguous = true;
    std::uint64_t largest = 0, kept_sum = 0, mean = 0;
    std::uint16_t head_weight = 0;
    int exponent = 0;
    std::uint32_t count = 0;
    std::uint32_t kept = 0;           // slots kept so far, weights of 0 included
    std::vector<std::uint32_t> slot;  // V slot of each weight
    std::vector<std::int64_t> wide;
    std::vector<std::vector<std::uint32_t>> of_bank;  // places in slot/wide, where not contiguous
    std::vector<std::uint32_t> next_of_bank;
    std::uint32_t next = 0;
    Cycle divided = 0;  // its renormaliser is there
  };
  struct Pending {
    Cycle ready;
    OutputVector out;
    HeadMagnitude magnitude;
  };
  bool rows_full() const { return rows_[0].full || rows_[1].full; }
  bool weigh(Cycle now);
  bool multiply(Cycle now);
  void claim_arrays(Cycle now);
  bool read_scales(std::uint32_t n, const std::uint8_t* kept, const std::uint32_t* origins, bool searched, Cycle now);
  bool can_finish(Cycle now);
  void take(const Row& row, std::uint32_t place, const std::int16_t* v);
  void accumulate();
  void flush();
  void finish(Row& row, Cycle now);
  void count_products(const Row& row, std::uint32_t vectors) {
    const std::uint64_t products = vectors * static_cast<std::uint64_t>(params_.head_dim);
    products_ += products, of_epoch_[row.job.epoch].products += products;
  }
  void start_row(Row& row, int head);

  Params params_;
  PvMemories m_;
  Fifo<PvJob>& jobs_;
  Fifo<OutputVector>& out_;
  Fifo<HeadMagnitude>& magnitudes_;
  Fifo<StoreReleased>& released_;
  Fifo<PvDone>& done_;

  PvJob job_;
  bool job_active_ = false;
  int head_ = 0;
  std::uint32_t next_slot_ = 0;
  bool row_open_ = false;
  Row rows_[2];
  int weigh_row_ = 0, multiply_row_ = 0;
  bool multiplying_ = false;
  Wait why_ = kSoftmax;  // what the array waits for
  std::array<std::int32_t, kMaxHeadDim> part_{};
  std::array<std::int64_t, kMaxHeadDim> acc_{};
  static constexpr std::size_t kMaxBanks = 64;  // KvBuffer holds no more
  int part_count_ = 0;
  // Weights and vectors of the cycle at hand.
  std::array<std::int32_t, kMaxBanks> weight_;
  std::array<const std::int16_t*, kMaxBanks> vector_;
  std::size_t taken_ = 0;
  std::vector<Pending> pending_;  // a ring
  std::size_t pending_in_ = 0, pending_out_ = 0;
  Cycle requantized_ = 0, divider_free_ = 0;  // when requantizers and divider can take the next row
  // V's scales of the word at weigh.
  bool word_open_ = false;
  std::vector<std::uint32_t> scales_left_;  // slots in the word, still to read
  std::vector<std::uint16_t> scales_;       // of each slot in the word
  std::uint64_t products_ = 0, uneven_ = 0, scale_conflicts_ = 0;
  std::array<OfLayer, kEpochs> of_epoch_{};
};

}  // namespace winnow
