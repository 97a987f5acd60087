// Stream files: what they mean, what is refused, and the trace written for the reference simulator.
#include "models/hbm2/stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "golden/error.h"
#include "models/hbm2/address.h"
#include "models/hbm2/driver.h"
#include "tests/models/hbm2/streams.h"

namespace winnow::hbm2 {
namespace {

std::string refused(const std::string& text) {
  try {
    parse_stream(text, "s.trc", 512 << 20);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Hbm2Stream, LinesBecomeBursts) {
  const RequestStream s = parse_stream("# a comment\nR 0 32\nW 40 64\r\n\n  R 1f 2\nR 0xFFe0 32", "s.trc", 1 << 20);
  const std::vector<std::pair<std::uint64_t, bool>> expected = {{0, false}, {0x40, true},  {0x60, true},
                                                                {0, false}, {0x20, false}, {0xffe0, false}};
  ASSERT_EQ(s.bursts.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(s.bursts[i].address, expected[i].first);
    EXPECT_EQ(s.bursts[i].write, expected[i].second);
  }
  EXPECT_EQ(s.requests, 4u);
  EXPECT_EQ(s.reads, 4u);
  EXPECT_EQ(s.writes, 2u);
  fmt::print("compared {} values\n", 2 * expected.size() + 4);
}

TEST(Hbm2Stream, BadLinesAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "s.trc: holds no request; a stream must have at least one"},
      {"# only\n", "s.trc: holds no request; a stream must have at least one"},
      {"R 0 32\nX 0 32\n", "s.trc:2: 'X': a request must begin with R or W"},
      {"R 0\n", "s.trc:1: 'R 0': a request must be R|W, a hexadecimal address, a number of bytes"},
      {"R 0 32 1\n", "s.trc:1: 'R 0 32 1': a request must be R|W, a hexadecimal address, a number of bytes"},
      {"#\nR 0g 32\n", "s.trc:2: '0g': the address must be hexadecimal, at most 15 digits"},
      {"R 1234567890abcdef 32\n", "s.trc:1: '1234567890abcdef': the address must be hexadecimal, at most 15 digits"},
      {"R -20 32\n", "s.trc:1: '-20': the address must be hexadecimal, at most 15 digits"},
      {"W 0 0\n", "s.trc:1: '0': the size must be a decimal number of bytes in 1..1048576"},
      {"W 0 2000000\n", "s.trc:1: '2000000': the size must be a decimal number of bytes in 1..1048576"},
      {"W 0 20h\n", "s.trc:1: '20h': the size must be a decimal number of bytes in 1..1048576"},
      {"R 20000000 32\n", "s.trc:1: '20000000': the request must end inside the channel of 536870912 bytes"},
      {"R 1fffffe0 33\n", "s.trc:1: '1fffffe0': the request must end inside the channel of 536870912 bytes"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(refused(text), message);
  EXPECT_EQ(refused("R 1fffffe0 32\n"), "accepted");
  EXPECT_THROW(read_stream("no/such/file.trc", 1 << 20), Error);
  EXPECT_THROW(read_stream(testing::TempDir(), 1 << 20), Error);
  fmt::print("compared {} messages\n", std::size(cases) + 3);
}

// The trace must lead the reference's RoBaRaCoCh mapper to our bank, row and column.
TEST(Hbm2Stream, TheTraceForRamulatorNamesTheSamePlaces) {
  const Spec& spec = default_spec();
  const RequestStream stream = test::random_mixed(11, 2'000, 30, 512 << 20);
  const std::string path = testing::TempDir() + "winnow_hbm2_ramulator.trc";
  std::uint64_t compared = 0;
  for (const char* mapping : {"M1", "M2"})
    for (const int pseudo : {1, 2}) {
      write_ramulator_trace(path, stream, spec, mapping, pseudo);
      const AddressMap map(spec, mapping, pseudo);
      std::ifstream in(path);
      std::string op, word;
      for (const StreamBurst& b : stream.bursts) {
        ASSERT_TRUE(in >> op >> word);
        EXPECT_EQ(op, b.write ? "ST" : "LD");
        std::uint64_t a = std::stoull(word, nullptr, 16) / 32;
        const auto take = [&a](std::uint64_t n) {
          const std::uint64_t v = a % n;
          a /= n;
          return v;
        };
        const std::uint64_t column = take(32), p = take(static_cast<unsigned>(pseudo)), group = take(4), bank = take(4),
                            row = take(32768);
        const Place ours = map(b.address);
        EXPECT_EQ(ours.bank, (p * 4 + group) * 4 + bank);
        EXPECT_EQ(ours.column, column);
        EXPECT_EQ(ours.row, row);
        compared += 4;
      }
      EXPECT_FALSE(in >> op);
    }
  std::filesystem::remove(path);
  EXPECT_THROW(write_ramulator_trace("no/such/folder/x.trc", stream, spec, "M1", 1), Error);
  fmt::print("compared {} values\n", compared);
}

// Bit order of the mappings, written out: M1 column 5, group 2, bank 2, row 15; M2 group 2, column 5, bank 2, row 15.
TEST(Hbm2Stream, MappingsSplitAddressesAsDocumented) {
  const Spec& spec = default_spec();
  test::Lcg r{3};
  int compared = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t address = r.u32() % (1u << 29);
    for (const int pseudo : {1, 2}) {
      std::uint64_t b = address >> 5;
      const std::uint64_t p = pseudo == 2 ? b & 1 : 0;
      if (pseudo == 2) b >>= 1;
      const Place m1 = AddressMap(spec, "M1", pseudo)(address), m2 = AddressMap(spec, "M2", pseudo)(address);
      EXPECT_EQ(m1.column, b & 31);
      EXPECT_EQ(m1.bank, p << 4 | (b >> 5 & 3) << 2 | (b >> 7 & 3));
      EXPECT_EQ(m1.row, b >> 9);
      EXPECT_EQ(m2.column, b >> 2 & 31);
      EXPECT_EQ(m2.bank, p << 4 | (b & 3) << 2 | (b >> 7 & 3));
      EXPECT_EQ(m2.row, b >> 9);
      compared += 6;
    }
  }
  fmt::print("compared {} fields\n", compared);
}

}  // namespace
}  // namespace winnow::hbm2
