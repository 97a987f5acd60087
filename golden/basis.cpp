#include "golden/basis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "golden/error.h"

namespace winnow::golden {
namespace {

// The digits that a code of `width` bits has, the first of them what is left.
Digits channel_digits(int width, const Digits& digits) {
  Digits d;
  d.count = 0;
  for (int i = 0; i < digits.count; ++i)
    if (const int bits = channel_digit_bits(width, digits, i)) d.width[d.count++] = bits;
  return d;
}

std::int32_t channel_limit(int width, const Digits& digits) {
  return width == 0 ? 0 : largest_code(channel_digits(width, digits), MsbRule::round);
}

// Inverse of a [D][D] by elimination with the largest pivot of each column; empty where a pivot is lost in rounding.
std::vector<double> inverse(std::vector<double> a, std::size_t D) {
  std::vector<double> b(D * D, 0);
  for (std::size_t i = 0; i < D; ++i) b[i * D + i] = 1;
  for (std::size_t column = 0; column < D; ++column) {
    std::size_t pivot = column;
    double size = 0;
    for (std::size_t i = column; i < D; ++i)
      if (std::fabs(a[i * D + column]) > std::fabs(a[pivot * D + column])) pivot = i;
    for (std::size_t j = 0; j < D; ++j) size = std::max(size, std::fabs(a[pivot * D + j]));
    if (!(std::fabs(a[pivot * D + column]) > 1e-12 * size)) return {};
    for (std::size_t j = 0; j < D; ++j)
      std::swap(a[pivot * D + j], a[column * D + j]), std::swap(b[pivot * D + j], b[column * D + j]);
    const double over = 1 / a[column * D + column];
    for (std::size_t j = 0; j < D; ++j) a[column * D + j] *= over, b[column * D + j] *= over;
    for (std::size_t i = 0; i < D; ++i) {
      const double x = a[i * D + column];
      if (i == column || x == 0) continue;
      for (std::size_t j = 0; j < D; ++j) a[i * D + j] -= x * a[column * D + j], b[i * D + j] -= x * b[column * D + j];
    }
  }
  return b;
}

// Rows as words: the largest of a row is 127, or a little less, times the row's mantissa over 2^(least + its shift),
// `least` the smallest power of all rows. Only a row that is smaller than the largest by more than a shift can say has
// smaller words. Calls put(i, mantissa, shift).
template <class Put>
void cut_rows(const std::vector<double>& rows, std::size_t D, std::vector<std::int8_t>& words, int& least, Put&& put) {
  constexpr int kMost = 127, kMantissaBits = 8, kMostShift = 63;
  std::vector<int> mantissa(D), power(D);
  for (std::size_t i = 0; i < D; ++i) {
    double most = 0;
    for (std::size_t j = 0; j < D; ++j) most = std::max(most, std::fabs(rows[i * D + j]));
    int e = 0;
    mantissa[i] = static_cast<int>(std::ceil(std::ldexp(std::frexp(most / kMost, &e), kMantissaBits)));
    if (mantissa[i] >> kMantissaBits) mantissa[i] >>= 1, ++e;
    power[i] = kMantissaBits - e;
  }
  least = *std::min_element(power.begin(), power.end());
  words.resize(D * D);
  for (std::size_t i = 0; i < D; ++i) {
    const int shift = std::min(kMostShift, power[i] - least);
    for (std::size_t j = 0; j < D; ++j)
      words[i * D + j] = static_cast<std::int8_t>(std::round(std::ldexp(rows[i * D + j], least + shift) / mantissa[i]));
    put(i, static_cast<std::uint8_t>(mantissa[i]), static_cast<std::uint8_t>(shift));
  }
}

}  // namespace

ChannelWidths channel_widths(const float* range, std::size_t D, const Digits& digits) {
  std::int32_t limits[kWordBits + 1];
  for (int w = 0; w <= kWordBits; ++w) limits[w] = channel_limit(w, digits);
  // The step at which a range just fits so many bits. Where a bit adds no code, the width below it is as good.
  const auto step_of = [&](std::size_t d, int w) { return range[d] / (limits[w] + 0.5); };
  const auto width_at = [&](std::size_t d, double step) {
    int w = 0;
    while (w < kWordBits && step_of(d, w) > step) ++w;
    return w;
  };
  std::vector<double> steps;
  double least = 0;  // every range fits 12 bits
  for (std::size_t d = 0; d < D; ++d) {
    least = std::max(least, step_of(d, kWordBits));
    for (int w = 0; w <= kWordBits; ++w) steps.push_back(step_of(d, w));
  }
  std::sort(steps.begin(), steps.end());
  const auto budget = static_cast<int>(D) * digits.bits();
  const auto at = std::partition_point(steps.begin(), steps.end(), [&](double step) {
    int sum = 0;
    for (std::size_t d = 0; d < D; ++d) sum += width_at(d, step);
    return step < least || sum > budget;
  });
  ChannelWidths c;
  c.step = *at;  // at the largest of all nobody has a bit
  for (std::size_t d = 0; d < D; ++d) {
    c.width.push_back(width_at(d, c.step));
    c.limit.push_back(limits[c.width.back()]);
  }
  return c;
}

void check_basis(const std::string& name, const KeyBasis& basis, int layers, int kv_heads, int head_dim) {
  const auto D = static_cast<std::size_t>(head_dim), heads = static_cast<std::size_t>(layers * kv_heads);
  const auto fail = [&](std::size_t head, const std::string& what, const std::string& value, const char* rule) {
    throw Error(name + ": layer " + std::to_string(head / static_cast<std::size_t>(kv_heads)) + ", KV head " +
                std::to_string(head % static_cast<std::size_t>(kv_heads)) + ", " + what + ": " + value + ": " + rule);
  };
  if (basis.head_dim != D || basis.transform.size() != heads * D * D || basis.mean.size() != heads * D ||
      basis.range.size() != heads * D)
    throw Error(name + ": " + std::to_string(basis.transform.size()) + ", " + std::to_string(basis.mean.size()) +
                " and " + std::to_string(basis.range.size()) + " values: must be " + std::to_string(heads * D * D) +
                ", " + std::to_string(heads * D) + " and " + std::to_string(heads * D) + ", of " +
                std::to_string(layers) + " layers, " + std::to_string(kv_heads) + " KV heads, D " +
                std::to_string(head_dim));
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t i = 0; i < D; ++i) {
      const float mean = basis.mean[head * D + i], range = basis.range[head * D + i];
      const std::string channel = " of channel " + std::to_string(i);
      if (!std::isfinite(mean)) fail(head, "mean" + channel, std::to_string(mean), "must be finite");
      if (!std::isfinite(range) || range < 0)
        fail(head, "range" + channel, std::to_string(range), "must be finite, at least 0");
      for (std::size_t j = 0; j < D; ++j)
        if (const float x = basis.row(head, i)[j]; !std::isfinite(x))
          fail(head, "transform[" + std::to_string(i) + ", " + std::to_string(j) + "]", std::to_string(x),
               "must be finite");
    }
    const float* of = basis.row(head, 0);
    if (inverse(std::vector<double>(of, of + D * D), D).empty())
      fail(head, "transform", "its rows depend on each other", "must have an inverse");
  }
}

KeyTables basis_tables(const KeyBasis& basis, std::size_t head, const ChannelWidths& widths) {
  const std::size_t D = basis.head_dim;
  KeyTables t;
  t.channel.resize(D);
  const float* of = basis.row(head, 0);
  int least = 0;
  cut_rows(std::vector<double>(of, of + D * D), D, t.key, least, [&](std::size_t i, auto mantissa, auto shift) {
    t.channel[i].key_mantissa = mantissa, t.channel[i].key_shift = shift;
  });
  t.key_unit = std::ldexp(1.0, -least);
  std::vector<double> rows(D * D);
  for (std::size_t i = 0; i < D; ++i)
    for (std::size_t j = 0; j < D; ++j)
      rows[i * D + j] =
          std::ldexp(double{1} * t.key[i * D + j] * t.channel[i].key_mantissa, -least - t.channel[i].key_shift);
  const std::vector<double> back = inverse(rows, D);
  if (back.empty())
    throw Error("basis: KV head " + std::to_string(head) +
                " of the model: transform: must have an inverse where its words have 8 bits");
  for (std::size_t i = 0; i < D; ++i)
    for (std::size_t j = 0; j < D; ++j) rows[i * D + j] = back[j * D + i];
  cut_rows(rows, D, t.query, least, [&](std::size_t i, auto mantissa, auto shift) {
    t.channel[i].query_mantissa = mantissa, t.channel[i].query_shift = shift;
  });
  t.query_unit = std::ldexp(1.0, -least);
  for (std::size_t i = 0; i < D; ++i) t.channel[i].width = static_cast<std::uint8_t>(widths.width[i]);
  return t;
}

void set_offsets(const KeyBasis& basis, std::size_t head, double code_unit, KeyTables& t) {
  const std::size_t D = basis.head_dim;
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < D && code_unit > 0; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < D; ++j) sum += t.key[i * D + j] * (basis.mean[head * D + j] / code_unit);
    t.channel[i].offset = static_cast<std::int32_t>(std::max(-kMost, std::min(kMost, std::round(sum))));
  }
}

void turn_query(const KeyTables& t, std::size_t g, const std::int16_t* q, std::int16_t* turned) {
  const std::size_t D = t.channel.size();
  for (std::size_t i = 0; i < D; ++i)
    turned[i] = turned_query(basis_sum(&t.query[i * D], q, D), t.to_query[g], t.channel[i]);
}

}  // namespace winnow::golden
