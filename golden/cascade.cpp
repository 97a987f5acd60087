#include "golden/cascade.h"

#include <algorithm>

#include "golden/select.h"

namespace winnow::golden {
namespace {

void keep_largest(std::vector<std::uint32_t>& list, const std::vector<std::uint64_t>& items, std::uint32_t k) {
  std::vector<std::uint32_t> places;
  select_count(std::span<const std::uint64_t>(items), k, places);
  keep_places(list, places);
}

}  // namespace

Cascade::Cascade(const Shape& shape, const Policy& policy)
    : shape_(shape),
      schedule_{shape, policy},
      decay_shift_(decisions_of(policy, shape).decay_shift),
      per_head_(schedule_.per_kv_head()),
      importance_per_head_(schedule_.importance_per_head()) {
  const auto n = static_cast<std::size_t>(shape.tokens);
  const auto lists = static_cast<std::size_t>(shape.layers * shape.kv_heads);
  importance_.assign(importance_per_head_ ? lists * n : n, 0);
  chances_.assign(n, 0);
  head_importance_.assign(static_cast<std::size_t>(shape.heads), 0);
  if (per_head_) live_per_head_.resize(lists);
}

void Cascade::begin_step(int step) {
  step_ = step;
  schedule_.begin_step(step, live_, live_heads_);
  if (schedule_.full_step(step))
    std::fill(importance_.begin(), importance_.end(), 0);
  else if (step > 0)
    for (auto& x : importance_) x = decayed(x, decay_shift_);
  if (per_head_)
    for (int layer = 0; layer < shape_.layers; ++layer)
      for (int kv = 0; kv < shape_.kv_heads; ++kv) {
        auto& list = live_per_head_[static_cast<std::size_t>(layer * shape_.kv_heads + kv)];
        list = live_;
        choose_tokens(list, layer, kv);
      }
}

const std::vector<std::uint32_t>& Cascade::live(int layer, int kv_head) const {
  return per_head_ ? live_per_head_[static_cast<std::size_t>(layer * shape_.kv_heads + kv_head)] : live_;
}

std::uint32_t Cascade::heads(int kv_head) const { return head_bits(live_heads_, shape_.group(), kv_head); }

void Cascade::choose_tokens(std::vector<std::uint32_t>& list, int layer, int kv_head) const {
  const TokenChoice choice = schedule_.tokens(step_, layer, kv_head);
  if (choice.keep >= list.size()) return;
  if (choice.by_place)
    list = schedule_.placed(step_, layer, kv_head);
  else
    keep_largest(list, token_items(choice, list, &importance_[importance_base(layer, kv_head)], chances_.data()),
                 choice.keep);
}

void Cascade::end_layer(int layer) {
  if (layer + 1 >= shape_.layers) return;
  if (!per_head_) choose_tokens(live_, layer + 1, 0);
  const std::uint32_t k = schedule_.heads(layer + 1);
  if (k < live_heads_.size()) keep_largest(live_heads_, head_items(live_heads_, head_importance_), k);
}

}  // namespace winnow::golden
