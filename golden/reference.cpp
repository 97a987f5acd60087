#include "golden/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace winnow::golden {
namespace {

// exp(x) for x <= 0, relative error 2e-7; plain IEEE operations, so the same on every machine.
inline float exp_negative(float x) {
  x = std::max(x, -87.0f);
  const float k = std::floor(x * 1.44269504f + 0.5f);
  const float r = (x - k * 0.693145752f) - k * 1.42860677e-6f;
  float y = 1.0f / 5040;
  y = y * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  const std::uint32_t bits = static_cast<std::uint32_t>(static_cast<int>(k) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  return y * power;
}

}  // namespace

Reference::Reference(const FloatSource& source, int first) : shape_(source.shape) {
  const auto n = static_cast<std::size_t>(shape_.tokens), D = static_cast<std::size_t>(shape_.head_dim);
  out_.assign(static_cast<std::size_t>(shape_.layers * shape_.heads) * n * D, 0);
  prompt_max_.assign(static_cast<std::size_t>(shape_.layers * shape_.heads), 0);
  std::vector<float> q(n * D), k(n * D), v(n * D), kt(n * D), s(n);
  const float scale = static_cast<float>(shape_.attention_scale);
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int head = 0; head < shape_.heads; ++head) {
      if (head % shape_.group() == 0) {
        source.k(layer, head / shape_.group(), k.data());
        source.v(layer, head / shape_.group(), v.data());
        for (std::size_t t = 0; t < n; ++t)
          for (std::size_t d = 0; d < D; ++d) kt[d * n + t] = k[t * D + d];
      }
      source.q(layer, head, q.data());
      double largest = 0;
      for (std::size_t i = static_cast<std::size_t>(first); i < n; ++i) {
        const std::size_t keys = shape_.causal ? i + 1 : n;
        // Dimension outside, keys inside: the sum's order is fixed and the inner loop is a vector.
        std::fill_n(s.begin(), keys, 0.0f);
        for (std::size_t d = 0; d < D; ++d) {
          const float x = q[i * D + d] * scale;
          const float* row = &kt[d * n];
          for (std::size_t j = 0; j < keys; ++j) s[j] += x * row[j];
        }
        float top = s[0];
        for (std::size_t j = 1; j < keys; ++j) top = std::max(top, s[j]);
        for (std::size_t j = 0; j < keys; ++j) s[j] = exp_negative(s[j] - top);
        double sum = 0;
        for (std::size_t j = 0; j < keys; ++j) sum += s[j];
        float* out = const_cast<float*>(this->out(layer, head, static_cast<int>(i)));
        for (std::size_t j = 0; j < keys; ++j) {
          const float p = s[j];
          for (std::size_t d = 0; d < D; ++d) out[d] += p * v[j * D + d];
        }
        const float inverse = static_cast<float>(1 / sum);
        for (std::size_t d = 0; d < D; ++d) {
          out[d] *= inverse;
          if (i < static_cast<std::size_t>(shape_.prompt))
            largest = std::max(largest, std::fabs(static_cast<double>(out[d])));
        }
      }
      prompt_max_[static_cast<std::size_t>(layer * shape_.heads + head)] = largest;
    }
}

}  // namespace winnow::golden
