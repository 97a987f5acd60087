#pragma once
// What a pass makes of a score: one rule for a row, set before its first score and the same for all. Golden, the
// machine's softmax and the CUDA kernels ask here, each in its own loop.
//
// in    the plan of decisions, a query head's scale, which pass it is, sums of the query's codes
// out   weight(top, score): the exponential of its distance from the row's largest, 2^20 = 1, or what stands for it
// state none
#include <cstdint>

#include "golden/num.h"
#include "golden/policies/decisions.h"

namespace winnow::golden {

struct ScoreRule {
  enum class Kind : std::uint8_t {
    exact,    // the exponential; 0 for who is further below than `span`
    octaves,  // a power of two
    bounds,   // the exponential, and at least 1 for who is not further below than `span`
    anchor,   // the same below the anchor's score, which a score may exceed
    sigmoid   // 1 / (1 + e^-x) of the score itself, 2^16 = 1: no sum, no division
  };
  Kind kind = Kind::exact;
  Scale scale;
  std::uint64_t span = kNoSpan;
  std::int64_t offset = 0;  // sigmoid: twice what unread digits add to every score
  std::int64_t bias = 0;    // sigmoid: taken from it, in log2 units

  WINNOW_HD std::uint32_t weight(std::int64_t top, std::int64_t score) const {
    switch (kind) {
      case Kind::octaves: return pow2_exponential(octave_distance(top - score, scale));
      case Kind::bounds: return exponential_in_bounds(log2_distance(top - score, scale), span);
      case Kind::anchor: return exponential_in_bounds(score < top ? log2_distance(top - score, scale) : 0, span);
      case Kind::sigmoid: return sigmoid_weight(mul_scale(2 * score + offset, scale) - bias);
      case Kind::exact: break;
    }
    return exponential_within(log2_distance(top - score, scale), span);
  }
};

// The pass over a row's digit `digit` (or, `pages`, over the keys of pages); `last`: its weights multiply V. Sums are
// of the query's codes as the pass sees them; `tokens` so far in the sentence.
WINNOW_HD inline ScoreRule score_rule(const Decisions& d, Scale to_log2, bool pages, int digit, bool last,
                                      std::int64_t query_sum, std::int64_t query_size, int tokens) {
  using Kind = ScoreRule::Kind;
  if (pages) return {Kind::exact, page_scale(to_log2)};
  if (d.sigmoid)
    return {Kind::sigmoid,
            {to_log2.mantissa, to_log2.shift + 1},
            kNoSpan,
            midpoint_twice(query_sum, d.digits, digit, d.msb),
            log2_of(static_cast<std::uint32_t>(tokens))};
  if (last) return {Kind::exact, to_log2, d.score_span};
  if (d.anchors()) return {Kind::anchor, to_log2, d.anchor_span};
  if (d.bounds) return {Kind::bounds, to_log2, d.score_span + unread_span(query_size, d.digits.below(digit), to_log2)};
  if (d.selects() && d.first_pow2 && digit == 0) return {Kind::octaves, octave_scale(to_log2)};
  return {Kind::exact, to_log2, d.score_span};
}

}  // namespace winnow::golden
