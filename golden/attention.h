#pragma once
// Attention of one query position on one KV head and its group of query heads, in the machine's integers: scores on the
// digits that are there, softmax, progressive decision or selection, local value pruning, weighted sum; or, where the
// policy searches, scores of the candidates of each query head alone.
// Paper: II.A, III.C, III.D (local value, progressive quantization); docs/specification/selection.md.
#include <cstdint>
#include <vector>

#include "golden/candidates.h"
#include "golden/quant.h"
#include "golden/score_rule.h"

namespace winnow::golden {

// Slots are places in the list of live tokens.
struct GroupRow {
  int keys = 0;                                      // slots that the query saw
  bool refetched = false;                            // progressive: LSBs of all live tokens were fetched
  int flat = 0;                                      // query heads whose first pass was flat
  int stages = 0;                                    // selection stages run
  std::vector<std::uint32_t> survivors[kMaxStages];  // after each stage, slots ascending
  std::vector<std::uint32_t> values;                 // slots whose V entered the sum
  // [group][keys] what weighs V: last probabilities, or 16 bits of the exponentials; 0 for left out and for dead heads.
  std::vector<std::uint16_t> p;
  std::vector<std::int16_t> out;           // [group][D]; 0 for dead heads
  std::vector<std::uint64_t> denominator;  // [group] of the last pass, rest included; sigmoid: the largest weight
  std::vector<std::vector<std::uint32_t>> candidates;  // [group] slots that a greedy search left; none: no search
};

class Attention {
 public:
  explicit Attention(const Quantized& model);

  // `position` of the query; `live` tokens, ascending, `keys` of them visible; heads of the group that live, a bit
  // each. `full_width`: encoder and prompt load K and V once at full width, no refetch, no selection. A policy that
  // compensates takes V's sum as the step of `position` finds it, from the prompt's last on; `live` is then all tokens.
  // `merged`: how many tokens the last slot stands for; 0: one, as every other.
  // `row` is overwritten; its buffers are reused.
  void run(int layer, int kv_head, int position, const std::uint32_t* live, int keys, std::uint32_t heads,
           bool full_width, GroupRow& row, std::uint32_t merged = 0);

 private:
  // What token 0's key, which stands apart from the planes (KeyTables), adds to the first slot's score.
  void add_first_key(const HeadCodes& c, const std::int16_t* q, int shift, std::int64_t* s) const;
  void scores(const std::int16_t* q, const std::int16_t* k, const std::uint32_t* tokens, int n, int shift,
              std::int64_t* s, bool add);
  // Weights of n scores by a pass's rule, below `top`; returns their sum, or of sigmoids the largest.
  std::uint64_t weights(const std::int64_t* s, int n, const ScoreRule& rule, std::int64_t top, std::uint32_t* e);
  // `mean` [group]: the mean probability of what the selection left out, and `sum` V's sum; nullptr: not compensated.
  void weigh(const HeadCodes& c, const std::uint32_t* live, std::uint32_t heads, int position,
             const std::uint64_t* mean, const std::int32_t* sum, GroupRow& row);

  const Quantized& model_;
  int D_, G_;
  std::vector<std::int64_t> s_;        // [group][keys] partial scores, in full-width code units
  std::vector<std::uint32_t> e_;       // [group][keys]
  std::vector<std::uint32_t> slots_;   // survivors so far
  std::vector<std::uint32_t> tokens_;  // their tokens
  std::vector<std::uint64_t> items_;   // what a top-k compares
  std::vector<std::uint32_t> kept_;
  std::vector<std::int64_t> acc_;
  std::vector<std::int16_t> crude_;  // [group][D] queries of a first pass
  // Sorted K of one head; of an encoder for all its queries, so it is remembered whose it is.
  const SortedColumns& columns(int layer, int kv_head, const std::uint32_t* live, int keys);
  SortedColumns columns_;
  int sorted_layer_ = -1, sorted_head_ = -1;
  std::vector<std::uint32_t> sorted_tokens_;
};

}  // namespace winnow::golden
