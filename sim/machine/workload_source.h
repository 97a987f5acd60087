#pragma once
// Plans from a shape-only workload file: one query a step; keys, values, widths and refetches as the file counts them,
// addresses of a layout of its own, no values. One row of the file is one KV head with one query head.
//
// Which tokens are kept is not in the file. A step's tokens have a random order, drawn from (seed, step); a row that
// fetches n keys, or n values, fetches the n that stand highest in it, so that all sets of a step are nested. The
// machine's own engines find them: the place in the order stands in for probabilities and for importance.
//
// The encoder form is one step whose layers are full-width plans: every query of a layer is its own position, K and V
// of a head are resident. Its order is over the longest sentence of the run; a layer of n queries has the n tokens that
// stand highest as its positions.
//
// if_topk runs the cascade's engine behind its layer, over the row's keys, or, at the end of a step, over all tokens of
// the next one, which starts over. if_rescale_previous_importance is the sweep of decay before its layer.
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "golden/model.h"
#include "models/controller/plan.h"
#include "sim/machine/trace_source.h"
#include "traces/workload.h"

namespace winnow {

// What the machine asks of a workload beyond the format; throws Error `file: line N: column: value: rule`.
void require_runnable(const Workload& workload);

// One layer of one step that has rows: rows [first, end) of the file.
struct WorkloadLayer {
  int step = 0, layer = 0;
  std::size_t first = 0, end = 0;
  bool in_range = true;
  bool follows = false;      // the layer before is the file's, and in range
  bool begins_step = false;  // no row of the same step before it
};

// The place of each of a step's tokens in its random order: a permutation of 0..length-1, the highest kept longest.
std::vector<std::uint32_t> token_order(std::uint64_t seed, int step, int length);
// Tokens that the order of a layer's step is over.
int order_length(const Workload& workload, const WorkloadLayer& layer);
// The `count` tokens that stand highest, ascending.
std::vector<std::uint32_t> highest(const std::vector<std::uint32_t>& order, int count);

// Query positions of a layer, ascending: the step's newest token, or the layer's tokens in the encoder form.
std::vector<std::uint32_t> positions_of(const Workload& workload, const WorkloadLayer& layer,
                                        const std::vector<std::uint32_t>& order);
std::vector<WorkloadLayer> layers_of(const Workload& workload, const RunRange& range);

// Where everything lies: each head of each layer has its planes of K, its V and its queries, each layer its outputs.
// A region takes its widest row; rows of fewer bits are packed from its start.
class WorkloadLayout {
 public:
  // `align` bytes: channels * interleave of the memory.
  WorkloadLayout(const Workload& workload, const std::vector<WorkloadLayer>& layers, std::uint64_t align);

  golden::Region key(const WorkloadRow& row) const;
  golden::Region refetch(const WorkloadRow& row) const;
  golden::Region value(const WorkloadRow& row) const;
  golden::Region query(const WorkloadRow& row) const;
  golden::Region out(int layer) const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Head {
    std::array<int, 4> bits{};  // widest: K, K refetched, V, query
    std::array<std::uint64_t, 4> base{};
  };
  golden::Region region(const WorkloadRow& row, std::size_t kind, int bits) const;

  std::uint32_t head_dim_, tokens_;
  std::map<std::pair<int, int>, Head> heads_;  // (layer, head)
  std::map<int, golden::Region> out_;
  std::uint64_t bytes_ = 0;
};

// Shape and plan that a machine is built with for a workload.
golden::Shape shape_of(const Workload& workload);
golden::Decisions decisions_of(const Workload& workload);

class WorkloadSource : public PlanSource {
 public:
  // A choice that the cascade's engine made for a layer, beside the one that the order gives.
  using OnChoice = std::function<void(const WorkloadLayer& next, const std::vector<std::uint32_t>& kept,
                                      const std::vector<std::uint32_t>& expected)>;
  // All outlive the source.
  WorkloadSource(const Workload& workload, const std::vector<WorkloadLayer>& layers, const WorkloadLayout& layout,
                 std::uint64_t seed, OnChoice on_choice);

  bool more() const override { return next_ < layers_.size(); }
  bool needs_previous() const override;
  bool begins_step() const override;
  bool reloads() const override { return false; }
  void reload() override {}
  std::vector<std::uint32_t> joining() override { return {}; }
  std::vector<Choice> choices(int round) override;
  LayerPlan plan(const std::vector<std::vector<std::uint32_t>>& kept) override;

 private:
  const std::vector<std::uint32_t>& order(std::size_t layer);
  void skip();

  const Workload& workload_;
  const std::vector<WorkloadLayer>& layers_;
  const WorkloadLayout& layout_;
  std::uint64_t seed_;
  OnChoice on_choice_;
  std::size_t next_ = 0;
  std::vector<std::vector<std::uint32_t>> candidates_, expected_;  // tokens, of each choice of the round
  // Orders of the steps in flight: a plan ahead, a layer at work, and one more.
  static constexpr std::size_t kOrders = 4;
  std::array<std::pair<int, std::vector<std::uint32_t>>, kOrders> orders_;
  std::size_t newest_ = 0;
};

}  // namespace winnow
