// What arrays a machine's storage becomes.
#include <gtest/gtest.h>

#include "sim/cost/arrays.h"

namespace winnow::cost {
namespace {

Stored memory(std::uint64_t words, int bits, int banks, int port_words = 1) {
  return {"qk", "key_buffer", "memory", words, bits, banks, 1, 1, port_words};
}

TEST(Arrays, AHalfIsABankAndABankAnArray) {
  const Machine machine = load_machine("spatten");
  const auto all = arrays_of(machine, {memory(2048, 768, 16)}, {});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].sram);
  EXPECT_EQ(all[0].count, 16u);
  EXPECT_EQ(shape_name(all[0]), "128x768 1R1W");
}

TEST(Arrays, WhatAPortMovesLiesSideBySide) {
  const Machine machine = load_machine("spatten");
  const auto all = arrays_of(machine, {memory(8192, 32, 8, 8)}, {});
  EXPECT_EQ(shape_name(all.at(0)), "128x256 1R1W");
  EXPECT_EQ(all[0].count, 8u);
}

TEST(Arrays, TooWideOnesAreSlicedAndFewWordsAreFlipFlops) {
  const Machine machine = load_machine("spatten");
  const auto wide = arrays_of(machine, {memory(2048, 768, 16)}, {32, 256});
  EXPECT_EQ(wide.at(0).slices, 3u);
  EXPECT_EQ(wide[0].count, 48u);
  EXPECT_EQ(shape_name(wide[0]), "128x256 1R1W");
  const auto few = arrays_of(machine, {memory(31 * 16, 768, 16), {"qk", "first_passes", "fifo", 20, 167}}, {});
  EXPECT_FALSE(few.at(0).sram);
  EXPECT_FALSE(few.at(1).sram);
  EXPECT_EQ(few[1].total_bits(), 20u * 167u);
}

TEST(Arrays, QueuesInsideABlockLieAsTheirBlockUsesThem) {
  const Machine machine = load_machine("spatten");
  const auto all = arrays_of(machine,
                             {{"topk", "sides", "registers", 2048, 16},
                              {"fetcher", "address_fifos", "registers", 2048, 64},
                              {"hbm2", "returns", "registers", 800, 288}},
                             {});
  EXPECT_EQ(all.at(0).count, 2u);
  EXPECT_EQ(shape_name(all[0]), "64x256 1R1W");
  EXPECT_EQ(all.at(1).count, 32u);
  EXPECT_EQ(shape_name(all[1]), "64x64 1R1W");
  EXPECT_EQ(all.at(2).count, 16u);
  EXPECT_EQ(all[2].words, 50u);
}

// Nothing is lost, whatever the shape: bits of arrays are those of the entry, rounded up to whole banks.
TEST(Arrays, EveryBitHasAPlace) {
  const Machine machine = load_machine("winnow");
  int compared = 0;
  for (const std::uint64_t words : {1u, 17u, 64u, 1000u, 6144u})
    for (const int bits : {1, 12, 768, 3220})
      for (const int banks : {1, 6, 32})
        for (const int port : {1, 8}) {
          const Stored s = memory(words, bits, banks, port);
          for (const Array& a : arrays_of(machine, {s}, {32, 256})) {
            EXPECT_GE(a.total_bits(), s.total());
            const std::uint64_t row = static_cast<std::uint64_t>(bits * port * banks);
            EXPECT_LE(a.total_bits(), s.total() + 2 * row + a.count * a.words * a.slices) << words << ' ' << bits;
            ++compared;
          }
        }
  EXPECT_EQ(compared, 5 * 4 * 3 * 2);
  printf("arrays: %d entries compared\n", compared);
}

}  // namespace
}  // namespace winnow::cost
