#include "golden/quant_head.h"

#include <algorithm>
#include <bit>
#include <cmath>

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

constexpr double kLog2E = 1.4426950408889634;

}  // namespace

HeadQuantizer::HeadQuantizer(const Shape& s, const Decisions& plan, std::size_t head, const float* k, const float* v)
    : tokens_(static_cast<std::size_t>(s.tokens)),
      prompt_(static_cast<std::size_t>(s.prompt)),
      D_(static_cast<std::size_t>(s.head_dim)),
      G_(static_cast<std::size_t>(s.group())),
      plan_(plan),
      causal_(s.causal),
      attention_scale_(s.attention_scale),
      k_limit_(largest_code(plan.digits, plan.msb)),
      v_limit_((1 << (plan.v_bits - 1)) - 1),
      k_unit_(D_),
      v_unit_(largest(v, prompt_ * D_) / v_limit_),
      q_unit_(G_) {
  if (plan.coded) {
    const KeyBasis& basis = *s.tensors->key_basis;
    widths_ = channel_widths(&basis.range[head * D_], D_, plan.digits);
    basis_ = basis_tables(basis, head, widths_);
    // Its rounding is far below a step, so it may have a query's headroom.
    const double unit = (causal_ ? kQueryHeadroom : 1.0) * largest(k, prompt_ * D_) / kQueryMax;
    std::fill(k_unit_.begin(), k_unit_.end(), unit);
    set_offsets(basis, head, unit, basis_);
    basis_.to_key = widths_.step > 0 ? to_scale(unit * basis_.key_unit / widths_.step) : Scale{};
    basis_.to_query.resize(G_), turned_unit_.resize(G_);
    return;
  }
  std::fill(k_unit_.begin(), k_unit_.end(), largest(k, prompt_ * D_) / k_limit_);
  if (!plan.channel_scales) return;
  for (std::size_t d = 0; d < D_; ++d) {
    double m = 0;
    for (std::size_t t = 0; t < prompt_; ++t) m = std::max(m, std::fabs(static_cast<double>(k[t * D_ + d])));
    k_unit_[d] = (causal_ ? kKeyChannelHeadroom : 1.0) * m / k_limit_;
  }
}

void HeadQuantizer::read_query(std::size_t g, const float* q) {
  double m = 0;
  for (std::size_t i = 0; i < prompt_ * D_; ++i)
    m = std::max(m, std::fabs(plan_.channel_scales ? q[i] * k_unit_[i % D_] : static_cast<double>(q[i])));
  const double headroom = causal_ ? kQueryHeadroom : 1.0;
  q_unit_[g] = headroom * m / kQueryMax;
  if (!plan_.coded) return;
  // The largest of a row's sum under its own scale, of the codes that it is made of.
  std::vector<std::int16_t> codes(D_);
  double most = 0;
  for (std::size_t t = 0; t < prompt_; ++t) {
    for (std::size_t d = 0; d < D_; ++d) codes[d] = code(q[t * D_ + d], q_unit_[g], kQueryMax);
    for (std::size_t i = 0; i < D_; ++i) {
      const ChannelWord& c = basis_.channel[i];
      const double sum = basis_sum(&basis_.query[i * D_], codes.data(), D_);
      most = std::max(most, std::ldexp(std::fabs(sum) * c.query_mantissa, -c.query_shift));
    }
  }
  const double largest_sum = most * basis_.query_unit * q_unit_[g];
  turned_unit_[g] = headroom * largest_sum / kQueryMax;
  basis_.to_query[g] = most > 0 ? to_scale(q_unit_[g] * basis_.query_unit / turned_unit_[g]) : Scale{};
}

void HeadQuantizer::begin(HeadCodes& c) const {
  const std::size_t n = tokens_;
  c.k_unit = plan_.coded ? widths_.step : plan_.channel_scales ? 1 : k_unit_[0];
  c.basis = basis_;
  if (plan_.coded) c.basis.first.resize(D_), c.turned.resize(n * G_ * D_);
  c.v_unit = v_unit_;
  const auto stored =
      static_cast<std::size_t>(plan_.stored_tokens(static_cast<int>(n), 1 + static_cast<int>(n - prompt_)));
  c.k.resize(stored * D_), c.v.resize(stored * D_), c.q.resize(n * G_ * D_);
  for (int i = 0; i < plan_.digits.count; ++i) c.k_digit[i].resize(stored * D_);
  if (plan_.pages.size) c.page.resize(static_cast<std::size_t>(plan_.pages.complete(static_cast<int>(n))) * D_);
  if (plan_.token_scales) c.v16.resize(stored);
  if (plan_.compensates) c.v_sum.resize((n - prompt_ + 1) * D_);
  c.to_log2.resize(G_), c.to_out.resize(G_), c.out_unit.resize(G_), c.out16.resize(G_);
  c.score_unit.resize(G_), c.q_unit = q_unit_;
  for (std::size_t g = 0; g < G_; ++g) {
    c.score_unit[g] = (plan_.coded ? turned_unit_[g] : q_unit_[g]) * c.k_unit * attention_scale_;
    c.to_log2[g] = to_scale(c.score_unit[g] * kLog2E * (1 << kLogFraction));
  }
}

void HeadQuantizer::put_key(HeadCodes& c, std::size_t token, const float* k) const {
  if (plan_.coded)
    code_in_basis(c, token, k);
  else
    for (std::size_t d = 0; d < D_; ++d) c.k[token * D_ + d] = code(k[d], k_unit_[d], k_limit_);
  split_key(c, token);
  if (plan_.pages.size && (token + 1) % static_cast<std::size_t>(plan_.pages.size) == 0) put_page(c, token);
}

// As the Q x K array makes it of a new key's 12-bit codes. Token 0, which draws a third of all attention and lies far
// from the mean, keeps 12 bits in every channel, over the smallest power of two that holds them.
void HeadQuantizer::code_in_basis(HeadCodes& c, std::size_t token, const float* k) const {
  std::vector<std::int16_t> codes(D_);
  std::vector<std::int32_t> sums(D_);
  for (std::size_t d = 0; d < D_; ++d) codes[d] = code(k[d], k_unit_[d], kQueryMax);
  for (std::size_t i = 0; i < D_; ++i) sums[i] = basis_sum(&basis_.key[i * D_], codes.data(), D_);
  if (token > 0) {
    for (std::size_t i = 0; i < D_; ++i)
      c.k[token * D_ + i] = coded_key(sums[i], basis_.to_key, basis_.channel[i], widths_.limit[i]);
    return;
  }
  const auto fits = [&](int shift) {
    for (std::size_t i = 0; i < D_; ++i)
      if (std::abs(coded_key(sums[i], basis_.to_key, basis_.channel[i], kQueryMax + 1, shift)) > kQueryMax)
        return false;
    return true;
  };
  int shift = 0;
  while (shift < kMostFirstShift && !fits(shift)) ++shift;
  c.basis.first_shift = static_cast<std::uint8_t>(shift);
  for (std::size_t i = 0; i < D_; ++i)
    c.basis.first[i] = coded_key(sums[i], basis_.to_key, basis_.channel[i], kQueryMax, shift);
}

void HeadQuantizer::split_key(HeadCodes& c, std::size_t token) const {
  for (std::size_t i = token * D_; i < (token + 1) * D_; ++i) {
    std::int32_t digit[kMaxDigits] = {};
    split(c.k[i], plan_.digits, plan_.msb, digit);
    for (int j = 0; j < plan_.digits.count; ++j) c.k_digit[j][i] = static_cast<std::int16_t>(digit[j]);
  }
}

// Whole numbers alone, so that every machine rounds alike: the keys' mean is one of codes, the values' of codes under
// their tokens' scales, cut like any other value under a scale of its own.
void HeadQuantizer::put_merged(HeadCodes& c, std::size_t step) const {
  const std::size_t n = prompt_ + step, at = tokens_ + step;
  const std::size_t first = plan_.protect_first, end = plan_.newest_from(static_cast<std::uint32_t>(n));
  if (end <= first) return;
  const auto count = static_cast<std::int64_t>(end - first);
  std::vector<std::int64_t> v_sum(D_);
  std::int64_t largest_sum = 0;
  for (std::size_t d = 0; d < D_; ++d) {
    std::int64_t k_sum = 0;
    for (std::size_t t = first; t < end; ++t) {
      k_sum += c.k[t * D_ + d];
      v_sum[d] += std::int64_t{c.v[t * D_ + d]} * (c.v16.empty() ? 65536 : c.v16[t]);
    }
    c.k[at * D_ + d] = static_cast<std::int16_t>(nearest_quotient(k_sum, count));
    largest_sum = std::max(largest_sum, std::abs(v_sum[d]));
  }
  split_key(c, at);
  const std::int64_t v16 = c.v16.empty() ? 65536 : merged_scale(largest_sum, count, v_limit_);
  if (!c.v16.empty()) c.v16[at] = static_cast<std::uint16_t>(v16);
  for (std::size_t d = 0; d < D_; ++d)
    c.v[at * D_ + d] = static_cast<std::int16_t>(merged_value(v_sum[d], count, v16, v_limit_));
}

void HeadQuantizer::put_page(HeadCodes& c, std::size_t last) const {
  const PageKeys& keys = plan_.pages;
  const auto size = static_cast<std::size_t>(keys.size), page = last / size;
  const int dropped = keys.dropped(plan_.digits.bits());
  for (std::size_t d = 0; d < D_; ++d) {
    std::int32_t sum = 0, low = c.k[last * D_ + d], high = low;
    for (std::size_t t = page * size; t <= last; ++t) {
      const std::int32_t code = c.k[t * D_ + d];
      sum += code, low = std::min(low, code), high = std::max(high, code);
    }
    const std::int32_t word = keys.bounds     ? page_bounds(low, high, dropped, keys.bits)
                              : keys.landmark ? page_mean(c.k[last * D_ + d], 0, dropped, keys.bits)
                                              : page_mean(sum, std::countr_zero(size), dropped, keys.bits);
    c.page[page * D_ + d] = static_cast<std::int16_t>(word);
  }
}

void HeadQuantizer::put_value(HeadCodes& c, std::size_t token, const float* v) const {
  double unit = v_unit_;
  if (plan_.token_scales) {
    // The code is cut with the scale that the machine multiplies with, so that rounding the scale costs nothing.
    const double own = largest(v, D_) / v_limit_;
    const double ratio = v_unit_ > 0 ? std::ceil(65536 * own / v_unit_) : 0;
    c.v16[token] = static_cast<std::uint16_t>(std::min(65535.0, ratio));
    unit = v_unit_ * c.v16[token] / 65536;
  }
  for (std::size_t d = 0; d < D_; ++d) c.v[token * D_ + d] = code(v[d], unit, v_limit_);
  if (!plan_.compensates) return;
  // The prompt's tokens add to the first sum, each later one to its own step's.
  const std::size_t step = token < prompt_ ? 0 : token - prompt_ + 1;
  for (std::size_t d = 0; d < D_; ++d) {
    const std::int32_t term = sum_term(c.v[token * D_ + d], c.v16.empty() ? 65536u : c.v16[token], plan_.v_bits);
    std::int32_t& sum = c.v_sum[step * D_ + d];
    sum = term + (step == 0 ? (token == 0 ? 0 : sum) : c.v_sum[(step - 1) * D_ + d]);
  }
}

void HeadQuantizer::put_query(HeadCodes& c, std::size_t token, std::size_t g, const float* q) const {
  for (std::size_t d = 0; d < D_; ++d) {
    const double folded = plan_.channel_scales ? q[d] * k_unit_[d] : static_cast<double>(q[d]);
    c.q[(token * G_ + g) * D_ + d] = code(folded, q_unit_[g], kQueryMax);
  }
  const std::size_t at = (token * G_ + g) * D_;
  if (plan_.coded) turn_query(c.basis, g, &c.q[at], &c.turned[at]);
}

double largest_output(const Decisions& plan, const HeadCodes& c, double reference_prompt_max) {
  // A mean of V is never above V's largest, so that V's own scale needs no headroom.
  return plan.out_by_value ? c.v_unit * ((1 << (plan.v_bits - 1)) - 1) : reference_prompt_max;
}

void set_output_scale(const Decisions& plan, bool causal, double most, double of_all, std::size_t g, HeadCodes& c) {
  c.out_unit[g] = (plan.out_by_value || !causal ? 1 : kOutHeadroom) * most / kOutMax;
  c.to_out[g] = most > 0 ? to_scale(c.v_unit / c.out_unit[g] / 4294967296.0) : Scale{};
  c.out16[g] = static_cast<std::uint16_t>(of_all > 0 ? std::min(65535.0, std::round(65536 * most / of_all)) : 0);
}

}  // namespace winnow::golden
