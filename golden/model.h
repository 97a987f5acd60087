#pragma once
// What golden is fed: a model's shape and its float queries, keys and values, from any source.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace winnow::golden {

struct KeyBasis;  // golden/basis.h

// What a source says of its heads beside their values, for policies that ask (traces/README.md). Each is empty where it
// does not say.
struct HeadTensors {
  std::vector<float> scores;       // [layer][KV head] how much it looks far back, as measured on other text
  std::vector<float> distances;    // [layer][KV head] of its output from its layer's mean, at the prompt's last token
  std::vector<float> weights;      // [layer][query head][token] of its output, 0..1
  std::vector<std::uint8_t> mask;  // [layer][KV head][generation step][token] 1: the step sees the token
  std::vector<std::int32_t> clusters;         // [layer][KV head][token] where a token's key and query belong
  std::shared_ptr<const KeyBasis> key_basis;  // of every KV head's keys, as measured on other text; or nullptr
};

struct Shape {
  int layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  int tokens = 0, prompt = 0;  // positions in all; of them prompt
  bool causal = false;
  double attention_scale = 0;
  std::shared_ptr<const HeadTensors> tensors = std::make_shared<const HeadTensors>();
  int group() const { return heads / kv_heads; }
  int steps() const { return 1 + tokens - prompt; }  // step 0 is the prompt, then one a generated token
  // Tokens so far in a step, the step's own included.
  int tokens_in(int step) const { return prompt + step; }
  // Where a KV head's, a query head's entry stands in a tensor of heads.
  std::size_t kv_index(int layer, int kv_head) const { return static_cast<std::size_t>(layer * kv_heads + kv_head); }
  std::size_t head_index(int layer, int head) const { return static_cast<std::size_t>(layer * heads + head); }
};

// dst[tokens][D], float32; q(layer, query head), k and v(layer, KV head).
struct FloatSource {
  Shape shape;
  std::function<void(int layer, int head, float* dst)> q, k, v;
};

}  // namespace winnow::golden
