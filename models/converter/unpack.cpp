#include "models/converter/unpack.h"

#include "models/prim/limits.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace winnow::converter {

namespace {

// Eight words are exactly `Bits` bytes, so every group of eight starts at a byte.
template <int Bits, bool Signed>
void eight_scalar(const std::uint8_t* in, std::int16_t* out) {
  std::uint64_t low, high;  // words 0..3 lie in the first 48 bits, words 4..7 start at bit 4 * Bits
  std::memcpy(&low, in, 8);
  std::memcpy(&high, in + Bits / 2, 8);
  constexpr int kHalfBit = (Bits & 1) * 4;
  for (int i = 0; i < 4; ++i) {
    const auto a = static_cast<std::uint32_t>(low >> (i * Bits)) & ((1u << Bits) - 1);
    const auto b = static_cast<std::uint32_t>(high >> (kHalfBit + i * Bits)) & ((1u << Bits) - 1);
    constexpr std::uint32_t kSign = Signed ? 1u << (Bits - 1) : 0;
    out[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(a ^ kSign) - static_cast<std::int32_t>(kSign));
    out[i + 4] = static_cast<std::int16_t>(static_cast<std::int32_t>(b ^ kSign) - static_cast<std::int32_t>(kSign));
  }
}

template <int Bits, bool Signed>
void all_scalar(const std::uint8_t* in, int words, std::int16_t* out) {
  for (int i = 0; i < words; i += 8, in += Bits, out += 8) eight_scalar<Bits, Signed>(in, out);
}

#ifdef __AVX2__

// Each word's first byte and the next go to its 16-bit lane; a multiply moves its top bit to bit 15, a shift brings
// it down with its sign. Holds where no word reaches into a third byte: all widths but 11.
template <int Bits>
struct Spread {
  alignas(32) std::array<std::uint8_t, 32> byte{};
  alignas(32) std::array<std::uint16_t, 16> factor{};
  constexpr Spread() {
    for (int i = 0; i < 16; ++i) {
      const int bit = i % 8 * Bits, offset = bit % 8;
      byte[static_cast<std::size_t>(2 * i)] = static_cast<std::uint8_t>(bit / 8);
      byte[static_cast<std::size_t>(2 * i + 1)] = static_cast<std::uint8_t>(bit / 8 + 1);
      factor[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(1 << (16 - Bits - offset));
    }
  }
};

template <int Bits, bool Signed>
void all_avx2(const std::uint8_t* in, int words, std::int16_t* out) {
  static_assert(Bits != 11);
  static constexpr Spread<Bits> kSpread;
  const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(kSpread.byte.data()));
  const __m256i factor = _mm256_load_si256(reinterpret_cast<const __m256i*>(kSpread.factor.data()));
  for (int i = 0; i < words; i += 16, in += 2 * Bits, out += 16) {
    // The last group may be half used: its other half goes to the padding.
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + (i + 8 < words ? Bits : 0)));
    __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    x = _mm256_mullo_epi16(_mm256_shuffle_epi8(x, bytes), factor);
    x = Signed ? _mm256_srai_epi16(x, 16 - Bits) : _mm256_srli_epi16(x, 16 - Bits);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), x);
  }
}

#endif

template <int Bits, bool Signed>
void all(const std::uint8_t* in, int words, std::int16_t* out) {
#ifdef __AVX2__
  if constexpr (Bits != 11)
    all_avx2<Bits, Signed>(in, words, out);
  else
    all_scalar<Bits, Signed>(in, words, out);
#else
  all_scalar<Bits, Signed>(in, words, out);
#endif
}

using Function = void (*)(const std::uint8_t*, int, std::int16_t*);

template <bool Fast, bool Signed, std::size_t... I>
constexpr std::array<Function, sizeof...(I)> table(std::index_sequence<I...>) {
  if constexpr (Fast)
    return {&all<static_cast<int>(I) + 2, Signed>...};
  else
    return {&all_scalar<static_cast<int>(I) + 2, Signed>...};
}

using Widths = std::make_index_sequence<11>;  // 2..12
constexpr std::array<std::array<Function, 11>, 2> kFast{table<true, false>(Widths{}), table<true, true>(Widths{})};
constexpr std::array<std::array<Function, 11>, 2> kScalar{table<false, false>(Widths{}), table<false, true>(Widths{})};

}  // namespace

void unpack(const std::uint8_t* bytes, int bits, bool is_signed, int words, std::int16_t* out) {
  kFast[is_signed][static_cast<std::size_t>(bits - 2)](bytes, words, out);
}

void unpack_scalar(const std::uint8_t* bytes, int bits, bool is_signed, int words, std::int16_t* out) {
  kScalar[is_signed][static_cast<std::size_t>(bits - 2)](bytes, words, out);
}

void unpack_behind(const std::uint8_t* bytes, int width, bool is_signed, int words, std::int16_t* to) {
  std::int16_t digit[kMaxHeadDim + 16];
  unpack(bytes, width, is_signed, words, digit);
  for (int i = 0; i < words; ++i) to[i] = static_cast<std::int16_t>(to[i] * (1 << width) + digit[i]);
}

}  // namespace winnow::converter
