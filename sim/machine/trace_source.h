#pragma once
// Plans from a trace: live tokens and heads as the cascade's engines chose them by the schedule's rules, addresses from
// the layout, scales from the quantizer. What lies outside the range of layers and steps is computed by golden,
// untimed.
#include <memory>
#include <vector>

#include "golden/policies/schedule.h"
#include "golden/walk.h"
#include "models/controller/plan.h"
#include "models/memories/importance_memory.h"

namespace winnow {

// Inclusive; last < 0: to the end.
struct RunRange {
  int first_layer = 0, last_layer = -1, first_step = 0, last_step = -1;
};

class TraceSource : public PlanSource {
 public:
  // `walk` is golden's, which the checker advances over the layers of the range; this advances it over the others.
  // `sequence`: its place in the batch.
  TraceSource(const golden::Quantized& model, const golden::Layout& layout, golden::Walk& walk,
              ImportanceMemory& importance, RunRange range, int sequence = 0);

  bool more() const override { return step_ <= range_.last_step; }
  bool needs_previous() const override;
  bool begins_step() const override { return layer_ == 0 && step_ > 0; }
  bool renews() const override { return begins_step() && schedule_.full_step(step_); }
  bool reloads() const override { return reload_; }
  void reload() override;
  std::vector<std::uint32_t> joining() override;
  std::vector<Choice> choices(int round) override;
  LayerPlan plan(const std::vector<std::vector<std::uint32_t>>& kept) override;

 private:
  // Tokens of layer_ that stay by their places, of a KV head.
  bool by_place(int kv_head) const { return per_head_ && schedule_.tokens(step_, layer_, kv_head).by_place; }
  Choice choice(std::uint32_t k, const std::vector<std::uint32_t>& from, ListSource::From where) const;

  const golden::Quantized& model_;
  const golden::Layout& layout_;
  golden::Walk& walk_;
  ImportanceMemory& importance_;
  golden::Shape shape_;
  golden::Schedule schedule_;
  RunRange range_;
  bool per_head_;
  int sequence_;
  int step_, layer_;
  bool reload_ = true;
  std::vector<std::uint32_t> live_, live_heads_;
  // Where the machine has these lists when the next layer begins.
  ListSource::From live_from_ = ListSource::From::everyone, heads_from_ = ListSource::From::everyone;
  std::vector<std::vector<std::uint32_t>> per_head_live_;  // scope kv_head: [KV head], of the next layer
  std::vector<int> asked_;  // what each choice of the rounds is about: KV head, -1 tokens, -2 heads
};

}  // namespace winnow
