#pragma once
// Words of 2..12 bits to int16: the converter's unaligned shifter.
//
// Word i is bits [i*bits, i*bits + bits) of `bytes`, least significant bit first; sign-extended if is_signed.
// `words` is a multiple of 8. Reads up to 16 bytes and writes up to 8 words past the last; callers pad.
#include <cstdint>

namespace winnow::converter {

void unpack(const std::uint8_t* bytes, int bits, bool is_signed, int words, std::int16_t* out);

// The same by 64-bit shifts, for machines without AVX2; tests hold both against each other.
void unpack_scalar(const std::uint8_t* bytes, int bits, bool is_signed, int words, std::int16_t* out);

// The words of a further digit, put behind those that `to` holds: to = (to << width) + word. For a prompt, whose K is
// multiplied at full width while its digits lie in planes.
void unpack_behind(const std::uint8_t* bytes, int width, bool is_signed, int words, std::int16_t* to);

}  // namespace winnow::converter
