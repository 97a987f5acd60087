#pragma once
// A query head's scales as they lie in memory: one word of 64 bits, least significant byte first. Host and device.
// docs/specification/layout.md, "Descriptors".
#include <cstdint>

#include "golden/formats.h"
#include "golden/num.h"

namespace winnow::golden {

// to_log2's mantissa (16 bits), to_out's mantissa (16), to_log2's shift (8, signed), to_out's shift (8, signed), out16
// (16). A shift that does not fit saturates: from 63 on a product is zero, from -62 down it is the largest there is.
struct Descriptor {
  Scale to_log2, to_out;  // of a score; of a weighted sum
  std::uint16_t out16 = 0;
};
static_assert(kDescriptorBits == 64);

WINNOW_HD constexpr std::uint64_t pack_descriptor(const Descriptor& d) {
  const int shifts[2] = {d.to_log2.shift, d.to_out.shift};
  std::uint64_t word = (d.to_log2.mantissa & 65535u) | std::uint64_t{d.to_out.mantissa & 65535u} << 16;
  for (int i = 0; i < 2; ++i) {
    const int shift = shifts[i] < -128 ? -128 : shifts[i] > 127 ? 127 : shifts[i];
    word |= (static_cast<std::uint64_t>(shift) & 255u) << (32 + 8 * i);
  }
  return word | std::uint64_t{d.out16} << 48;
}

WINNOW_HD constexpr Descriptor unpack_descriptor(std::uint64_t word) {
  const auto half = [word](int at) { return static_cast<std::uint16_t>(word >> at); };
  const auto shift = [word](int at) { return static_cast<int>(static_cast<std::int8_t>(word >> at & 255u)); };
  return {{half(0), shift(32)}, {half(16), shift(40)}, half(48)};
}

// Where keys have a basis of their own, behind them a word a query head, what its queries are brought to their codes
// with, and a word a KV head, the same of its keys: mantissa (16 bits), shift (8, signed, saturating likewise), and the
// shift of token 0's words (8).
struct BasisDescriptor {
  Scale to_code;
  std::uint8_t first_shift = 0;
};
WINNOW_HD constexpr std::uint64_t pack_basis_descriptor(const BasisDescriptor& d) {
  const std::uint64_t word = pack_descriptor(Descriptor{d.to_code, {}, 0});
  return (word & 65535u) | (word >> 32 & 255u) << 16 | std::uint64_t{d.first_shift} << 24;
}
WINNOW_HD constexpr BasisDescriptor unpack_basis_descriptor(std::uint64_t word) {
  return {{static_cast<std::uint16_t>(word), static_cast<int>(static_cast<std::int8_t>(word >> 16 & 255u))},
          static_cast<std::uint8_t>(word >> 24)};
}

}  // namespace winnow::golden
