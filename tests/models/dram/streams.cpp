// Stream files: what they mean, what is refused, and the trace written for the reference simulator.
#include "models/dram/stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "golden/error.h"
#include "models/dram/address.h"
#include "models/dram/driver.h"
#include "tests/models/dram/streams.h"

namespace winnow::dram {
namespace {

std::string refused(const std::string& text) {
  try {
    parse_stream(text, "s.trc", 512 << 20);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(DramStream, LinesBecomeBursts) {
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

TEST(DramStream, BadLinesAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "s.trc: holds no request; a stream must have at least one"},
      {"# only\n", "s.trc: holds no request; a stream must have at least one"},
      {"R 0 32\nX 0 32\n",
       "s.trc:2: 'X 0 32': a request must have the form 'R|W HEX BYTES' or '0xADDRESS R|W' or 'LD|ST 0xADDRESS' or "
       "'0xADDRESS READ|WRITE CYCLE'"},
      {"R 0\n", "s.trc:1: 'R 0': a request must have the form R|W HEX BYTES"},
      {"R 0 32 1 7\n", "s.trc:1: 'R 0 32 1 7': a request must have the form R|W HEX BYTES"},
      {"LD\n", "s.trc:1: 'LD': a request must have the form LD|ST 0xADDRESS"},
      {"LD 0x40 32\n", "s.trc:1: 'LD 0x40 32': a request must have the form LD|ST 0xADDRESS"},
      {"0x40 R 32\n", "s.trc:1: '0x40 R 32': a request must have the form 0xADDRESS R|W"},
      {"0x40 READ\n", "s.trc:1: '0x40 READ': a request must have the form 0xADDRESS READ|WRITE CYCLE"},
      {"0x40 R\nST 0x40\n",
       "s.trc:2: 'ST 0x40': is of the form 'LD|ST 0xADDRESS': all lines must have the form of line 1, '0xADDRESS R|W'"},
      {"# c\n\n0x40 READ 1\n0x40 R\n",
       "s.trc:4: '0x40 R': is of the form '0xADDRESS R|W': all lines must have the form of line 3, '0xADDRESS "
       "READ|WRITE "
       "CYCLE'"},
      {"R 0 32\n0x40 WRITE 9\n",
       "s.trc:2: '0x40 WRITE 9': is of the form '0xADDRESS READ|WRITE CYCLE': all lines must have the form of line 1, "
       "'R|W HEX BYTES'"},
      {"1f R\n", "s.trc:1: '1f': the address must be decimal, or hexadecimal with 0x; at most 15 digits"},
      {"LD 0x1g\n", "s.trc:1: '0x1g': the address must be hexadecimal, at most 15 digits"},
      {"0x40 READ -1\n", "s.trc:1: '-1': the cycle must be a decimal number in 0..1000000000000"},
      {"0x40 READ 1000000000001\n", "s.trc:1: '1000000000001': the cycle must be a decimal number in 0..1000000000000"},
      {"LD 536870912\n", "s.trc:1: '536870912': the request must end inside the channel of 536870912 bytes"},
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

// One stream in every form, addresses written every way that the form knows: the same bursts, cycles and statistics.
TEST(DramStream, EveryFormIsTheSameStream) {
  const RequestStream stream = test::random_mixed(5, 3'000, 30, 512 << 20);
  const char* forms[] = {"{2} {0:x} 32\n",  "{2} 0x{0:X} 32 # a comment\n",
                         "0x{0:x} {2}\n",   "{0} {2}\r\n",
                         "{3} 0x{0:x}\n",   " {3}\t{0}  \n\n",
                         "0x{0:x} {4} 0\n", "{0:X} {4} 0\n",
                         "0x{1:x} {2}\n"};
  const Spec& spec = default_spec();
  DriverConfig config;
  config.controller = spec.controller("ch");
  const DriverResult expected = drive(spec, config, stream);
  for (const char* form : forms) {
    std::string text = "# a stream\n";
    for (const StreamBurst& b : stream.bursts)
      text += fmt::format(fmt::runtime(form), b.address, b.address + 31, b.write ? "W" : "R", b.write ? "ST" : "LD",
                          b.write ? "WRITE" : "READ");
    const RequestStream got = parse_stream(text, "s.trc", 512 << 20);
    ASSERT_EQ(got.bursts.size(), stream.bursts.size()) << form;
    for (std::size_t i = 0; i < got.bursts.size(); ++i) {
      ASSERT_EQ(got.bursts[i].address, stream.bursts[i].address) << form;
      ASSERT_EQ(got.bursts[i].write, stream.bursts[i].write) << form;
    }
    const DriverResult result = drive(spec, config, got);
    EXPECT_EQ(result.cycles, expected.cycles) << form;
    EXPECT_EQ(result.statistics.activates, expected.statistics.activates) << form;
    EXPECT_EQ(result.statistics.row_hits, expected.statistics.row_hits) << form;
    EXPECT_EQ(result.statistics.busy_cycles, expected.statistics.busy_cycles) << form;
    EXPECT_EQ(result.statistics.mean_read_latency_cycles(), expected.statistics.mean_read_latency_cycles()) << form;
  }
  fmt::print("compared {} bursts in {} forms\n", stream.bursts.size(), std::size(forms));
}

// A request with a cycle is not offered before it, and goes at once where nothing is in its way.
TEST(DramStream, CyclesAreHonoured) {
  const Spec& spec = default_spec();
  DriverConfig config;
  config.controller = spec.controller("ch");
  const auto alone = drive(spec, config, parse_stream("0x0 READ 0\n", "s.trc", 512 << 20)).cycles;
  for (const std::uint64_t cycle : {1u, 7u, 1'000u, 3'000u}) {  // before the first refresh
    const RequestStream late = parse_stream(fmt::format("0x0 READ {}\n", cycle), "s.trc", 512 << 20);
    EXPECT_EQ(drive(spec, config, late).cycles, cycle + alone);
  }
  // Bursts far apart, back to back, out of order, over many refreshes: idle cycles left out or not, the same.
  test::Lcg r{3};
  std::string text, all_at_once;
  std::uint64_t cycle = 0, last = 0;
  for (int i = 0; i < 600; ++i) {
    cycle += r.u32() % 4 ? r.u32() % 20 : r.u32() % 3'000;
    const std::uint64_t at = i % 17 == 16 ? cycle / 2 : cycle;
    last = std::max(last, at);
    const std::string line = fmt::format("0x{:x} {} ", r.u32() % (64 << 20) / 32 * 32, r.u32() % 3 ? "READ" : "WRITE");
    text += line + fmt::format("{}\n", at), all_at_once += line + "0\n";
  }
  const RequestStream stream = parse_stream(text, "s.trc", 512 << 20);
  const DriverResult skipping = drive(spec, config, stream);
  config.skip_idle_cycles = false;
  const DriverResult plain = drive(spec, config, stream);
  EXPECT_EQ(skipping.cycles, plain.cycles);
  EXPECT_EQ(skipping.statistics.row_hits, plain.statistics.row_hits);
  EXPECT_EQ(skipping.statistics.refreshes, plain.statistics.refreshes);
  EXPECT_EQ(skipping.statistics.mean_read_latency_cycles(), plain.statistics.mean_read_latency_cycles());
  EXPECT_GE(plain.cycles, last);
  EXPECT_LE(plain.cycles, last + 2'000);
  EXPECT_LT(drive(spec, config, parse_stream(all_at_once, "s.trc", 512 << 20)).cycles, last / 4);
  fmt::print("600 requests up to cycle {}: done at {}\n", last, plain.cycles);
}

// The trace must lead the reference's RoBaRaCoCh mapper to our bank, row and column.
TEST(DramStream, TheTraceForRamulatorNamesTheSamePlaces) {
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
TEST(DramStream, MappingsSplitAddressesAsDocumented) {
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
}  // namespace winnow::dram
