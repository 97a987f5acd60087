#include "golden/attention.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "golden/select.h"

namespace winnow::golden {
namespace {

std::int32_t dot(const std::int16_t* a, const std::int16_t* b, int n) {
  std::int32_t sum = 0;  // kMaxHeadDim products of 23 bits fit
  for (int i = 0; i < n; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
  return sum;
}

}  // namespace

Attention::Attention(const Quantized& model) : model_(model), D_(model.shape().head_dim), G_(model.shape().group()) {
  const auto n = static_cast<std::size_t>(model.shape().tokens), G = static_cast<std::size_t>(G_);
  s_.resize(n * G), e_.resize(n * G), tokens_.resize(n), items_.resize(n);
  slots_.reserve(n), kept_.reserve(n);
  acc_.resize(static_cast<std::size_t>(D_));
}

void Attention::scores(const std::int16_t* q, const std::int16_t* k, const std::uint32_t* tokens, int n, int shift,
                       std::int64_t* s, bool add) {
  for (int j = 0; j < n; ++j) {
    const std::int64_t x =
        static_cast<std::int64_t>(dot(q, k + static_cast<std::size_t>(tokens[j]) * static_cast<std::size_t>(D_), D_)) *
        (std::int64_t{1} << shift);
    s[j] = add ? s[j] + x : x;
  }
}

void Attention::add_first_key(const HeadCodes& c, const std::int16_t* q, int shift, std::int64_t* s) const {
  if (c.basis.empty() || tokens_[0] != 0) return;
  s[0] +=
      static_cast<std::int64_t>(dot(q, c.basis.first.data(), D_)) * (std::int64_t{1} << (shift + c.basis.first_shift));
}

std::uint64_t Attention::weights(const std::int64_t* s, int n, const ScoreRule& rule, std::int64_t top,
                                 std::uint32_t* e) {
  std::uint64_t sum = 0;
  const Scale scale = rule.scale;  // for all that the compiler knows, `e` may overwrite the rule
  const std::uint64_t span = rule.span;
  if (rule.kind == ScoreRule::Kind::sigmoid) {
    for (int j = 0; j < n; ++j) sum = std::max<std::uint64_t>(sum, e[j] = rule.weight(top, s[j]));
    return sum;
  }
  if (rule.kind == ScoreRule::Kind::exact) {  // the one that most rows are made of
    for (int j = 0; j < n; ++j) sum += e[j] = exponential_within(log2_distance(top - s[j], scale), span);
    return sum;
  }
  for (int j = 0; j < n; ++j) sum += e[j] = rule.weight(top, s[j]);
  return sum;
}

const SortedColumns& Attention::columns(int layer, int kv_head, const std::uint32_t* live, int keys) {
  // A decoder's step has other keys than the one before, and a session's codes change.
  const bool known = !model_.shape().causal && layer == sorted_layer_ && kv_head == sorted_head_ &&
                     std::equal(sorted_tokens_.begin(), sorted_tokens_.end(), live, live + keys);
  if (known) return columns_;
  sorted_layer_ = layer, sorted_head_ = kv_head, sorted_tokens_.assign(live, live + keys);
  columns_.sort(model_.head(layer, kv_head).k.data(), live, keys, D_);
  return columns_;
}

void Attention::run(int layer, int kv_head, int position, const std::uint32_t* live, int keys, std::uint32_t heads,
                    bool full_width, GroupRow& row, std::uint32_t merged) {
  const HeadCodes& c = model_.head(layer, kv_head);
  const Decisions& plan = model_.decisions();
  const Digits& digits = plan.digits;
  const auto N = static_cast<std::size_t>(keys), G = static_cast<std::size_t>(G_), D = static_cast<std::size_t>(D_);
  const auto alive = [&](std::size_t g) { return (heads >> g) & 1; };
  const std::vector<std::int16_t>& queries = c.scored_queries();
  const auto query = [&](std::size_t g) { return &queries[(static_cast<std::size_t>(position) * G + g) * D]; };
  row.keys = keys, row.refetched = false, row.flat = 0, row.stages = 0;
  row.p.assign(G * N, 0), row.out.assign(G * D, 0), row.denominator.assign(G, 0);
  for (auto& s : row.survivors) s.clear();
  row.candidates.clear();

  const int tokens_so_far = std::max(model_.shape().prompt, position + 1);

  // Slots that are still in, and their tokens. Arrays s and e are compact over them.
  slots_.resize(N);
  std::iota(slots_.begin(), slots_.end(), 0u);
  std::copy_n(live, N, tokens_.begin());
  std::size_t n = N;

  std::uint64_t rest[kMaxGroup] = {};
  // Sums of a query's codes, as the pass at hand and the one before it saw them, and of their sizes.
  std::int64_t top[kMaxGroup] = {}, query_sum[kMaxGroup] = {}, sum_before[kMaxGroup] = {}, query_size[kMaxGroup] = {};
  const auto pass = [&](const std::int16_t* k, int shift, bool add) {
    for (std::size_t g = 0; g < G; ++g) {
      if (!alive(g)) continue;
      scores(query(g), k, tokens_.data(), static_cast<int>(n), shift, &s_[g * N], add);
      if (!add) add_first_key(c, query(g), 0, &s_[g * N]);
    }
  };
  const auto sum_queries = [&] {
    for (std::size_t g = 0; g < G; ++g) {
      query_sum[g] = query_size[g] = 0;
      for (std::size_t d = 0; d < D; ++d) query_sum[g] += query(g)[d], query_size[g] += std::abs(query(g)[d]);
    }
  };
  const auto crude_pass = [&](const std::int16_t* k, int shift) {
    crude_.resize(G * D);
    for (std::size_t g = 0; g < G; ++g) {
      if (!alive(g)) continue;
      std::uint32_t largest = 0;
      for (std::size_t d = 0; d < D; ++d)
        largest = std::max(largest, static_cast<std::uint32_t>(std::abs(static_cast<int>(query(g)[d]))));
      const int own = crude_shift(largest, plan.first_q_bits);
      query_sum[g] = 0;
      for (std::size_t d = 0; d < D; ++d) {
        const std::int32_t q = crude_query(query(g)[d], own, plan.first_q_bits);
        crude_[g * D + d] = static_cast<std::int16_t>(q);
        query_sum[g] += q * (1 << own);
      }
      scores(&crude_[g * D], k, tokens_.data(), static_cast<int>(n), shift + own, &s_[g * N], false);
      add_first_key(c, &crude_[g * D], own, &s_[g * N]);
    }
  };
  // Softmax of one head over its slots; weights in row.p by slot. `last`: rest joins the denominator.
  const auto softmax_of = [&](std::size_t g, const std::vector<std::uint32_t>& slots, int digit, bool last) {
    const ScoreRule rule =
        score_rule(plan, c.to_log2[g], false, digit, last, query_sum[g], query_size[g], tokens_so_far);
    const std::int64_t* scores = &s_[g * N];
    std::int64_t new_top = INT64_MIN;
    if (rule.kind == ScoreRule::Kind::anchor) {
      for (std::size_t j = 0; j < slots.size(); ++j)
        if (plan.protects(live[slots[j]], static_cast<std::uint32_t>(keys))) new_top = std::max(new_top, scores[j]);
    } else {
      new_top = *std::max_element(scores, scores + slots.size());
    }
    std::uint64_t sum = weights(scores, static_cast<int>(slots.size()), rule, new_top, &e_[g * N]);
    if (merged) sum += std::uint64_t{merged - 1} * e_[g * N + N - 1];
    if (rest[g]) {
      // Twice the maxima, midpoint constants included; the scale takes the half back.
      const std::int64_t before = 2 * top[g] + midpoint_twice(sum_before[g], digits, digit - 1, plan.msb);
      const std::int64_t now = 2 * new_top + midpoint_twice(query_sum[g], digits, digit, plan.msb);
      rest[g] = rescale_rest(rest[g], mul_scale(before - now, {c.to_log2[g].mantissa, c.to_log2[g].shift + 1}));
    }
    top[g] = new_top;
    row.denominator[g] = saturating_denominator(last ? sum + rest[g] : sum);
    if (plan.sigmoid) {
      for (std::size_t j = 0; j < slots.size(); ++j)
        row.p[g * N + slots[j]] = static_cast<std::uint16_t>(e_[g * N + j]);
      return;
    }
    const std::uint64_t recip = reciprocal(row.denominator[g]);
    for (std::size_t j = 0; j < slots.size(); ++j) {
      const std::uint32_t e = e_[g * N + j];
      const std::uint32_t weight = plan.lazy ? lazy_weight(e) : probability(e, recip);
      row.p[g * N + slots[j]] =
          static_cast<std::uint16_t>(skips_value(e, row.denominator[g], plan.skip16) ? 0 : weight);
    }
    if (merged)
      row.p[g * N + N - 1] = static_cast<std::uint16_t>(probability_of_many(e_[g * N + N - 1], merged, recip));
  };
  // Of every live head over the n slots that are still in.
  const auto softmax = [&](int digit, bool last) {
    for (std::size_t g = 0; g < G; ++g)
      if (alive(g)) softmax_of(g, slots_, digit, last);
  };

  if (plan.sigmoid) sum_queries();
  if (plan.searches(full_width, model_.shape().causal)) {
    const SortedColumns& sorted = columns(layer, kv_head, live, keys);
    row.candidates.resize(G);
    for (std::size_t g = 0; g < G; ++g) {
      if (!alive(g)) continue;
      const std::vector<std::uint32_t>& slots = row.candidates[g] =
          greedy_candidates(sorted, query(g), plan.iterations(keys));
      for (std::size_t j = 0; j < slots.size(); ++j) tokens_[j] = live[slots[j]];
      scores(query(g), c.k.data(), tokens_.data(), static_cast<int>(slots.size()), 0, &s_[g * N], false);
      softmax_of(g, slots, 0, true);
    }
  } else if (full_width || digits.count == 1) {
    pass(c.k.data(), 0, false);
    softmax(digits.count - 1, true);
  } else if (plan.decides()) {
    pass(c.k_digit[0].data(), digits.below(0), false);
    softmax(0, true);
    for (std::size_t g = 0; g < G; ++g) row.flat += alive(g) && plan.flat(row.denominator[g]);
    if (row.flat) {
      row.refetched = true;
      pass(c.k_digit[1].data(), 0, true);
      softmax(1, true);
    }
  } else {
    for (int i = 0; i < digits.count; ++i) {
      const bool last = i == digits.count - 1;
      std::copy_n(query_sum, G, sum_before);
      if (i == 0 && plan.crude_query()) {
        crude_pass(c.k_digit[0].data(), digits.below(0));
      } else {
        // What the first pass left is of no use to an exact query.
        const bool anew = i == 1 && plan.crude_query();
        if (anew) pass(c.k_digit[0].data(), digits.below(0), false);
        pass(c.k_digit[i].data(), digits.below(i), i > 0);
        if (i == 0 || anew) sum_queries();
      }
      softmax(i, last);
      if (last) break;
      // Selection score of a token: over the group's live heads the sum (mass) or the largest (count) of p.
      for (std::size_t j = 0; j < n; ++j) {
        std::uint64_t item = 0;
        for (std::size_t g = 0; g < G; ++g) {
          if (!alive(g)) continue;
          const bool stays = plan.anchors() && plan.protects(live[slots_[j]], static_cast<std::uint32_t>(keys));
          const std::uint64_t p =
              plan.bounds || plan.anchors() ? stays || e_[g * N + j] != 0 : row.p[g * N + slots_[j]];
          item = plan.largest ? std::max(item, p) : item + p;
        }
        items_[j] = item;
      }
      const std::span<const std::uint64_t> items(items_.data(), n);
      if (const SelectionStage& stage = plan.stage[i]; stage.by_mass)
        select_mass(items, stage.mu16, kept_);
      else
        select_count(items, static_cast<std::uint32_t>(stage.count(static_cast<int>(n))), kept_);
      // Exponentials of what is left out join the rest; s is compacted over the survivors.
      for (std::size_t g = 0; g < G; ++g) {
        if (!alive(g)) continue;
        std::uint64_t out = 0;
        for (std::size_t j = 0; j < n; ++j) out += e_[g * N + j];
        for (std::size_t j = 0; j < kept_.size(); ++j) {
          out -= e_[g * N + kept_[j]];
          s_[g * N + j] = s_[g * N + kept_[j]];
        }
        // rest[g] was brought to this pass's maximum by softmax().
        rest[g] = plan.rest ? saturating_denominator(rest[g] + out) : 0;
        for (std::size_t j = 0; j < n; ++j) row.p[g * N + slots_[j]] = 0;
      }
      for (std::size_t j = 0; j < kept_.size(); ++j) slots_[j] = slots_[kept_[j]], tokens_[j] = tokens_[kept_[j]];
      n = kept_.size();
      slots_.resize(n);
      row.survivors[row.stages++] = slots_;
    }
  }

  if (plan.compensates && !full_width) {
    std::uint64_t mean[kMaxGroup] = {};
    for (std::size_t g = 0; g < G; ++g)
      if (alive(g)) mean[g] = mean_left_out(rest[g], reciprocal(row.denominator[g]), static_cast<std::uint32_t>(N - n));
    row.values = slots_;
    const auto step = static_cast<std::size_t>(position - model_.shape().prompt + 1);
    weigh(c, live, heads, position, mean, &c.v_sum[step * D], row);
    return;
  }

  // Local value pruning: one top-k a KV head over the sum of its heads' probabilities.
  row.values = slots_;
  if (plan.prunes_values(full_width)) {
    const auto k = static_cast<std::uint32_t>(plan.kept_values(static_cast<int>(n)));
    if (k < n) {
      for (std::size_t j = 0; j < n; ++j) {
        items_[j] = 0;
        for (std::size_t g = 0; g < G; ++g) items_[j] += row.p[g * N + slots_[j]];
      }
      select_count(std::span<const std::uint64_t>(items_.data(), n), k, row.values);
      for (auto& v : row.values) v = slots_[v];
    }
  }
  weigh(c, live, heads, position, nullptr, nullptr, row);
}

void Attention::weigh(const HeadCodes& c, const std::uint32_t* live, std::uint32_t heads, int position,
                      const std::uint64_t* mean, const std::int32_t* sum, GroupRow& row) {
  const auto D = static_cast<std::size_t>(D_), N = static_cast<std::size_t>(row.keys);
  const int v_bits = model_.decisions().v_bits;
  const bool renormalise = model_.decisions().renormalise;
  for (std::size_t g = 0; g < static_cast<std::size_t>(G_); ++g) {
    if (!((heads >> g) & 1)) continue;
    const std::uint16_t* p = &row.p[g * N];
    const auto wide = [&](std::uint32_t slot) {
      const std::uint32_t v16 = c.v16.empty() ? 65536u : c.v16[live[slot]];
      return mean ? wide_weight_over(p[slot], mean[g], v16) : static_cast<std::int64_t>(wide_weight(p[slot], v16));
    };
    std::uint64_t largest = 0, kept = 0;
    for (std::uint32_t slot : row.values)
      largest = std::max(largest, static_cast<std::uint64_t>(std::abs(wide(slot)))), kept += p[slot];
    const int exponent = mean ? signed_exponent(largest, mean[g]) : weight_exponent(largest);
    std::fill(acc_.begin(), acc_.end(), 0);
    if (mean)
      for (std::size_t d = 0; d < D; ++d) acc_[d] = mul_scale(sum[d], sum_scale(mean[g], v_bits, exponent));
    // 64 products of 23 bits fit 32.
    std::int32_t part[kMaxHeadDim];
    for (std::size_t from = 0; from < row.values.size(); from += 64) {
      std::fill_n(part, D, 0);
      for (std::size_t j = from; j < std::min(from + 64, row.values.size()); ++j) {
        const std::uint32_t slot = row.values[j];
        const std::int32_t w =
            mean ? signed_weight12(wide(slot), exponent)
                 : static_cast<std::int32_t>(weight12(static_cast<std::uint64_t>(wide(slot)), exponent));
        if (w == 0) continue;
        const std::int16_t* v = &c.v[static_cast<std::size_t>(live[slot]) * D];
        for (std::size_t d = 0; d < D; ++d) part[d] += w * v[d];
      }
      for (std::size_t d = 0; d < D; ++d) acc_[d] += part[d];
    }
    Scale scale = model_.decisions().lazy ? mul(c.to_out[g], lazy_scale(row.denominator[g]))
                  : renormalise           ? mul(c.to_out[g], renormaliser(kept))
                                          : c.to_out[g];
    if (model_.decisions().weighs_heads)
      scale = mul(scale, head_scale(c.head_weight[static_cast<std::size_t>(position * G_) + g]));
    for (std::size_t d = 0; d < D; ++d) row.out[g * D + d] = requantize_out(acc_[d], scale, exponent);
  }
}

}  // namespace winnow::golden
