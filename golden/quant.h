#pragma once
// A trace quantized for one policy: integer codes, digits of K, scales. Linear symmetric quantization (paper, III.D);
// scales come from the prompt only, later values saturate. Causal models get headroom over the prompt's largest value.
#include <cstdint>
#include <vector>

#include "golden/basis.h"
#include "golden/model.h"
#include "golden/num.h"
#include "golden/policies/decisions.h"
#include "golden/policies/policy.h"
#include "golden/reference.h"

namespace winnow::golden {

// A decoder's later tokens exceed the prompt's largest values, and one saturated code costs more than a part of a bit
// in all: without headroom the dense 12-bit output error of decode steps is six times the prompt's. An encoder's prompt
// is everything and has none. K and V under one scale a tensor, where the largest is rarely exceeded, have none either.
inline constexpr double kQueryHeadroom = 1.125, kKeyChannelHeadroom = 1.125, kOutHeadroom = 2;

// A positive real as a Scale (mantissa rounded to 16 bits).
Scale to_scale(double x);

// One KV head of one layer and its group of query heads. Rows are tokens, D codes each; of K and V, with a policy that
// merges, behind them a merged token a step.
struct HeadCodes {
  std::vector<std::int16_t> q;                    // [tokens][group][D], 12 bits, K's channel scales folded in
  std::vector<std::int16_t> turned;               // the same in the keys' basis; empty: keys are as they are
  std::vector<std::uint16_t> head_weight;         // [tokens][group]; empty: the policy does not weigh heads
  std::vector<std::int16_t> k;                    // [tokens][D], full-width codes
  std::vector<std::int16_t> k_digit[kMaxDigits];  // [tokens][D], code = sum digit[i] << below(i)
  std::vector<std::int16_t> page;                 // [complete pages][D] words of their keys; empty: no pages
  std::vector<std::int16_t> v;                    // [tokens][D]
  std::vector<std::uint16_t> v16;    // [tokens], a token's V scale over the prompt's largest; empty: one scale
  std::vector<std::int32_t> v_sum;   // [steps][D], V's sum as a step finds it; empty: the policy does not compensate
  std::vector<Scale> to_log2;        // [group] score code -> log2 units of 2^-12
  std::vector<Scale> to_out;         // [group] sum of weight12 * v (exponent apart) -> output code
  std::vector<double> out_unit;      // [group] value of one output code
  std::vector<std::uint16_t> out16;  // [group] out_unit as a 16-bit fraction of the model's largest
  std::vector<double> score_unit;    // [group] natural-log value of one score code, attention scale included
  std::vector<double> q_unit;        // [group] value of one query code (over K's channel scale, if folded)
  double k_unit = 0, v_unit = 0;     // value of one code (k_unit 1 where folded; v_unit of the largest scale)
  KeyTables basis;                   // empty: keys are as they are. Else k's token 0 is 0: its key stands there

  // What scores are of, [tokens][group][D].
  const std::vector<std::int16_t>& scored_queries() const { return turned.empty() ? q : turned; }
};

class Quantized {
 public:
  // Throws Error: head_dim not a multiple of 8 or above 256, more than 32 query heads a KV head, a policy at odds with
  // itself or with the sentence's length.
  Quantized(const FloatSource& source, const Reference& reference, const Policy& policy);
  const HeadCodes& head(int layer, int kv_head) const {
    return heads_[static_cast<std::size_t>(layer * shape_.kv_heads + kv_head)];
  }
  // To put other codes under the same scales: decode_image (golden/layout.h), tests.
  HeadCodes& codes(int layer, int kv_head) {
    return heads_[static_cast<std::size_t>(layer * shape_.kv_heads + kv_head)];
  }
  const Shape& shape() const { return shape_; }
  const Policy& policy() const { return policy_; }
  const Decisions& decisions() const { return decisions_; }
  const Digits& digits() const { return decisions_.digits; }

 private:
  Shape shape_;
  Policy policy_;
  Decisions decisions_;
  std::vector<HeadCodes> heads_;
};

}  // namespace winnow::golden
