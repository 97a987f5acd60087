// Words of every width against a loop over bits.
#include <gtest/gtest.h>

#include <iostream>

#include "models/converter/unpack.h"
#include "tests/models/converter/bits.h"
#include "tests/models/fetcher/support.h"

namespace winnow::test {
namespace {

TEST(Unpack, EveryWidthSignAndLengthAgainstBits) {
  Random random(11);
  std::uint64_t compared = 0;
  constexpr std::int16_t kGuard = 0x5a5a;
  for (int bits = 2; bits <= 12; ++bits)
    for (bool is_signed : {false, true})
      for (int words = 8; words <= 256; words += 8)
        for (int offset = 0; offset < 32; offset += 7) {
          std::vector<std::uint8_t> bytes(static_cast<std::size_t>(offset + words * bits / 8 + 16));
          for (auto& b : bytes) b = static_cast<std::uint8_t>(random.next() >> 17);
          std::vector<std::int16_t> fast(static_cast<std::size_t>(words) + 16, kGuard), scalar = fast;
          converter::unpack(&bytes[static_cast<std::size_t>(offset)], bits, is_signed, words, fast.data());
          converter::unpack_scalar(&bytes[static_cast<std::size_t>(offset)], bits, is_signed, words, scalar.data());
          for (int i = 0; i < words; ++i, compared += 2) {
            const int want = word_at(&bytes[static_cast<std::size_t>(offset)], i, bits, is_signed);
            ASSERT_EQ(fast[static_cast<std::size_t>(i)], want) << bits << " bits, word " << i;
            ASSERT_EQ(scalar[static_cast<std::size_t>(i)], want) << bits << " bits, word " << i;
          }
          for (std::size_t i = static_cast<std::size_t>(words) + 8; i < fast.size(); ++i) ASSERT_EQ(fast[i], kGuard);
        }
  std::cout << compared << " words compared\n";
  EXPECT_EQ(compared, 2u * 11 * 2 * 5 * 8 * (32 * 33 / 2));
}

TEST(Unpack, ExtremesOfTwelveBits) {
  const std::uint8_t bytes[12 + 16] = {0x00, 0x08, 0x80,   // 0x800, 0x800
                                       0xff, 0xf7, 0x7f,   // 0x7ff, 0x7ff
                                       0xff, 0xff, 0xff,   // -1, -1
                                       0x01, 0x20, 0x00};  // 1, 2
  std::int16_t out[16];
  converter::unpack(bytes, 12, true, 8, out);
  const std::int16_t want[8] = {-2048, -2048, 2047, 2047, -1, -1, 1, 2};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(out[i], want[i]);
  std::cout << "8 words compared\n";
}

}  // namespace
}  // namespace winnow::test
