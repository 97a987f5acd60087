#include "golden/quant.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "golden/error.h"

namespace winnow::golden {
namespace {

// Round half away from zero, clamped to +-limit. A zero unit stands for a tensor of zeros.
std::int16_t code(double x, double unit, std::int32_t limit) {
  if (unit == 0) return 0;
  const double r = std::round(x / unit);
  return static_cast<std::int16_t>(r > limit ? limit : r < -limit ? -limit : r);
}

double largest(const float* x, std::size_t n) {
  double m = 0;
  for (std::size_t i = 0; i < n; ++i) m = std::max(m, std::fabs(static_cast<double>(x[i])));
  return m;
}

// What the integers hold: a dot product of 256 products of 23 bits in 32, a group's live heads in 32 bits.
void check(const Shape& s) {
  if (s.head_dim < 8 || s.head_dim > kMaxHeadDim || s.head_dim % 8 != 0)
    throw Error("trace: head_dim: " + std::to_string(s.head_dim) + ": must be a multiple of 8, at most " +
                std::to_string(kMaxHeadDim));
  if (s.group() > kMaxGroup)
    throw Error("trace: heads: " + std::to_string(s.group()) + " query heads a KV head: at most " +
                std::to_string(kMaxGroup));
}

constexpr double kLog2E = 1.4426950408889634;

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
  const auto prompt = static_cast<std::size_t>(shape_.prompt), G = static_cast<std::size_t>(shape_.group());
  const Decisions& plan = decisions_;
  const std::int32_t k_limit = largest_code(plan.digits, plan.msb), v_limit = (1 << (plan.v_bits - 1)) - 1;

  const auto headroom = [&](double x) { return shape_.causal ? x : 1.0; };

  std::vector<float> q(n * D), k(n * D), v(n * D);
  heads_.resize(static_cast<std::size_t>(shape_.layers * shape_.kv_heads));
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int kv = 0; kv < shape_.kv_heads; ++kv) {
      HeadCodes& c = heads_[static_cast<std::size_t>(layer * shape_.kv_heads + kv)];
      source.k(layer, kv, k.data());
      source.v(layer, kv, v.data());

      std::vector<double> k_unit(D, largest(k.data(), prompt * D) / k_limit);
      c.k_unit = k_unit[0];
      if (plan.channel_scales) {
        for (std::size_t d = 0; d < D; ++d) {
          double m = 0;
          for (std::size_t t = 0; t < prompt; ++t) m = std::max(m, std::fabs(static_cast<double>(k[t * D + d])));
          k_unit[d] = headroom(kKeyChannelHeadroom) * m / k_limit;
        }
        c.k_unit = 1;
      }
      c.k.resize(n * D);
      for (int i = 0; i < plan.digits.count; ++i) c.k_digit[i].resize(n * D);
      for (std::size_t i = 0; i < n * D; ++i) {
        c.k[i] = code(k[i], k_unit[i % D], k_limit);
        std::int32_t digit[kMaxDigits] = {};
        split(c.k[i], plan.digits, plan.msb, digit);
        for (int j = 0; j < plan.digits.count; ++j) c.k_digit[j][i] = static_cast<std::int16_t>(digit[j]);
      }

      c.v.resize(n * D);
      c.v_unit = largest(v.data(), prompt * D) / v_limit;
      if (!plan.token_scales) {
        for (std::size_t i = 0; i < n * D; ++i) c.v[i] = code(v[i], c.v_unit, v_limit);
      } else {
        c.v16.resize(n);
        for (std::size_t t = 0; t < n; ++t) {
          // The code is cut with the scale that the machine multiplies with, so that rounding the scale costs nothing.
          const double own = largest(&v[t * D], D) / v_limit;
          const double ratio = c.v_unit > 0 ? std::ceil(65536 * own / c.v_unit) : 0;
          c.v16[t] = static_cast<std::uint16_t>(std::min(65535.0, ratio));
          const double unit = c.v_unit * c.v16[t] / 65536;
          for (std::size_t d = 0; d < D; ++d) c.v[t * D + d] = code(v[t * D + d], unit, v_limit);
        }
      }

      if (plan.compensates) {
        std::vector<std::int32_t> sum(D);
        for (std::size_t t = 0; t < n; ++t) {
          for (std::size_t d = 0; d < D; ++d)
            sum[d] += sum_term(c.v[t * D + d], c.v16.empty() ? 65536u : c.v16[t], plan.v_bits);
          if (t + 1 >= prompt) c.v_sum.insert(c.v_sum.end(), sum.begin(), sum.end());
        }
      }

      c.q.resize(n * G * D);
      c.to_log2.resize(G), c.to_out.resize(G), c.out_unit.resize(G), c.out16.resize(G);
      c.score_unit.resize(G), c.q_unit.resize(G);
      for (std::size_t g = 0; g < G; ++g) {
        const int head = kv * static_cast<int>(G) + static_cast<int>(g);
        source.q(layer, head, q.data());
        const auto folded = [&](std::size_t i) {
          return plan.channel_scales ? q[i] * k_unit[i % D] : static_cast<double>(q[i]);
        };
        double m = 0;
        for (std::size_t i = 0; i < prompt * D; ++i) m = std::max(m, std::fabs(folded(i)));
        const double q_unit = c.q_unit[g] = headroom(kQueryHeadroom) * m / kQueryMax;
        for (std::size_t t = 0; t < n; ++t)
          for (std::size_t d = 0; d < D; ++d) c.q[(t * G + g) * D + d] = code(folded(t * D + d), q_unit, kQueryMax);
        c.score_unit[g] = q_unit * c.k_unit * shape_.attention_scale;
        c.to_log2[g] = to_scale(c.score_unit[g] * kLog2E * (1 << kLogFraction));
      }
    }

  // Outputs: a mean of V is never above V's largest, so that V's own scale needs no headroom.
  const auto out_max = [&](int layer, int head) {
    const HeadCodes& c = heads_[static_cast<std::size_t>(layer * shape_.kv_heads + head / shape_.group())];
    return plan.out_by_value ? c.v_unit * v_limit : static_cast<double>(reference.prompt_max(layer, head));
  };
  double out_largest = 0;
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int head = 0; head < shape_.heads; ++head) out_largest = std::max(out_largest, out_max(layer, head));
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int head = 0; head < shape_.heads; ++head) {
      HeadCodes& c = heads_[static_cast<std::size_t>(layer * shape_.kv_heads + head / shape_.group())];
      const std::size_t g = static_cast<std::size_t>(head % shape_.group());
      const double most = out_max(layer, head);
      c.out_unit[g] = (plan.out_by_value ? 1 : headroom(kOutHeadroom)) * most / kOutMax;
      c.to_out[g] = most > 0 ? to_scale(c.v_unit / c.out_unit[g] / 4294967296.0) : Scale{};
      c.out16[g] =
          static_cast<std::uint16_t>(out_largest > 0 ? std::min(65535.0, std::round(65536 * most / out_largest)) : 0);
    }
}

}  // namespace winnow::golden
