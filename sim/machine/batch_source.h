#pragma once
// Plans of a batch: N sequences, a layer of each in turn, as serving runs them. Each has its own K and V in memory, its
// own importances and its own golden.
#include <memory>
#include <vector>

#include "sim/machine/trace_source.h"

namespace winnow {

class BatchSource : public PlanSource {
 public:
  // All run as many layers.
  explicit BatchSource(std::vector<std::unique_ptr<TraceSource>> sequences) : of_(std::move(sequences)) {}

  bool more() const override { return next().more(); }
  bool needs_previous() const override { return next().needs_previous(); }
  bool begins_step() const override { return next().begins_step(); }
  bool renews() const override { return next().renews(); }
  bool reloads() const override { return next().reloads(); }
  void reload() override { next().reload(); }
  int sequence() const override { return static_cast<int>(next_); }
  std::vector<std::uint32_t> joining() override { return next().joining(); }
  std::vector<Choice> choices(int round) override { return next().choices(round); }
  LayerPlan plan(const std::vector<std::vector<std::uint32_t>>& kept) override {
    LayerPlan plan = next().plan(kept);
    next_ = (next_ + 1) % of_.size();
    return plan;
  }

 private:
  TraceSource& next() const { return *of_[next_]; }

  std::vector<std::unique_ptr<TraceSource>> of_;
  std::size_t next_ = 0;
};

}  // namespace winnow
