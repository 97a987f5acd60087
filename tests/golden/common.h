#pragma once
// What the tests of golden share: a seeded generator and a count of what was compared.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/support/random.h"

namespace winnow::golden::test {

__extension__ typedef __int128 Int128;  // the references' integer, wide enough for every product

// Draws as arithmetic is tried with.
class Random : public winnow::test::Random {
 public:
  using winnow::test::Random::Random;
  std::uint64_t bits() { return next(); }
  int between(int low, int high) { return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low + 1))); }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  // A value of a random number of bits, 0..most: small and large ones alike.
  std::uint64_t wide(int most) {
    const int n = between(0, most);
    return n == 0 ? 0 : bits() >> (64 - n);
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double normal() {  // sum of 12 uniforms
    double s = -6;
    for (int i = 0; i < 12; ++i) s += unit();
    return s;
  }
  template <class T>
  const T& of(const std::vector<T>& v) {
    return v[below(v.size())];
  }
};

// Counts comparisons; a test that compared less than it must have fails.
class Compared {
 public:
  explicit Compared(std::uint64_t least = 1) : least_(least) {}
  ~Compared() {
    std::printf("[ compared ] %llu values\n", static_cast<unsigned long long>(n_));
    EXPECT_GE(n_, least_) << "fewer comparisons than the test stands for";
  }
  void add(std::uint64_t n = 1) { n_ += n; }
  std::uint64_t count() const { return n_; }

 private:
  std::uint64_t n_ = 0, least_;
};

}  // namespace winnow::golden::test
