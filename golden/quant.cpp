#include "golden/quant.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "golden/error.h"
#include "golden/quant_head.h"

namespace winnow::golden {
namespace {

// What the integers hold: a dot product of 256 products of 23 bits in 32, a group's live heads in 32 bits.
void check(const Shape& s) {
  if (s.head_dim < 8 || s.head_dim > kMaxHeadDim || s.head_dim % 8 != 0)
    throw Error("trace: head_dim: " + std::to_string(s.head_dim) + ": must be a multiple of 8, at most " +
                std::to_string(kMaxHeadDim));
  if (s.group() > kMaxGroup)
    throw Error("trace: heads: " + std::to_string(s.group()) + " query heads a KV head: at most " +
                std::to_string(kMaxGroup));
}

}  // namespace

Scale to_scale(double x) {
  if (!(x > 0)) return {};
  int exponent = 0;
  const double m = std::frexp(x, &exponent);  // in [0.5, 1)
  double mantissa = std::round(m * 65536);
  if (mantissa > 65535) mantissa = 32768, ++exponent;
  return {static_cast<std::uint32_t>(mantissa), 16 - exponent};
}

Quantized::Quantized(const FloatSource& source, const Reference& reference, const Policy& policy)
    : shape_(source.shape), policy_(policy), decisions_(decisions_of(policy, source.shape)) {
  check(shape_);
  const auto n = static_cast<std::size_t>(shape_.tokens), D = static_cast<std::size_t>(shape_.head_dim);
  const auto G = static_cast<std::size_t>(shape_.group());

  std::vector<float> q(n * D), k(n * D), v(n * D);
  heads_.resize(static_cast<std::size_t>(shape_.layers * shape_.kv_heads));
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int kv = 0; kv < shape_.kv_heads; ++kv) {
      HeadCodes& c = codes(layer, kv);
      source.k(layer, kv, k.data());
      source.v(layer, kv, v.data());
      HeadQuantizer quantizer(shape_, decisions_, shape_.kv_index(layer, kv), k.data(), v.data());
      const auto read = [&](std::size_t g) { source.q(layer, kv * shape_.group() + static_cast<int>(g), q.data()); };
      for (std::size_t g = 0; g < G; ++g) read(g), quantizer.read_query(g, q.data());
      quantizer.begin(c);
      for (std::size_t t = 0; t < n; ++t) quantizer.put_key(c, t, &k[t * D]), quantizer.put_value(c, t, &v[t * D]);
      for (std::size_t step = 1; decisions_.merges && step < static_cast<std::size_t>(shape_.steps()); ++step)
        quantizer.put_merged(c, step);
      for (std::size_t g = 0; g < G; ++g) {
        if (G > 1) read(g);
        for (std::size_t t = 0; t < n; ++t) quantizer.put_query(c, t, g, &q[t * D]);
        if (!decisions_.weighs_heads) continue;
        c.head_weight.resize(n * G);
        for (std::size_t t = 0; t < n; ++t)
          c.head_weight[t * G + g] = head_weight16(shape_, layer, kv * shape_.group() + static_cast<int>(g), t);
      }
    }

  const auto most = [&](int layer, int head) {
    const double measured = decisions_.out_by_value ? 0 : reference.prompt_max(layer, head);
    return largest_output(decisions_, this->head(layer, head / shape_.group()), measured);
  };
  double of_all = 0;
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int head = 0; head < shape_.heads; ++head) of_all = std::max(of_all, most(layer, head));
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int head = 0; head < shape_.heads; ++head)
      set_output_scale(decisions_, shape_.causal, most(layer, head), of_all, static_cast<std::size_t>(head) % G,
                       codes(layer, head / shape_.group()));
}

}  // namespace winnow::golden
