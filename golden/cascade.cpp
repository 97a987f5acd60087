#include "golden/cascade.h"

#include <numeric>

#include "golden/policies/rules.h"
#include "golden/select.h"

namespace winnow::golden {

Cascade::Cascade(const Shape& shape, const Policy& policy)
    : shape_(shape), policy_(policy), per_head_(policy.scope == ImportanceScope::kv_head) {
  const auto n = static_cast<std::size_t>(shape.tokens);
  const auto lists = static_cast<std::size_t>(shape.layers * shape.kv_heads);
  importance_.assign(per_head_ ? lists * n : n, 0);
  chances_.assign(n, 0);
  head_importance_.assign(static_cast<std::size_t>(shape.heads), 0);
  if (per_head_) live_per_head_.resize(lists);
}

void Cascade::begin_step(int step) {
  step_ = step;
  const int n = shape_.tokens_in(step);
  if (policy_.permanent && step > 0) {
    for (int t = shape_.tokens_in(step - 1); t < n; ++t) live_.push_back(static_cast<std::uint32_t>(t));
  } else {
    live_.resize(static_cast<std::size_t>(n));
    std::iota(live_.begin(), live_.end(), 0u);
  }
  if (!policy_.permanent || step == 0) {
    live_heads_.resize(static_cast<std::size_t>(shape_.heads));
    std::iota(live_heads_.begin(), live_heads_.end(), 0u);
  }
  if (step > 0)
    for (auto& x : importance_) x = decayed(policy_, x);
  if (per_head_)
    for (int layer = 0; layer < shape_.layers; ++layer)
      for (int kv = 0; kv < shape_.kv_heads; ++kv) {
        auto& list = live_per_head_[static_cast<std::size_t>(layer * shape_.kv_heads + kv)];
        // The prompt is read whole: nothing has been earned yet.
        list = step == 0 ? live_ : choose_tokens(live_, layer, importance_base(layer, kv));
      }
}

const std::vector<std::uint32_t>& Cascade::live(int layer, int kv_head) const {
  return per_head_ ? live_per_head_[static_cast<std::size_t>(layer * shape_.kv_heads + kv_head)] : live_;
}

std::uint32_t Cascade::heads(int kv_head) const {
  const auto G = static_cast<std::uint32_t>(shape_.group());
  std::uint32_t bits = 0;
  for (std::uint32_t h : live_heads_)
    if (h / G == static_cast<std::uint32_t>(kv_head)) bits |= 1u << (h % G);
  return bits;
}

std::vector<std::uint32_t> Cascade::choose_tokens(const std::vector<std::uint32_t>& from, int layer,
                                                  std::size_t base) const {
  const int n = shape_.tokens_in(step_);
  const auto k = static_cast<std::uint32_t>(kept_tokens(policy_, layer, shape_.layers, n, shape_.causal));
  if (k >= from.size()) return from;
  std::vector<std::uint64_t> items(from.size());
  for (std::size_t j = 0; j < from.size(); ++j)
    items[j] = ranking_item(policy_, static_cast<int>(from[j]), n, shape_.causal, importance_[base + from[j]],
                            chances_[from[j]]);
  std::vector<std::uint32_t> kept;
  select_count(std::span<const std::uint64_t>(items), k, kept);
  for (auto& x : kept) x = from[x];
  return kept;
}

void Cascade::end_layer(int layer) {
  if (layer + 1 >= shape_.layers) return;
  if (!per_head_) live_ = choose_tokens(live_, layer + 1, 0);
  const auto k = static_cast<std::uint32_t>(kept_heads(policy_, layer + 1, shape_.layers, shape_.heads));
  if (k < live_heads_.size()) {
    std::vector<std::uint64_t> items(live_heads_.size());
    for (std::size_t j = 0; j < items.size(); ++j) items[j] = head_importance_[live_heads_[j]];
    std::vector<std::uint32_t> kept;
    select_count(std::span<const std::uint64_t>(items), k, kept);
    for (auto& x : kept) x = live_heads_[x];
    live_heads_ = kept;
  }
}

}  // namespace winnow::golden
