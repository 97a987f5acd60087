#pragma once
// Cascade state: what tokens and heads have earned over heads, layers and generated tokens, and who lives (paper, III.A
// and III.B). The rules are the schedule's (policies/schedule.h); this keeps the sums and does the choosing.
#include <cstdint>
#include <vector>

#include "golden/model.h"
#include "golden/policies/schedule.h"

namespace winnow::golden {

class Cascade {
 public:
  Cascade(const Shape& shape, const Policy& policy);

  // Layer 0 of a step: everybody lives again, decaying importance fades, and that of a full step begins anew.
  void begin_step(int step);
  // Whether the rows of the step at hand earn tokens importance.
  bool earns() const { return schedule_.earns(step_); }
  // Tokens that live for a KV head of a layer, ascending. With scope kv_head this chooses them.
  const std::vector<std::uint32_t>& live(int layer, int kv_head) const;
  // Live query heads of a KV head's group, a bit each.
  std::uint32_t heads(int kv_head) const;

  // One query row's last probability of a token, summed over the group's live heads.
  void add_token(int layer, int kv_head, std::uint32_t token, std::uint64_t p) {
    importance_[importance_base(layer, kv_head) + token] += p;
  }
  // A token was live and visible for one more query row of the layer (importance rule `normalised`).
  void add_chance(std::uint32_t token, std::uint64_t rows) { chances_[token] += rows; }
  // Sum of |out| of a query head, times its out16.
  void add_head(int head, std::uint64_t magnitude) { head_importance_[static_cast<std::size_t>(head)] += magnitude; }
  // Chooses who lives in the layer after `layer`.
  void end_layer(int layer);

  // What a top-k engine compares; the machine's controller calls these on its own sums.
  const std::vector<std::uint64_t>& importance() const { return importance_; }  // [tokens], or [layer][KV head][tokens]
  const std::vector<std::uint64_t>& chances() const { return chances_; }
  const std::vector<std::uint64_t>& head_importance() const { return head_importance_; }
  const std::vector<std::uint32_t>& live_tokens() const { return live_; }
  const std::vector<std::uint32_t>& live_heads() const { return live_heads_; }
  std::size_t importance_base(int layer, int kv_head) const {
    return importance_per_head_ ? static_cast<std::size_t>((layer * shape_.kv_heads + kv_head) * shape_.tokens) : 0;
  }

 private:
  void choose_tokens(std::vector<std::uint32_t>& list, int layer, int kv_head) const;

  Shape shape_;
  Schedule schedule_;
  int decay_shift_;
  bool per_head_, importance_per_head_;  // a list, an importance a layer and KV head
  int step_ = 0;
  std::vector<std::uint64_t> importance_, chances_, head_importance_;
  std::vector<std::uint32_t> live_, live_heads_;
  std::vector<std::vector<std::uint32_t>> live_per_head_;  // scope kv_head: [layer * kv_heads + kv_head]
};

}  // namespace winnow::golden
