#pragma once
// The tests' generator: xorshift64*, seeded, the same values on every machine. A failing test prints its seed.
#include <cstddef>
#include <cstdint>

namespace winnow::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : s_(seed * 0x9e3779b97f4a7c15u + 1) { next(), next(); }
  std::uint64_t next() {
    s_ ^= s_ >> 12, s_ ^= s_ << 25, s_ ^= s_ >> 27;
    return s_ * 0x2545f4914f6cdd1du;
  }
  // 0..n-1
  std::uint64_t below(std::uint64_t n) { return (next() >> 11) % n; }
  bool percent(unsigned chance) { return below(100) < chance; }
  template <class T, std::size_t N>
  T pick(const T (&from)[N]) {
    return from[below(N)];
  }

 private:
  std::uint64_t s_;
};

}  // namespace winnow::test
