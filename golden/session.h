#pragma once
// Golden's attention inside a model: the prompt first, then one token at a time, layer by layer, while the model makes
// the next layer's queries, keys and values of what came out. A trace of such a run, walked (walk.h), gives exactly the
// decisions that were made here: codes, scales, cascade state and the walk itself are the same.
//
// in    float q, k, v: of the prompt in all layers (the constructor), then of one token a layer (step_layer)
// out   float attention outputs, and golden's LayerResult: what was decided and what was read
// state the model's codes so far, the cascade
// Two sessions share nothing, so each may run on a thread of its own.
#include <cstdint>
#include <vector>

#include "golden/quant_head.h"
#include "golden/walk.h"

namespace winnow::golden {

// Sums over layers that have run.
struct SessionTotals {
  Accesses accesses;
  std::uint64_t layers = 0;
  std::uint64_t dense_elements = 0;         // of K and V, were nothing pruned
  std::uint64_t keys = 0, tokens = 0;       // tokens offered to a query, and that there are, by KV head and query
  std::uint64_t survivors = 0, values = 0;  // of the offered: left by a selection, with V
  void add(const LayerResult& r, const Shape& shape);
};

class Session {
 public:
  // `source.shape`: tokens = prompt + the steps that may come; of the values only the prompt's rows count. Scales come
  // from them. `align`: as Layout's. Throws Error as Quantized and Layout do.
  Session(const FloatSource& source, const Policy& policy, std::uint64_t align);
  Session(const Session&) = delete;  // the walk holds references to its neighbours
  Session& operator=(const Session&) = delete;

  // The prompt is the one that the constructor was given: golden walks it, so that its tokens and heads earn what they
  // earn in a replay. Skipped where no later decision asks for that. Call it before the first step, or run the prompt
  // by prompt_layer.
  void replay_prompt();
  // The next layer of the prompt under the policy, from what this run's layers before it have made of it: q
  // [heads][prompt][D], k and v [kv_heads][prompt][D], out [heads][prompt][D]. Scales are taken anew from these values,
  // but for what a head's |out| weighs beside other layers' (out16), which stays as the constructor found it. Rows of
  // tokens and heads that are pruned are 0.
  const LayerResult& prompt_layer(const float* q, const float* k, const float* v, float* out);
  // The next layer of the step at hand, layer 0 first: q [heads][D], k and v [kv_heads][D], out [heads][D]. Throws
  // Error when the prompt has not run, or when there are no steps left.
  const LayerResult& step_layer(const float* q, const float* k, const float* v, float* out);

  const Quantized& model() const { return model_; }
  // What a head's |out| is weighed beside, from the constructor's values: a trace of a prompt that ran by prompt_layer
  // gives the same importance of heads only where it gives the same largest output.
  double largest_of_all() const { return largest_output_; }
  int step() const { return walk_.step(); }
  int layer() const { return walk_.layer(); }
  const SessionTotals& prompt_totals() const { return prompt_totals_; }  // of prompt_layer
  const SessionTotals& step_totals() const { return step_totals_; }      // of step_layer

 private:
  HeadQuantizer& quantizer(int layer, int kv) {
    return quantizers_[static_cast<std::size_t>(layer * model_.shape().kv_heads + kv)];
  }

  Reference reference_;  // empty unless the policy scales outputs by it
  Quantized model_;
  Layout layout_;
  Walk walk_;
  std::vector<HeadQuantizer> quantizers_;  // [layer * kv_heads + kv]
  double largest_output_ = 0;              // of all heads
  SessionTotals prompt_totals_, step_totals_;
  LayerResult result_;
};

}  // namespace winnow::golden
