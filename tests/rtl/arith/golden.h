#pragma once
// What the table of units (arith.units) says beside golden's functions: how inputs are brought into a function's range,
// and where the RTL saturates what golden keeps wider.
#include <array>
#include <cstddef>
#include <cstdint>

#include "golden/num.h"
#include "models/converter/unpack.h"

namespace winnow::golden {

// The RTL's distances have 17 bits; exp2_neg is 0 from 21 octaves on, 86,016.
inline constexpr std::int64_t kMostDistance = (1 << 17) - 1;

// A mantissa: its top bit is set, or it is 0.
constexpr std::int64_t top_set(std::int64_t mantissa) { return mantissa ? mantissa | 0x8000 : 0; }
constexpr Scale scale(std::int64_t mantissa, std::int64_t shift) {
  return {static_cast<std::uint32_t>(mantissa), static_cast<int>(shift)};
}
constexpr std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
constexpr std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

// Saturated at so many bits and a sign, symmetric.
constexpr std::int64_t within(std::int64_t x, int bits) {
  const std::int64_t largest = (std::int64_t{1} << bits) - 1;
  return x > largest ? largest : x < -largest ? -largest : x;
}

// The value of `bits` bits.
constexpr std::int64_t read_bits(std::int64_t x, int bits, bool is_signed) {
  return is_signed && (x >> (bits - 1) & 1) ? x - (std::int64_t{1} << bits) : x;
}

// A composable pair's products with what stands in the digits of 4 bits: two words of 3 digits, three of 2, six of 1,
// or nine where the other operand has 8 bits. What is beyond is 0.
template <class Digits4, class Products>
constexpr void products(std::int64_t a, bool a_signed, bool narrow, const Digits4* b, bool b_signed,
                        std::int64_t digits, Products& product) {
  const int words = digits == 3 ? 2 : digits == 2 ? 3 : narrow ? 9 : 6;
  a = narrow ? read_bits(a & 255, 8, a_signed) : read_bits(a, 12, a_signed);
  for (int w = 0; w < words; ++w) {
    std::int64_t word = 0;
    for (int i = 0; i < digits; ++i) word |= b[w * digits + i] << (4 * i);
    product[static_cast<std::size_t>(w)] = a * read_bits(word, static_cast<int>(4 * digits), b_signed);
  }
}

// Partial scores: what later digits add to those of the digits before (docs/specification/numbers.md, "Scores").
template <class Queries, class Keys, class Scores>
constexpr void scores(const Queries& query, bool narrow, const Keys& key, bool key_signed, std::int64_t digits,
                      std::int64_t shift, const Scores& partial, Scores& score) {
  score = partial;
  for (std::size_t i = 0; i < query.size(); ++i) {
    std::array<std::int64_t, 9> product{};
    products(query[i], true, narrow, &key[9 * i], key_signed, digits, product);
    for (std::size_t w = 0; w < 9; ++w) score[w] += product[w] * (std::int64_t{1} << shift);
  }
}

// Eight words of the converter's.
inline void unpack(const std::array<std::int64_t, 12>& bytes, std::int64_t bits, bool is_signed,
                   std::array<std::int64_t, 8>& word) {
  std::array<std::uint8_t, 32> in{};
  std::array<std::int16_t, 16> out{};
  for (std::size_t i = 0; i < bytes.size(); ++i) in[i] = static_cast<std::uint8_t>(bytes[i]);
  converter::unpack_scalar(in.data(), static_cast<int>(bits), is_signed, 8, out.data());
  for (std::size_t i = 0; i < word.size(); ++i) word[i] = out[i];
}

// The same behind the digits that `word` holds.
inline void unpack_behind(const std::array<std::int64_t, 12>& bytes, std::int64_t bits, bool is_signed,
                          std::array<std::int64_t, 8>& word) {
  std::array<std::uint8_t, 32> in{};
  std::array<std::int16_t, 16> held{};
  for (std::size_t i = 0; i < bytes.size(); ++i) in[i] = static_cast<std::uint8_t>(bytes[i]);
  for (std::size_t i = 0; i < word.size(); ++i) held[i] = static_cast<std::int16_t>(word[i]);
  converter::unpack_behind(in.data(), static_cast<int>(bits), is_signed, 8, held.data());
  for (std::size_t i = 0; i < word.size(); ++i) word[i] = held[i];
}

}  // namespace winnow::golden
