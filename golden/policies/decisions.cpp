#include "golden/policies/decisions.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "golden/error.h"
#include "golden/model.h"
#include "golden/policies/policy.h"

namespace winnow::golden {
namespace {

// The trace has the tensors that the policy goes by, for all of its heads and tokens.
void require_tensors(const Policy& p, const Shape& s) {
  const HeadTensors& have = *s.tensors;
  const auto require = [&p](const char* key, std::size_t found, const char* tensor, std::size_t needed) {
    if (found != needed)
      throw Error("policy " + p.name + ": " + key + ": the trace has " + (found ? std::to_string(found) : "no") + " " +
                  tensor + ": must have " + std::to_string(needed));
  };
  const auto lists = static_cast<std::size_t>(s.layers * s.kv_heads), tokens = static_cast<std::size_t>(s.tokens);
  if (p.full_heads > 0 && p.full_heads_by == HeadMeasure::scores)
    require("full_heads", have.scores.size(), "head_scores", lists);
  if (p.full_heads > 0 && p.full_heads_by == HeadMeasure::distances)
    require("full_heads", have.distances.size(), "head_distances", lists);
  if (p.token_mask == TokenMask::trace)
    require("token_mask", have.mask.size(), "mask entries", lists * static_cast<std::size_t>(s.steps() - 1) * tokens);
  if (p.token_mask == TokenMask::cluster) require("token_mask", have.clusters.size(), "clusters", lists * tokens);
  if (p.codes_keys() && !have.key_basis)
    throw Error("policy " + p.name + ": key_basis: trace: the trace has no basis: must have one for each KV head");
  if (p.head_weights == HeadWeights::none) return;
  const auto heads = static_cast<std::size_t>(s.layers * s.heads);
  require("head_weights", have.weights.size(), "head_weights", heads * tokens);
  // A layer in which nobody runs has no output that the next could be made of.
  for (int layer = 0; p.head_weights == HeadWeights::route && layer < s.layers; ++layer)
    for (auto t = static_cast<std::size_t>(s.prompt); t < tokens; ++t) {
      int head = 0;
      while (head < s.heads && !head_weight16(s, layer, head, t)) ++head;
      if (head == s.heads)
        throw Error("policy " + p.name + ": head_weights: layer " + std::to_string(layer) + ", token " +
                    std::to_string(t) + ": all heads have weight 0: one at least must be above");
    }
}

}  // namespace

std::uint16_t head_weight16(const Shape& s, int layer, int head, std::size_t token) {
  const float weight = s.tensors->weights[s.head_index(layer, head) * static_cast<std::size_t>(s.tokens) + token];
  return static_cast<std::uint16_t>(std::min(65535.0, std::floor(65536.0 * static_cast<double>(weight) + 0.5)));
}

Decisions decisions_of(const Policy& p, const Shape& shape) {
  validate(p);
  if (p.compensate && shape.tokens > kMaxSummedTokens)
    throw Error("policy " + p.name + ": compensate: true: the trace has " + std::to_string(shape.tokens) +
                " tokens: a sum of V holds at most " + std::to_string(kMaxSummedTokens));
  require_tensors(p, shape);
  if (p.merge && shape.tokens > kMaxMergedTokens)
    throw Error("policy " + p.name + ": merge: true: the trace has " + std::to_string(shape.tokens) +
                " tokens: a merged token stands for at most " + std::to_string(kMaxMergedTokens));
  Decisions d;
  d.digits = p.digits();
  d.msb = p.msb;
  d.channel_scales = p.k_scale == KeyScale::channel;
  d.coded = p.codes_keys(), d.basis_resident = p.basis_resident;
  d.v_bits = p.v_bits;
  d.token_scales = p.v_scale == ValueScale::token;

  if (p.pages_tokens()) {
    d.pages.size = p.pages, d.pages.bits = p.page_bits;
    d.pages.bounds = p.page_key == PageKey::bounds, d.pages.landmark = p.page_key == PageKey::landmark;
  }

  d.theta16 = static_cast<std::uint32_t>(65536 * p.threshold + 0.5);

  d.stages = p.stages();
  for (int i = 0; i < d.stages; ++i) {
    SelectionStage& s = d.stage[i];
    // By marks: all that are marked, which is the mass of the marks.
    s.by_mass = p.select != SelectRule::count;
    if (p.by_marks())
      s.mu16 = 65536;
    else if (s.by_mass)
      s.mu16 = p.mu16(i);
    else
      s.share = share_of_ceil(p.select_keep[static_cast<std::size_t>(i)]);
  }
  d.largest = p.select == SelectRule::count || p.by_marks();
  d.bounds = p.by_bounds();
  d.select_from = p.select_from;
  d.rest = p.rest;
  d.compensates = p.compensate;
  d.first_q_bits = p.first_q_bits;
  d.first_pow2 = p.first_exp == FirstExp::pow2;
  d.score_bits = selection_score_bits(shape.group());

  d.value_share = share_of_floor(p.local_value);
  d.out_by_value = p.out_scale == OutScale::value;
  d.prunes_resident = p.local_value_resident == ResidentValues::prune;
  d.renormalise = p.prunes_values() && p.renormalise;

  d.skip16 = static_cast<std::uint32_t>(65536 * p.value_threshold + 0.5);
  d.lazy = p.lazy_softmax;
  if (p.score_threshold > 0)
    (p.by_anchor() ? d.anchor_span : d.score_span) =
        static_cast<std::uint64_t>(std::floor(-std::log2(p.score_threshold) * (1 << kLogFraction)));
  d.merges = p.merge;
  if (p.by_anchor() || p.merge) {
    d.protect_first = static_cast<std::uint32_t>(p.protect_first);
    d.protect_newest = static_cast<std::uint32_t>(p.protect_newest);
    if (p.protect_newest_share > 0) d.protect_newest_share = share_of_floor(p.protect_newest_share);
  }
  d.weighs_heads = p.head_weights != HeadWeights::none;
  d.sigmoid = p.weights == RowWeights::sigmoid;
  if (p.searches()) d.search_share = share_of_floor(p.candidates);

  d.prunes_tokens = !p.tokens.off(), d.prunes_heads = !p.heads.off();
  d.per_kv_head = p.scope == ImportanceScope::kv_head, d.ranks_tokens = p.ranks_tokens();
  d.decay_shift = p.importance == ImportanceRule::decay ? p.decay_shift : 0;
  d.normalised = p.importance == ImportanceRule::normalised;
  d.renews = p.full_every > 0;
  return d;
}

void require_effect(const Policy& p, const Shape& shape) {
  if (p.pages_tokens() && shape.steps() == 1)
    throw Error("policy " + p.name + ": pages: " + std::to_string(p.pages) +
                ": the trace has a prompt alone: pages are chosen in generation steps");
  if (p.scope == ImportanceScope::kv_head && !p.tokens.off() && shape.steps() == 1)
    throw Error("policy " + p.name +
                ": scope: kv_head: the trace has a prompt alone: KV heads choose their tokens in generation steps");
  if (p.full_every && shape.steps() == 2)
    throw Error("policy " + p.name + ": full_every: " + std::to_string(p.full_every) +
                ": the trace has one generation step: it sees all tokens");
}

}  // namespace winnow::golden
