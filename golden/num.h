#pragma once
// The machine's arithmetic, defined once: fixed point, rounding, saturation, base-2 exponent, reciprocal.
// SystemC blocks and CUDA kernels call these functions; RTL is written from the definitions in the comments.
// Everything here is integer, and defined for every input within the range its comment names.
#include <cstdint>

#include "golden/formats.h"

namespace winnow::golden {

// Fraction bits of a score in log2 units, of an exponential (1.0 = 2^20), of a probability (65536 = 1).
inline constexpr int kLogFraction = 12;
inline constexpr int kExpFraction = 20;
inline constexpr std::uint32_t kExpOne = 1u << kExpFraction;
inline constexpr std::uint32_t kProbMax = (1u << kProbabilityBits) - 1;
// The softmax denominator saturates at 40 bits: 2^20 exponentials of 1.0.
inline constexpr std::uint64_t kDenominatorMax = (std::uint64_t{1} << 40) - 1;
inline constexpr int kOutMax = (1 << (kWordBits - 1)) - 1;    // symmetric
inline constexpr int kQueryMax = (1 << (kWordBits - 1)) - 1;  // symmetric
inline constexpr int kWeightBits = kWordBits;                 // unsigned P x V weights

WINNOW_HD constexpr int bit_length(std::uint64_t x) {
  int n = 0;
  for (int step = 32; step; step >>= 1)
    if (x >> step) x >>= step, n += step;
  return n + (x != 0);
}

// A positive real as mantissa * 2^-shift, mantissa 16 bits with the top bit set (0 = zero). What hardware keeps for a
// scale: one 16-bit multiplier and a shifter.
struct Scale {
  std::uint32_t mantissa = 0;
  int shift = 0;
};

// x * s, rounded to nearest, ties up. |x| < 2^46.
WINNOW_HD constexpr std::int64_t mul_scale(std::int64_t x, Scale s) {
  const std::int64_t product = x * static_cast<std::int64_t>(s.mantissa);
  if (s.shift <= 0) {
    // Saturate instead of shifting into the sign: hardware has 63 bits here.
    const int left = -s.shift;
    if (product == 0) return 0;
    const std::uint64_t mag = product < 0 ? -static_cast<std::uint64_t>(product) : static_cast<std::uint64_t>(product);
    if (left >= 62 || bit_length(mag) + left > 62)
      return product < 0 ? -(std::int64_t{1} << 62) : (std::int64_t{1} << 62);
    return product < 0 ? -static_cast<std::int64_t>(mag << left) : static_cast<std::int64_t>(mag << left);
  }
  if (s.shift >= 63) return 0;
  return (product + (std::int64_t{1} << (s.shift - 1))) >> s.shift;
}

// Product of two scales; the mantissa is truncated to 16 bits.
WINNOW_HD constexpr Scale mul(Scale a, Scale b) {
  if (!a.mantissa || !b.mantissa) return {};
  const std::uint64_t m = static_cast<std::uint64_t>(a.mantissa) * b.mantissa;  // in [2^30, 2^32)
  const int drop = (m >> 31) ? 16 : 15;
  return {static_cast<std::uint32_t>(m >> drop), a.shift + b.shift - drop};
}

// 65536 / sum as a scale: the factor that renormalises a row whose kept probabilities add up to `sum` (65536 = 1).
WINNOW_HD constexpr Scale renormaliser(std::uint64_t sum) {
  if (sum == 0) return {};
  const int n = bit_length(sum);
  std::uint64_t m = (std::uint64_t{1} << (n + 15)) / sum;  // in (2^15, 2^16]
  if (m > 65535) m = 65535;
  return {static_cast<std::uint32_t>(m), n - 1};
}

// 2^(20 - i/64), rounded to nearest, i = 0..64.
inline constexpr int kExpTableBits = 6;
#ifdef __CUDACC__
__device__ __constant__ const std::uint32_t kExpTableDevice[65] = {
#include "golden/exp2_table.inc"
};
#endif
inline constexpr std::uint32_t kExpTable[65] = {
#include "golden/exp2_table.inc"
};

// 2^(-t / 2^12) with 20 fraction bits: table of 64 entries, linear between them, shifted right with rounding. t >= 0.
// Error against the real power: -0.5 .. +16.4 units of 2^-20 (1.57e-5 of 1.0), and at most 1.67e-5 of the power itself
// while whole = 0: a chord lies above a convex curve, by (ln 2 / 64)^2 / 8 (tests/golden/test_num.cpp).
WINNOW_HD constexpr std::uint32_t exp2_neg(std::uint64_t t) {
  const std::uint64_t whole = t >> kLogFraction;
  if (whole > kExpFraction) return 0;
  const std::uint32_t fraction = static_cast<std::uint32_t>(t) & ((1u << kLogFraction) - 1);
  constexpr int kLow = kLogFraction - kExpTableBits;
  const std::uint32_t hi = fraction >> kLow, lo = fraction & ((1u << kLow) - 1);
#ifdef __CUDA_ARCH__
  const std::uint32_t a = kExpTableDevice[hi], b = kExpTableDevice[hi + 1];
#else
  const std::uint32_t a = kExpTable[hi], b = kExpTable[hi + 1];
#endif
  const std::uint32_t y = a - (((a - b) * lo) >> kLow);
  return whole == 0 ? y : (y + (1u << (whole - 1))) >> whole;
}

// A score's distance from its row's maximum, in log2 units of 2^-12. `scale` is the head's (log2_scale).
WINNOW_HD constexpr std::uint64_t log2_distance(std::int64_t below, Scale scale) {
  return static_cast<std::uint64_t>(mul_scale(below, scale));
}

// One division a row: floor(2^52 / denominator), denominator in [2^20, 2^40) (a row's largest exponential is
// 1.0). Radix-4, 2 bits a cycle in hardware.
WINNOW_HD constexpr std::uint64_t reciprocal(std::uint64_t denominator) {
  return (std::uint64_t{1} << 52) / denominator;
}

// Probability of one exponential: e * reciprocal >> 36 rounded, 65535 = 1 (saturated).
WINNOW_HD constexpr std::uint32_t probability(std::uint32_t e, std::uint64_t recip) {
  // e <= 2^20 and, since the largest e of a row is 2^20 and enters the denominator, recip <= 2^32.
  const std::uint64_t p = (static_cast<std::uint64_t>(e) * recip + (std::uint64_t{1} << 35)) >> 36;
  return p > kProbMax ? kProbMax : static_cast<std::uint32_t>(p);
}

// Progressive decision (III.D): refetch when the largest probability is under the threshold, e_max / sum < theta.
// theta16 = floor(65536 theta + 1/2).
WINNOW_HD constexpr bool is_flat(std::uint32_t e_max, std::uint64_t denominator, std::uint32_t theta16) {
  return static_cast<std::uint64_t>(e_max) * 65536 < theta16 * denominator;
}

// --- the crude first pass of a selection ----------------------------------------------------------------------------
// It only decides who stays (docs/specification/selection.md, "The crude first pass").

// Option first_q_bits. The power of two that brings a query head's codes, `largest` the largest of their magnitudes, to
// `bits` signed bits.
WINNOW_HD constexpr int crude_shift(std::uint32_t largest, int bits) {
  const int n = bit_length(largest);
  return n > bits - 1 ? n - (bits - 1) : 0;
}
// A query code in that unit: rounded to nearest, ties up, saturated at +-(2^(bits-1) - 1). crude << shift is off by at
// most half of 2^shift, and by less than 2^shift where it saturates; with 12 bits by nothing.
WINNOW_HD constexpr std::int32_t crude_query(std::int32_t q, int shift, int bits) {
  const std::int32_t x = shift ? (q + (1 << (shift - 1))) >> shift : q, most = (1 << (bits - 1)) - 1;
  return x > most ? most : x < -most ? -most : x;
}

// Option first_exp: pow2. Distances are whole octaves, 0..21; the exponential is 2^-octaves, of which 21 leave nothing.
inline constexpr int kMostOctaves = kExpFraction + 1;
inline constexpr int kOctaveScaleBits = 5;
// A head's scale for whole octaves, of the one that distances are made with (log2_distance): its mantissa rounded to
// 5 bits, 16..31, so that a product is a sum of three shifted terms at most. Off by 1/32 of itself at most.
WINNOW_HD constexpr Scale octave_scale(Scale to_log2) {
  constexpr int kDrop = 16 - kOctaveScaleBits;
  const std::uint32_t m = (to_log2.mantissa + (1u << (kDrop - 1))) >> kDrop;
  const bool carry = m >> kOctaveScaleBits;  // 31.5 and more: 32 is 16 of twice the size
  return {(carry ? m >> 1 : m) << kDrop, to_log2.shift + kLogFraction - carry};
}
// A score's distance from its row's maximum, rounded to whole octaves, ties up. below >= 0.
WINNOW_HD constexpr int octave_distance(std::int64_t below, Scale octaves) {
  const std::int64_t n = mul_scale(below, octaves);
  return n < kMostOctaves ? static_cast<int>(n) : kMostOctaves;
}
// One hot bit, or none.
WINNOW_HD constexpr std::uint32_t pow2_exponential(int octaves) { return kExpOne >> octaves; }
// Probability of such an exponential: the reciprocal shifted right and rounded. The same as
// probability(pow2_exponential(octaves), recip).
WINNOW_HD constexpr std::uint32_t pow2_probability(int octaves, std::uint64_t recip) {
  if (octaves >= kMostOctaves) return 0;
  const std::uint64_t p = (recip + (std::uint64_t{1} << (15 + octaves))) >> (16 + octaves);
  return p > kProbMax ? kProbMax : static_cast<std::uint32_t>(p);
}

// Sum of exponentials left out of a pass (option rest), moved from one pass's maximum to the next: r * 2^(d / 2^12).
// rest < 2^40; d = max_i - max_(i+1) in log2 units. Floor of rest times the power, saturated at the denominator's
// width.
WINNOW_HD constexpr std::uint64_t rescale_rest(std::uint64_t rest, std::int64_t d) {
  if (rest == 0) return 0;
  if (d <= 0) {
    const std::uint64_t t = -static_cast<std::uint64_t>(d);
    const std::uint64_t whole = t >> kLogFraction;
    if (whole >= 63) return 0;
    const std::uint64_t y = exp2_neg(t & ((1u << kLogFraction) - 1));
    return ((rest * y) >> kExpFraction) >> whole;  // rest < 2^40, y <= 2^20
  }
  // 2^d = 2^ceil(d) * 2^-(ceil(d) - d)
  const std::uint64_t up = (static_cast<std::uint64_t>(d) + (1u << kLogFraction) - 1) >> kLogFraction;
  const std::uint64_t y = exp2_neg((up << kLogFraction) - static_cast<std::uint64_t>(d));
  const std::uint64_t product = rest * y;  // at least 2^19, under 2^60
  if (up > 40 || bit_length(product) + static_cast<int>(up) > 40 + kExpFraction) return kDenominatorMax;
  return (product << up) >> kExpFraction;
}

WINNOW_HD constexpr std::uint64_t saturating_denominator(std::uint64_t sum) {
  return sum > kDenominatorMax ? kDenominatorMax : sum;
}

// --- thresholds on a score's distance from its row's largest, in log2 units of 2^-12 ---------------------------------

// Option score_threshold: nothing further below than `span` counts.
WINNOW_HD inline std::uint32_t exponential_within(std::uint64_t below, std::uint64_t span) {
  return below > span ? 0 : exp2_neg(below);
}
// Selection by bounds, before the last digit. `size` is the sum of |q|, `unread` the bits of K still to come: they move
// a score by at most size * (2^unread - 1) against another's. The unit more covers the rounding of two distances.
WINNOW_HD constexpr std::uint64_t unread_span(std::int64_t size, int unread, Scale to_log2) {
  return log2_distance(size * ((std::int64_t{1} << unread) - 1), to_log2) + 1;
}
// What may still matter has an exponential of at least 1, by which it is told from what cannot.
WINNOW_HD inline std::uint32_t exponential_in_bounds(std::uint64_t below, std::uint64_t span) {
  const std::uint32_t e = exponential_within(below, span);
  return e || below > span ? e : 1;
}

// --- sigmoid attention
// -------------------------------------------------------------------------------------------------

// log2 of n >= 1 in units of 2^-12, cut: one bit of the fraction a squaring.
WINNOW_HD constexpr std::int64_t log2_of(std::uint32_t n) {
  const int whole = bit_length(n) - 1;
  std::uint64_t x = std::uint64_t{n} << (31 - whole);  // in [2^31, 2^32): 1 is 2^31
  std::int64_t fraction = 0;
  for (int i = 0; i < kLogFraction; ++i) {
    x = x * x >> 31;
    fraction = fraction * 2 + (x >> 32 ? 1 : 0);
    if (x >> 32) x >>= 1;
  }
  return std::int64_t{whole} << kLogFraction | fraction;
}
// 65536 / (1 + 2^-|x|), x in units of 2^-12: of the exponential by a table of 64 chords, as the exponential itself.
// Below 0 what is left of 1. 65535 = 1 (saturated). Off by less than 6 units of 2^-16: a
// chord 4, the exponential 1, rounding 1 (tests/golden/test_num.cpp).
inline constexpr int kSigmoidTableBits = 6;
WINNOW_HD constexpr std::uint32_t sigmoid_chord(std::uint32_t i) {
  constexpr std::uint32_t kSteps = 1u << kSigmoidTableBits;
  return (65536u * kSteps + (kSteps + i) / 2) / (kSteps + i);
}
WINNOW_HD inline std::uint32_t sigmoid_weight(std::int64_t x) {
  constexpr int kLow = kExpFraction - kSigmoidTableBits;
  const std::uint32_t e = exp2_neg(static_cast<std::uint64_t>(x < 0 ? -x : x));
  const std::uint32_t i = e >> kLow, lo = e & ((1u << kLow) - 1), from = sigmoid_chord(i);
  const std::uint32_t to = lo ? sigmoid_chord(i + 1) : from;
  const std::uint32_t above = from - static_cast<std::uint32_t>(std::uint64_t{from - to} * lo >> kLow);
  const std::uint32_t p = x < 0 ? 65536 - above : above;
  return p > kProbMax ? kProbMax : p;
}

// --- the merged token
// --------------------------------------------------------------------------------------------------

// sum / count rounded to nearest, ties up. count > 0.
WINNOW_HD constexpr std::int64_t nearest_quotient(std::int64_t sum, std::int64_t count) {
  const std::int64_t twice = 2 * sum + count, over = 2 * count, q = twice / over;
  return twice % over < 0 ? q - 1 : q;
}
// Its V's scale over the prompt's largest, from the largest sum of code times scale; as any token's, rounded up.
WINNOW_HD constexpr std::int64_t merged_scale(std::int64_t largest, std::int64_t count, std::int64_t limit) {
  const std::int64_t scale = (largest + count * limit - 1) / (count * limit);
  return scale < 65535 ? scale : 65535;
}
WINNOW_HD constexpr std::int64_t merged_value(std::int64_t sum, std::int64_t count, std::int64_t v16,
                                              std::int64_t limit) {
  if (v16 == 0) return 0;
  const std::int64_t x = nearest_quotient(sum, count * v16);
  return x > limit ? limit : x < -limit ? -limit : x;
}
// Probability of an exponential that counts `count` times, which the row's sum has counted so.
WINNOW_HD constexpr std::uint32_t probability_of_many(std::uint64_t e, std::uint64_t count, std::uint64_t recip) {
  const std::uint64_t p = (e * count * recip + (std::uint64_t{1} << 35)) >> 36;
  return p > kProbMax ? kProbMax : static_cast<std::uint32_t>(p);
}

// --- pages (golden/pages.h)
// --------------------------------------------------------------------------------------------

// A page's mean of K's codes, `dropped` bits coarser: rounded to nearest, ties up, saturated at `bits` bits.
WINNOW_HD constexpr std::int32_t page_mean(std::int32_t sum, int log2_size, int dropped, int bits) {
  const int shift = log2_size + dropped;
  const std::int32_t x = shift ? (sum + (1 << (shift - 1))) >> shift : sum;
  const std::int32_t most = (1 << (bits - 1)) - 1;
  return x > most ? most : x < -most - 1 ? -most - 1 : x;
}
// The smallest and the largest code of a page's channel as one word, both cut to `bits` bits. The largest is read as it
// was cut, too low by what was cut: by as much for every page, at most, so that bounds keep their order.
WINNOW_HD constexpr std::int32_t page_bounds(std::int32_t low, std::int32_t high, int dropped, int bits) {
  return (high >> dropped) * (1 << bits) + ((low >> dropped) & ((1 << bits) - 1));
}
// Which of the two gives the larger product with a query's code.
WINNOW_HD constexpr std::int32_t page_bound(std::int32_t word, std::int32_t q, int bits) {
  const std::int32_t high = word >> bits, low = word - high * (1 << bits), half = 1 << (bits - 1);
  return q >= 0 ? high : low >= half ? low - 2 * half : low;
}
// Pages are only ranked, so their distances are a quarter: 2^-20 then is 55 nats below the largest score, not 14.
inline constexpr int kPageSoftening = 2;
WINNOW_HD constexpr Scale page_scale(Scale to_log2) { return {to_log2.mantissa, to_log2.shift + kPageSoftening}; }

// --- the rivals' rules (docs/rivals.md) -----------------------------------------------------------------------------

// Option value_threshold (MNNFast): V is not multiplied where its probability is below the threshold, e / sum < theta;
// no divider, as for the flatness decision. The row's largest always is. skip16 = floor(65536 theta + 1/2).
WINNOW_HD constexpr bool skips_value(std::uint32_t e, std::uint64_t denominator, std::uint32_t skip16) {
  return e < kExpOne && is_flat(e, denominator, skip16);
}
// Option lazy_softmax (MNNFast): the weight of an exponential, rounded to 16 bits, ties up; 65535 = 1 (saturated), as a
// probability has it.
WINNOW_HD constexpr std::uint32_t lazy_weight(std::uint32_t e) {
  constexpr int kDrop = kExpFraction - kProbabilityBits;
  const std::uint32_t w = (e + (1u << (kDrop - 1))) >> kDrop;
  return w > kProbMax ? kProbMax : w;
}
// What such a row's outputs are multiplied with besides: 1 over its sum of exponentials, 1.0 = 2^20.
WINNOW_HD constexpr Scale lazy_scale(std::uint64_t denominator) {
  const Scale s = renormaliser(denominator);
  return {s.mantissa, s.shift - (kExpFraction - kProbabilityBits)};
}

// P x V weight before the row's exponent: p * v16, 65536 * 65536 = 1. v16 = 65536 where V has one scale a tensor.
WINNOW_HD constexpr std::uint64_t wide_weight(std::uint32_t p, std::uint32_t v16) {
  return static_cast<std::uint64_t>(p) * v16;
}
// The row's power-of-two exponent, from its largest wide weight.
WINNOW_HD constexpr int weight_exponent(std::uint64_t largest) {
  const int n = bit_length(largest);
  return n > kWeightBits ? n - kWeightBits : 0;
}
// Weight rounded to 12 unsigned bits under the row's exponent.
WINNOW_HD constexpr std::uint32_t weight12(std::uint64_t wide, int exponent) {
  const std::uint64_t w = exponent ? (wide + (std::uint64_t{1} << (exponent - 1))) >> exponent : wide;
  return w > 4095 ? 4095 : static_cast<std::uint32_t>(w);
}

// --- compensation of what a selection left out (docs/specification/selection.md, "Compensation")
// ----------------------

// Fraction bits of a word of V's sum, in units of one code of V's largest scale: 4 for V of 6 bits, -2 for 12.
WINNOW_HD constexpr int sum_fraction(int v_bits) { return kValueSumBits - 14 - v_bits; }
// What one token adds to a word: code * v16 / 65536 in that unit, rounded to nearest, ties up. |term| <= 2^9, so that
// kMaxSummedTokens of them stay below 2^23. v16 = 65536 where V has one scale a tensor.
WINNOW_HD constexpr std::int32_t sum_term(std::int32_t code, std::uint32_t v16, int v_bits) {
  const int drop = 16 - sum_fraction(v_bits);
  const std::int64_t x = static_cast<std::int64_t>(code) * static_cast<std::int64_t>(v16);
  return static_cast<std::int32_t>((x + (std::int64_t{1} << (drop - 1))) >> drop);
}
// The mean probability of the tokens left out, 2^32 = 1: rest's share of the row over their number. rest <= the
// denominator that `recip` is of, so the product is at most 2^52. The number's reciprocal is cut to 16 bits.
WINNOW_HD constexpr std::uint64_t mean_left_out(std::uint64_t rest, std::uint64_t recip, std::uint32_t left_out) {
  if (left_out == 0) return 0;
  const std::uint64_t share = (rest * recip + (std::uint64_t{1} << 19)) >> 20;
  const Scale one_of = renormaliser(left_out);  // 65536 / left_out
  return static_cast<std::uint64_t>(mul_scale(static_cast<std::int64_t>(share), {one_of.mantissa, one_of.shift + 16}));
}
// A survivor's weight over the mean, as wide_weight but signed: (p - mean) * v16. The mean is rounded to 24 fraction
// bits first, so that the product is one of 25 by 17 bits. 2^32 = 1.
WINNOW_HD constexpr std::int64_t wide_weight_over(std::uint32_t p, std::uint64_t mean, std::uint32_t v16) {
  const std::int64_t over = (static_cast<std::int64_t>(p) << 8) - static_cast<std::int64_t>((mean + 128) >> 8);
  return (over * static_cast<std::int64_t>(v16) + 128) >> 8;
}
// A compensated row's exponent, from its largest |weight| and its mean: weights have a sign and 11 bits, and the sum's
// part stays below 2^45.
WINNOW_HD constexpr int signed_exponent(std::uint64_t largest, std::uint64_t mean) {
  const int of_weights = bit_length(largest) - (kWeightBits - 1), of_sum = bit_length(mean) - 20;
  const int n = of_weights > of_sum ? of_weights : of_sum;
  return n > 0 ? n : 0;
}
// Signed weight rounded to 12 bits under the row's exponent, ties up, symmetric.
WINNOW_HD constexpr std::int32_t signed_weight12(std::int64_t wide, int exponent) {
  constexpr std::int64_t kMost = (1 << (kWeightBits - 1)) - 1;
  const std::int64_t w = exponent ? (wide + (std::int64_t{1} << (exponent - 1))) >> exponent : wide;
  return static_cast<std::int32_t>(w > kMost ? kMost : w < -kMost ? -kMost : w);
}
// What V's sum is multiplied with: the mean, its mantissa cut to 16 bits, in units of the row's sum of weight * v. A
// row's sum starts at mul_scale(word of V's sum, this).
WINNOW_HD constexpr Scale sum_scale(std::uint64_t mean, int v_bits, int exponent) {
  if (mean == 0) return {};
  const int n = bit_length(mean);
  return {static_cast<std::uint32_t>(n > 16 ? mean >> (n - 16) : mean << (16 - n)),
          16 - n + sum_fraction(v_bits) + exponent};
}

// --- weights of heads -----------------------------------------------------------------------------------------------

// What a head's outputs are multiplied with beside their scale: 65535 = 1, as a probability has it.
WINNOW_HD constexpr Scale head_scale(std::uint32_t weight16) {
  if (weight16 == 0) return {};
  if (weight16 >= kProbMax) return {1u << 15, 15};
  const int n = bit_length(weight16);
  return {weight16 << (16 - n), 32 - n};
}

// Requantizer behind P x V: sum of weight12 * v to a 12-bit output. `scale` = V scale / out scale / 2^32, `exponent`
// the row's.
WINNOW_HD constexpr std::int16_t requantize_out(std::int64_t sum, Scale scale, int exponent) {
  const std::int64_t y = mul_scale(sum, {scale.mantissa, scale.shift - exponent});
  return static_cast<std::int16_t>(y > kOutMax ? kOutMax : y < -kOutMax ? -kOutMax : y);
}

// --- digits of K codes ---------------------------------------------------------------------------------------------

enum class MsbRule : std::uint8_t { midpoint, truncate, round };

// Widths of a code's digits, most significant first; bits = their sum.
struct Digits {
  int count = 1;
  int width[kMaxDigits] = {kWordBits, 0, 0, 0};
  WINNOW_HD constexpr int bits() const {
    int n = 0;
    for (int i = 0; i < count; ++i) n += width[i];
    return n;
  }
  // Bits before digit i.
  WINNOW_HD constexpr int above(int i) const { return bits() - below(i) - width[i]; }
  // Bits that follow digit i: a partial product of digit i weighs 2^below(i).
  WINNOW_HD constexpr int below(int i) const {
    int n = 0;
    for (int j = i + 1; j < count; ++j) n += width[j];
    return n;
  }
};

// Splits a code: truncated digits are the code's bits (the first signed, the rest unsigned); rounded ones are carried
// from the finest, x' = (x + 2^(w-1)) >> w, digit = x - (x' << w), all signed. code = sum digit[i] << below(i) in both.
WINNOW_HD constexpr void split(std::int32_t code, const Digits& d, MsbRule rule, std::int32_t* digit) {
  for (int i = d.count - 1; i > 0; --i) {
    const int w = d.width[i];
    const std::int32_t upper = rule == MsbRule::round ? (code + (1 << (w - 1))) >> w : code >> w;
    digit[i] = code - upper * (1 << w);
    code = upper;
  }
  digit[0] = code;
}

// Largest code whose digits fit their widths (8 bits in 4+4, rounded: 119).
WINNOW_HD constexpr std::int32_t largest_code(const Digits& d, MsbRule rule) {
  const std::int32_t symmetric = (1 << (d.bits() - 1)) - 1;
  if (rule != MsbRule::round) return symmetric;
  for (std::int32_t code = symmetric; code > 0; --code) {
    std::int32_t digit[kMaxDigits] = {};
    split(code, d, rule, digit);
    if (digit[0] <= (1 << (d.width[0] - 1)) - 1) return code;
  }
  return 0;
}

// Twice the constant that a midpoint reading of the digits after i adds to a query's scores: sum(q) * (2^below - 1).
// It falls out of a softmax; only `rest`, which compares maxima of two passes, sees it.
WINNOW_HD constexpr std::int64_t midpoint_twice(std::int64_t query_sum, const Digits& d, int i, MsbRule rule) {
  return rule == MsbRule::midpoint ? query_sum * ((std::int64_t{1} << d.below(i)) - 1) : 0;
}

}  // namespace winnow::golden
