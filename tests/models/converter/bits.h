#pragma once
// The definition of a packed word, bit by bit.
#include <cstdint>

namespace winnow::test {

inline int word_at(const std::uint8_t* bytes, int word, int bits, bool is_signed) {
  int value = 0;
  for (int b = 0; b < bits; ++b) {
    const int at = word * bits + b;
    value += (bytes[at / 8] >> (at % 8) & 1) << b;
  }
  return is_signed && value >> (bits - 1) ? value - (1 << bits) : value;
}

}  // namespace winnow::test
