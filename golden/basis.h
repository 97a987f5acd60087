#pragma once
// Keys in a basis of their own (policy key_basis: trace; docs/specification/basis.md): k' = T (k - mean), q' = T^-T q,
// in which queries are white and keys uncorrelated. One step for all channels, and as many bits a channel as its range
// needs. q . k is q' . k' and one number a query, which falls out of the softmax.
//
// in    T, mean and range of every KV head as they were measured on other text (KeyBasis); K's digits, whose sum is the
//       mean width of a channel
// out   a width a channel and the step (channel_widths); words, shifts and scales as hardware has them (KeyTables);
//       a query's and a key's codes, made of integers alone
// state none
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "golden/num.h"

namespace winnow::golden {

// As measured, for every KV head of every layer, [layer * kv_heads + kv_head].
struct KeyBasis {
  std::size_t head_dim = 0;
  std::vector<float> transform;  // [head][D][D], row i makes channel i of the basis
  std::vector<float> mean;       // [head][D], of keys
  std::vector<float> range;      // [head][D] of the basis: what its width has to hold, at least 0

  std::size_t heads() const { return head_dim ? mean.size() / head_dim : 0; }
  const float* row(std::size_t head, std::size_t channel) const {
    return &transform[(head * head_dim + channel) * head_dim];
  }
};
// Throws Error `NAME: place: value: rule`: sizes, values that are not finite, ranges below 0, a transform that has no
// inverse. `layers` and `kv_heads` of the model.
void check_basis(const std::string& name, const KeyBasis& basis, int layers, int kv_heads, int head_dim);

// The code of a channel: as wide as its range needs under the step that all channels share.
struct ChannelWidths {
  double step = 0;
  std::vector<int> width;           // [D] bits, 0..12: 0 where the range is below half a step
  std::vector<std::int32_t> limit;  // [D] largest code, of which every digit fits its bits
};
// The smallest step under which every range fits and the widths add up to D * digits.bits() at most.
ChannelWidths channel_widths(const float* range, std::size_t head_dim, const Digits& digits);
// Bits that digit i of a channel of `width` bits has: the lower digits first, the first digit what is left.
constexpr int channel_digit_bits(int width, const Digits& digits, int i) {
  const int left = width - digits.below(i);
  return left <= 0 ? 0 : i == 0 || left < digits.width[i] ? left : digits.width[i];
}

inline constexpr int kMostFirstShift = 15;

inline constexpr int kBasisBits = 8;  // of a word of T and of T^-T
// A channel's word beside its two rows, 64 bits, as it lies in memory.
struct ChannelWord {
  std::uint8_t width = 0;                             // 4 bits
  std::uint8_t query_mantissa = 0, key_mantissa = 0;  // 8 bits, the top one set: what a row's words are times
  std::uint8_t query_shift = 0, key_shift = 0;        // 6 bits: and over 2 to the power of
  std::int32_t offset = 0;                            // T times the mean, in units of the row's sum
  bool operator==(const ChannelWord&) const = default;
};
inline constexpr int kChannelWordBits = 64;
constexpr std::uint64_t pack_channel(const ChannelWord& c) {
  return std::uint64_t{c.width & 15u} | std::uint64_t{c.query_mantissa} << 4 |
         std::uint64_t{c.query_shift & 63u} << 12 | std::uint64_t{c.key_mantissa} << 18 |
         std::uint64_t{c.key_shift & 63u} << 26 | std::uint64_t{static_cast<std::uint32_t>(c.offset)} << 32;
}
constexpr ChannelWord unpack_channel(std::uint64_t word) {
  const auto bits = [word](int at, int count) { return static_cast<std::uint8_t>(word >> at & ((1u << count) - 1)); };
  return {bits(0, 4), bits(4, 8), bits(18, 8), bits(12, 6), bits(26, 6), static_cast<std::int32_t>(word >> 32)};
}

// A KV head's tables. A row of either transform is words of 8 bits times its mantissa over its power of two.
struct KeyTables {
  std::vector<std::int8_t> query, key;  // [D][D] T^-T and T
  std::vector<ChannelWord> channel;     // [D]
  std::vector<Scale> to_query;          // [group] sum of a row of T^-T to a code of 12 bits
  Scale to_key;                         // sum of a row of T to steps
  std::uint8_t first_shift = 0;         // of token 0's words
  std::vector<std::int16_t> first;      // [D] token 0's key, 12 bits a channel, in steps << first_shift
  double query_unit = 0, key_unit = 0;  // what a row's sum is times, where mantissa and power are 1
  bool empty() const { return query.empty(); }
};

// The tables of one KV head but for what a prompt decides: offsets, scales, token 0. T^-T is the inverse of T as its
// words have it, so that its own rounding is all that is off. Throws Error where these have no inverse.
KeyTables basis_tables(const KeyBasis& basis, std::size_t head, const ChannelWidths& widths);
// Offsets under the unit of the 12-bit codes that a new key has before it is coded.
void set_offsets(const KeyBasis& basis, std::size_t head, double code_unit, KeyTables& tables);

// Sums of D products of 8 and 12 bits, below 2^27.
inline std::int32_t basis_sum(const std::int8_t* row, const std::int16_t* x, std::size_t head_dim) {
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < head_dim; ++d) sum += std::int32_t{row[d]} * x[d];
  return sum;
}
// What a row's sum is multiplied with: a head's scale times the row's mantissa, exact.
inline Scale row_scale(Scale head, std::uint8_t mantissa, std::uint8_t shift) {
  return {head.mantissa * mantissa, head.shift + shift};
}
// Channel of q', 12 bits, symmetric.
inline std::int16_t turned_query(std::int32_t sum, Scale head, const ChannelWord& c) {
  const std::int64_t x = mul_scale(sum, row_scale(head, c.query_mantissa, c.query_shift));
  return static_cast<std::int16_t>(x > kQueryMax ? kQueryMax : x < -kQueryMax ? -kQueryMax : x);
}
// Channel of k' in steps << `coarser`, saturated at `limit`.
inline std::int16_t coded_key(std::int32_t sum, Scale head, const ChannelWord& c, std::int32_t limit, int coarser = 0) {
  Scale scale = row_scale(head, c.key_mantissa, c.key_shift);
  scale.shift += coarser;
  const std::int64_t x = mul_scale(std::int64_t{sum} - c.offset, scale);
  return static_cast<std::int16_t>(x > limit ? limit : x < -limit ? -limit : x);
}
// q' of one query's 12-bit codes, [D] each.
void turn_query(const KeyTables& tables, std::size_t g, const std::int16_t* q, std::int16_t* turned);

}  // namespace winnow::golden
