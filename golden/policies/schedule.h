#pragma once
// Who is a candidate: when everybody lives again, who chooses among whom, how many stay, who is protected, what the
// engine compares, and for which KV heads. Golden's cascade, the machine's plans and the CUDA walk all ask here; each
// then does the choosing its own way.
//
// in    a policy, a shape, and the step and layer asked about
// out   numbers, lists and items; TokenChoice and the functions marked so are for the device too
// state none: a Schedule holds what it was made of and the shares a layer, and no call changes it
// Source: paper, III.A, III.B (cascade), V.A (schedule of ratios); what it leaves open:
// docs/specification/algorithm.md.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "golden/formats.h"
#include "golden/model.h"
#include "golden/policies/decisions.h"
#include "golden/policies/policy.h"

namespace winnow::golden {

// The first layers, in which nobody is left out.
inline int free_layers(double share, int layers) {
  return share > 0 ? selected_count(share_of_ceil(share), layers) : 0;
}

// Kept shares by layer (2^28 = all): all in the first ceil(free * layers), then linear from start to end.
inline std::vector<std::uint32_t> kept_shares(const KeepSchedule& s, double free, int layers) {
  const int first = free_layers(free, layers), steps = layers - 1 - first;
  std::vector<std::uint32_t> shares(static_cast<std::size_t>(layers), kShareAll);
  for (int layer = first; layer < layers; ++layer)
    shares[static_cast<std::size_t>(layer)] =
        share_of_floor(steps <= 0 ? s.start : s.start + (s.end - s.start) * (layer - first) / steps);
  return shares;
}

// What the trace says of its KV heads, as a policy goes by it.
inline const std::vector<float>& head_measure(const Shape& shape, HeadMeasure by) {
  return by == HeadMeasure::distances ? shape.tensors->distances : shape.tensors->scores;
}
// Which KV heads are full, the first of equals before the others; [layer * kv_heads + kv_head], none without scores.
inline std::vector<std::uint8_t> full_heads(const std::vector<float>& scores, double share) {
  std::vector<std::uint8_t> full(scores.size(), 0);
  if (scores.empty() || share <= 0) return full;
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const int n = selected_count(share_of_ceil(share), static_cast<int>(scores.size()));
  for (int i = 0; i < n; ++i) full[order[static_cast<std::size_t>(i)]] = 1;
  return full;
}

struct Schedule {
  Shape shape;
  Policy policy;
  std::vector<std::uint32_t> token_shares, head_shares;  // [layer]
  std::vector<std::uint8_t> full;                        // [layer * kv_heads + kv_head]; empty: none is

  Schedule(const Shape& of, const Policy& by)
      : shape(of),
        policy(by),
        token_shares(kept_shares(by.tokens, by.tokens_free, of.layers)),
        head_shares(kept_shares(by.heads, by.heads_free, of.layers)),
        full(full_heads(head_measure(of, by.full_heads_by), by.full_heads)) {}

  // --- liveness -----------------------------------------------------------------------------------------------------

  // Whether all tokens and heads live again when a step begins; otherwise the step's new tokens join those that live.
  bool restarts(int step) const { return step == 0 || !policy.permanent; }
  std::uint32_t joins_from(int step) const {
    return restarts(step) ? 0 : static_cast<std::uint32_t>(shape.tokens_in(step - 1));
  }
  void begin_step(int step, std::vector<std::uint32_t>& tokens, std::vector<std::uint32_t>& heads) const {
    if (restarts(step)) {
      tokens.clear();
      heads.resize(static_cast<std::size_t>(shape.heads));
      std::iota(heads.begin(), heads.end(), 0u);
    }
    for (auto t = joins_from(step); t < static_cast<std::uint32_t>(shape.tokens_in(step)); ++t) tokens.push_back(t);
  }

  // --- who chooses --------------------------------------------------------------------------------------------------

  // One list of the living a layer and KV head; otherwise one for all.
  bool per_kv_head() const { return policy.scope == ImportanceScope::kv_head; }
  // An importance a layer and KV head: only where any token is ranked.
  bool importance_per_head() const { return per_kv_head() && policy.ranks_tokens(); }
  bool is_full(int layer, int kv_head) const { return !full.empty() && full[shape.kv_index(layer, kv_head)]; }
  // A generation step in which nobody is left out, so that all earn what the steps up to the next one choose by.
  bool full_step(int step) const { return step > 0 && policy.full_every && (step - 1) % policy.full_every == 0; }
  // The newest full step at a generation step; itself, if it is one.
  int last_full_step(int step) const { return step - (step - 1) % policy.full_every; }
  // Whether the rows of a step earn tokens importance.
  bool earns(int step) const { return !policy.full_every || full_step(step); }
  // Whether tokens are chosen for a layer. With one list from among those that lived in the layer before, whose first
  // layer has none before it; a KV head from among those that the step began with, whose prompt has earned nothing yet.
  bool chooses_tokens(int step, int layer) const { return per_kv_head() ? step > 0 && !full_step(step) : layer > 0; }
  bool chooses_heads(int layer) const { return layer > 0; }
  // Whether who lives in a layer of a step depends on what the layer run before it adds up.
  bool needs_previous(int step, int layer) const {
    const bool tokens = !policy.tokens.off(), heads = !policy.heads.off();
    if (layer == 0)
      return policy.permanent || (importance_per_head() && !full_step(step) && (step == 0 || earns(step - 1)));
    return (tokens && !per_kv_head()) || heads;
  }

  // Whether a decision of a step asks for what the prompt's rows have earned.
  bool needs_prompt() const { return policy.permanent || (policy.ranks_tokens() && earns(0)) || !policy.heads.off(); }

  // --- how many stay, and who for sure ------------------------------------------------------------------------------

  // The newest of n tokens that are protected. An encoder has no newest token.
  int newest_protected(int n) const {
    if (!shape.causal) return 0;
    const double share = policy.protect_newest_share;
    return std::max(policy.protect_newest, share > 0 ? kept_count(share_of_floor(share), n) : 0);
  }
  // What the schedule says for a KV head (without a list a KV head: for all), and never fewer than are protected.
  TokenChoice tokens(int step, int layer, int kv_head = 0) const {
    const int n = shape.tokens_in(step);
    // The share is one of those that the full step saw; who came since stays beside them.
    const int since = policy.full_every && step > 0 ? step - last_full_step(step) : 0;
    const int newest = std::max(newest_protected(n), since);
    TokenChoice c;
    c.normalised = policy.importance == ImportanceRule::normalised;
    c.first_end = static_cast<std::uint32_t>(policy.protect_first);
    if (newest) c.newest_from = static_cast<std::uint32_t>(newest < n ? n - newest : 0);
    // A block of which a token is protected stays whole.
    const auto block = static_cast<std::uint32_t>(policy.importance_block);
    c.block = static_cast<std::uint16_t>(block);
    c.first_end = (c.first_end + block - 1) / block * block;
    if (newest) c.newest_from = c.newest_from / block * block;
    c.shards = static_cast<std::uint16_t>(policy.shards),
    c.shard_block = static_cast<std::uint16_t>(policy.shard_block);
    if (policy.shards) c.shard = static_cast<std::uint16_t>(kv_head % policy.shards);
    c.keep = static_cast<std::uint32_t>(n);
    if (chooses_tokens(step, layer) && !is_full(layer, kv_head)) {
      if (policy.masks()) {
        c.keep = 0;
        for (std::uint32_t t = 0; t < static_cast<std::uint32_t>(n); ++t) c.keep += sees(c, step, layer, kv_head, t);
        c.by_place = true;
        return c;
      }
      const std::uint32_t share = token_shares[static_cast<std::size_t>(layer)];
      const auto ranked = static_cast<std::uint32_t>(kept_count(share, n - since) + since);
      const std::uint32_t least = c.protects(static_cast<std::uint32_t>(n));
      // Beside the protected, as many whole blocks as the share has room for.
      c.keep = least + (ranked > least ? (ranked - least) / block * block : 0);
      c.by_place = per_kv_head() && least > 0 && c.keep <= least;
    }
    return c;
  }
  // Lists and heads that follow from the trace, not from anything that was computed.
  bool masks() const { return policy.masks(); }
  bool routes(int step) const { return policy.head_weights == HeadWeights::route && step > 0; }
  // Whether a token of a step stays without being ranked: by its place, by the mask, by its cluster.
  bool sees(const TokenChoice& choice, int step, int layer, int kv_head, std::uint32_t token) const {
    if (choice.is_protected(token)) return true;
    if (!policy.masks()) return false;
    const std::size_t head = shape.kv_index(layer, kv_head), tokens = static_cast<std::size_t>(shape.tokens);
    if (policy.token_mask == TokenMask::cluster) {
      const std::int32_t* of = &shape.tensors->clusters[head * tokens];
      return of[token] == of[shape.tokens_in(step) - 1];
    }
    const std::size_t generated = static_cast<std::size_t>(shape.steps() - 1), at = static_cast<std::size_t>(step - 1);
    return shape.tensors->mask[(head * generated + at) * tokens + token] != 0;
  }
  // Of a KV head that chooses by place: who stays, ascending.
  std::vector<std::uint32_t> placed(int step, int layer, int kv_head) const {
    const TokenChoice choice = tokens(step, layer, kv_head);
    std::vector<std::uint32_t> names;
    names.reserve(choice.keep);
    for (std::uint32_t t = 0; t < static_cast<std::uint32_t>(shape.tokens_in(step)); ++t)
      if (sees(choice, step, layer, kv_head, t)) names.push_back(t);
    return names;
  }
  // How many tokens the merged one stands for; 0: there is none.
  std::uint32_t merged(int step, int layer, int kv_head) const {
    if (!policy.merge) return 0;
    const TokenChoice choice = tokens(step, layer, kv_head);
    const auto n = static_cast<std::uint32_t>(shape.tokens_in(step));
    return choice.by_place && choice.keep < n ? n - choice.keep : 0;
  }
  // Its name in a list, behind all that are tokens.
  std::uint32_t merged_token(int step) const { return static_cast<std::uint32_t>(shape.tokens + step); }
  // Pages of a step. Those with a protected token stay, as do the tokens behind the last complete page.
  PageChoice pages(int step, int layer) const {
    PageChoice c;
    const int n = shape.tokens_in(step);
    // A sentence too short to select is read whole.
    const bool whole = policy.select != SelectRule::none && n < policy.select_from;
    if (!policy.pages_tokens() || step == 0 || whole || layer < free_layers(policy.tokens_free, shape.layers)) return c;
    c.size = static_cast<std::uint32_t>(policy.pages);
    const auto newest = static_cast<std::uint32_t>(n - std::min(n, newest_protected(n)));
    c.first = (static_cast<std::uint32_t>(policy.protect_first) + c.size - 1) / c.size;
    c.end = std::max(c.first, newest / c.size);
    const std::uint32_t all = (static_cast<std::uint32_t>(n) + c.size - 1) / c.size, others = all - c.scored();
    const auto budget = static_cast<std::uint32_t>(kept_count(share_of_floor(policy.page_keep), static_cast<int>(all)));
    c.keep = std::min(c.scored(), std::max(1u, budget > others ? budget - others : 0));
    return c;
  }
  // Of a KV head's live query heads, a bit each, those that the trace routes a step's token to.
  std::uint32_t routed(int step, int layer, int kv_head, std::uint32_t heads) const {
    if (!routes(step)) return heads;
    const auto token = static_cast<std::size_t>(shape.tokens_in(step) - 1);
    for (int g = 0; g < shape.group(); ++g)
      if (!head_weight16(shape, layer, kv_head * shape.group() + g, token)) heads &= ~(1u << g);
    return heads;
  }
  // Query heads that stay.
  std::uint32_t heads(int layer) const {
    if (!chooses_heads(layer)) return static_cast<std::uint32_t>(shape.heads);
    return static_cast<std::uint32_t>(kept_count(head_shares[static_cast<std::size_t>(layer)], shape.heads));
  }
};

// --- lists ----------------------------------------------------------------------------------------------------------

// What an engine compares of a list of tokens; `importance` and `chances` by token.
inline std::vector<std::uint64_t> token_items(const TokenChoice& choice, const std::vector<std::uint32_t>& from,
                                              const std::uint64_t* importance, const std::uint64_t* chances) {
  std::vector<std::uint64_t> items;
  items.reserve(from.size());
  const std::uint32_t n = from.empty() ? 0 : from.back() + 1;
  for (std::uint32_t t : from) items.push_back(choice.item(t, choice.earned(importance, t, n), chances[t]));
  return items;
}
inline std::vector<std::uint64_t> head_items(const std::vector<std::uint32_t>& from,
                                             const std::vector<std::uint64_t>& importance) {
  std::vector<std::uint64_t> items;
  items.reserve(from.size());
  for (std::uint32_t h : from) items.push_back(importance[h]);
  return items;
}
// A list cut down to the places that an engine kept.
inline void keep_places(std::vector<std::uint32_t>& list, const std::vector<std::uint32_t>& places) {
  std::vector<std::uint32_t> kept;
  kept.reserve(places.size());
  for (std::uint32_t place : places) kept.push_back(list[place]);
  list = std::move(kept);
}
// Live query heads of a KV head's group, a bit each.
inline std::uint32_t head_bits(const std::vector<std::uint32_t>& live_heads, int group, int kv_head) {
  const auto G = static_cast<std::uint32_t>(group);
  std::uint32_t bits = 0;
  for (std::uint32_t h : live_heads)
    if (h / G == static_cast<std::uint32_t>(kv_head)) bits |= 1u << (h % G);
  return bits;
}

}  // namespace winnow::golden
