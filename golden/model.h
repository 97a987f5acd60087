#pragma once
// What golden is fed: a model's shape and its float queries, keys and values, from any source.
#include <functional>
#include <memory>
#include <vector>

namespace winnow::golden {

struct KeyBasis;  // golden/basis.h

struct Shape {
  int layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  int tokens = 0, prompt = 0;  // positions in all; of them prompt
  bool causal = false;
  double attention_scale = 0;
  // [layer * kv_heads + kv_head] how much a KV head looks far back, as measured on other text; empty: nobody knows.
  std::vector<float> head_scores = {};
  // The basis of every KV head's keys, as measured on other text; nullptr: nobody has.
  std::shared_ptr<const KeyBasis> key_basis = {};
  int group() const { return heads / kv_heads; }
  int steps() const { return 1 + tokens - prompt; }  // step 0 is the prompt, then one a generated token
  // Tokens so far in a step, the step's own included.
  int tokens_in(int step) const { return prompt + step; }
};

// dst[tokens][D], float32; q(layer, query head), k and v(layer, KV head).
struct FloatSource {
  Shape shape;
  std::function<void(int layer, int head, float* dst)> q, k, v;
};

}  // namespace winnow::golden
