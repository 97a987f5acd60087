#pragma once
// Request streams of the tests: those of reference.tsv, and more of their kinds. Own generator, no library RNG.
#include <cstdint>
#include <string>

#include "models/dram/stream.h"

namespace winnow::dram::test {

// Knuth's MMIX linear congruential generator, upper 32 bits.
struct Lcg {
  std::uint64_t x;
  std::uint32_t u32() {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(x >> 32);
  }
};

inline RequestStream random_reads(std::uint64_t seed, int n, std::uint64_t span = 256 << 20) {
  RequestStream s;
  Lcg r{seed};
  for (int i = 0; i < n; ++i) s.add(false, r.u32() % (span / 32) * 32, 32);
  return s;
}

inline RequestStream strided_reads(int n, std::uint64_t stride, std::uint64_t span = 512 << 20) {
  RequestStream s;
  for (int i = 0; i < n; ++i) s.add(false, static_cast<std::uint64_t>(i) * stride % span, 32);
  return s;
}

// Three sequential read streams and one write stream, 2 KiB each in turn, 64 MiB apart.
inline RequestStream mixed_turns(int n) {
  RequestStream s;
  for (std::uint64_t turn = 0; static_cast<int>(s.bursts.size()) < n; ++turn)
    for (std::uint64_t burst = 0; burst < 64 && static_cast<int>(s.bursts.size()) < n; ++burst)
      s.add(turn % 4 == 3, (turn % 4 << 26) + turn / 4 * 2048 + burst * 32, 32);
  return s;
}

// Reads and writes at random, some to bursts written shortly before.
inline RequestStream random_mixed(std::uint64_t seed, int n, unsigned write_percent, std::uint64_t span = 64 << 20) {
  RequestStream s;
  Lcg r{seed};
  std::uint64_t last = 0;
  for (int i = 0; i < n; ++i) {
    const bool write = r.u32() % 100 < write_percent;
    std::uint64_t a = r.u32() % (span / 32) * 32;
    if (r.u32() % 8 == 0) a = last;
    if (write) last = a;
    s.add(write, a, 32);
  }
  return s;
}

// Records of `bytes` at random places of a table, as a gather of survivors reads them.
inline RequestStream gather_reads(std::uint64_t seed, int n, std::uint64_t bytes) {
  RequestStream s;
  Lcg r{seed};
  for (int i = 0; i < n; ++i) s.add(false, (static_cast<std::uint64_t>(i) * 4 + r.u32() % 4) * bytes, bytes);
  return s;
}

// Reads and writes drawn burst by burst, `read_percent` of them reads, at places of one kind:
//   rand    bursts at random over 256 MiB            seq     one burst after the other
//   block   256 B at random over 256 MiB             stride  1 KiB apart
//   few     bursts at random over 256 KiB            again   as few, 7 of 8 where was written last
inline RequestStream mix(const std::string& kind, unsigned read_percent, int n) {
  RequestStream s;
  Lcg r{read_percent};
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; static_cast<int>(s.bursts.size()) < n; ++i) {
    const bool write = r.u32() % 100 >= read_percent;
    if (kind == "seq") s.add(write, i * 32, 32);
    if (kind == "stride") s.add(write, i * 1024 % (256 << 20), 32);
    if (kind == "rand") s.add(write, std::uint64_t{r.u32() % (1 << 23)} * 32, 32);
    if (kind == "block") s.add(write, std::uint64_t{r.u32() % (1 << 20)} * 256, 256);
    if (kind == "few" || kind == "again") {
      std::uint64_t a = std::uint64_t{r.u32() % (1 << 13)} * 32;
      if (kind == "again" && r.u32() % 8 != 0) a = last;
      if (write) last = a;
      s.add(write, a, 32);
    }
  }
  return s;
}

// The streams of reference_mixes.tsv: kind_readpercent, 20,000 bursts.
inline RequestStream reference_mix(const std::string& name) {
  const std::size_t at = name.find('_');
  return mix(name.substr(0, at), static_cast<unsigned>(std::stoul(name.substr(at + 1))), 20'000);
}

inline RequestStream reference_stream(const std::string& name) {
  if (name == "a32_seq") return strided_reads(100'000, 32);
  if (name == "b32_rand") return random_reads(1, 100'000);
  if (name == "c1_samebank") return strided_reads(20'000, 16384);
  if (name == "e_lat") return random_reads(7, 5'000);
  if (name == "f_rw") return mixed_turns(100'000);
  return {};
}

}  // namespace winnow::dram::test
