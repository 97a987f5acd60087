#pragma once
// Random values for a block's ports: what the expressions of a manifest's `stimuli` are written with.
#include <cstdint>
#include <functional>
#include <string>

namespace winnow::rtl {

class Stimuli {
 public:
  explicit Stimuli(std::uint64_t seed) : s_(seed * 0x9e3779b97f4a7c15u + 1) { next(), next(); }
  std::uint64_t next() {  // xorshift64*
    s_ ^= s_ >> 12, s_ ^= s_ << 25, s_ ^= s_ >> 27;
    return s_ * 0x2545f4914f6cdd1du;
  }
  std::uint64_t below(std::uint64_t n) { return (next() >> 11) % n; }
  bool percent(unsigned chance) { return below(100) < chance; }
  // One of from, from + 1, ... to.
  std::uint64_t in(std::uint64_t from, std::uint64_t to) { return from + below(to - from + 1); }
  std::uint64_t bits(int n) { return n == 0 ? 0 : next() >> (64 - n); }
  // Of any size up to n bits: small values are as likely as large ones.
  std::uint64_t any_size(int n) { return bits(static_cast<int>(in(0, static_cast<std::uint64_t>(n)))); }
  // Mostly at a value or beside it, else of any size up to n bits.
  std::uint64_t near(std::uint64_t value, int n) {
    const std::uint64_t v = percent(25) ? any_size(n) : value + below(4) - (value ? 1 : 0);
    return v & (n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1);
  }

  // Set by the test: a setting's value in this run, how many words a memory has, and the value of a field of the same
  // payload, one that stands before.
  std::function<std::uint64_t(const std::string&)> setting, words, field;

 private:
  std::uint64_t s_;
};

// Bubbles or back-pressure on one side of a link: chances that are drawn anew now and then; in half of the draws it
// never hesitates.
class Hesitation {
 public:
  bool go(Stimuli& random) {
    if (random.below(64) == 0) chance_ = random.below(2) ? 100 : static_cast<unsigned>(random.in(5, 90));
    return random.percent(chance_);
  }

 private:
  unsigned chance_ = 100;
};

}  // namespace winnow::rtl
