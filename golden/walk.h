#pragma once
// Golden's walk over a trace: steps, layers, KV heads, queries, in the machine's order, with cascade state. One call,
// one layer of one step.
#include <cstdint>
#include <optional>
#include <vector>

#include "golden/access.h"
#include "golden/attention.h"
#include "golden/cascade.h"
#include "golden/layout.h"
#include "golden/pages.h"

namespace winnow::golden {

// One (query position, KV head), as far as it is kept for comparison.
struct RowRecord {
  std::uint32_t position = 0;
  std::uint16_t kv_head = 0;
  GroupRow row;
};

// Squared errors against the float reference.
struct ErrorSums {
  double difference = 0, reference = 0;          // kept outputs
  double difference_all = 0, reference_all = 0;  // pruned queries and heads count with output 0
  std::vector<float> rows;                       // relative error of every kept (query, head) row
};

struct LayerResult {
  int step = 0, layer = 0, tokens = 0;   // tokens so far
  std::vector<std::uint32_t> positions;  // query positions that ran
  std::vector<std::vector<std::uint32_t>>
      live;                          // [KV head] live tokens, and a merged one; of a page stage, those that it left
  std::vector<std::uint32_t> heads;  // [KV head] live query heads, a bit each
  std::vector<std::int16_t> out;     // [position index][head][D]
  std::vector<RowRecord> rows;       // of steps that select or prune, KV heads in order
  Accesses accesses;
  std::uint64_t row_heads = 0, flat = 0;        // (query, head) pairs; of them flat on MSBs
  std::uint64_t row_groups = 0, refetched = 0;  // (query, KV head) pairs; of them refetched
  // Tokens offered to, left by selection, with V, summed over pairs.
  std::uint64_t keys_seen = 0, survivors = 0, values = 0;
  // The same a query head: keys that a greedy search left (all without one), values whose weight is not dropped.
  std::uint64_t candidates = 0, weighed = 0;
  // After the layer: cascade state and who lives next (empty after the last layer).
  std::vector<std::uint64_t> importance, head_importance;
  std::vector<std::uint32_t> next_live, next_heads;
  ErrorSums error;
};

class Walk {
 public:
  Walk(const Quantized& model, const Layout& layout, const Reference* reference);
  // Runs the next layer; false when the trace is done. `result` is overwritten.
  bool next(LayerResult& result);
  // Goes on behind the prompt as if it had run: its layers earn nobody anything. For a policy that asks for nothing
  // that they would have earned (Schedule::needs_prompt).
  void skip_prompt();
  // Cascade state before the next layer.
  const Cascade& cascade() const { return cascade_; }
  int step() const { return step_; }
  int layer() const { return layer_; }

 private:
  // Live tokens of a KV head, the merged one behind them; in a step with a page stage those that it leaves.
  const std::vector<std::uint32_t>& candidates(int kv_head, std::uint32_t heads, LayerResult& r);
  void count(const GroupRow& row, const std::vector<std::uint32_t>& live, int kv_head, std::uint32_t heads,
             int position, Accesses& a) const;
  void count_whole(const std::vector<std::uint32_t>& positions, const std::vector<std::uint32_t>& live, int kv_head,
                   std::uint32_t heads, Accesses& a) const;
  void count_basis(const std::vector<std::uint32_t>& live, int kv_head, Accesses& a) const;
  void read(Accesses& a, const Region& r, Stream stream, const std::uint32_t* list, std::size_t n) const;
  void measure(LayerResult& r) const;

  const Quantized& model_;
  const Layout& layout_;
  const Reference* reference_;
  Attention attention_;
  PageStage pages_;
  Schedule schedule_;
  Cascade cascade_;
  int step_ = 0, layer_ = 0;
  GroupRow scratch_;
  std::vector<std::uint32_t> listed_;
};

}  // namespace winnow::golden
