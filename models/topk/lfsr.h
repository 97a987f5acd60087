#pragma once
// 16-bit Galois LFSR, polynomial x^16 + x^14 + x^13 + x^11 + 1 (shift right, feedback 0xb400), period 65,535.
// Gives a lane below `count` by multiply-high: the upper bits of state * count. RTL: rtl/prim/prim_lfsr.sv.
#include <cstdint>

namespace winnow::topk {

class Lfsr {
 public:
  // Folds 64 bits to 16; 0, the one state that never leaves itself, becomes 0xace1.
  static std::uint16_t fold(std::uint64_t seed) {
    const auto s = static_cast<std::uint16_t>(seed ^ (seed >> 16) ^ (seed >> 32) ^ (seed >> 48));
    return s ? s : 0xace1;
  }

  explicit Lfsr(std::uint64_t seed) : state_(fold(seed)) {}
  std::uint16_t state() const { return state_; }
  unsigned below(unsigned count) const { return (state_ * count) >> 16; }
  void seed(std::uint64_t seed) { state_ = fold(seed); }
  void tick() { state_ = static_cast<std::uint16_t>((state_ >> 1) ^ (state_ & 1 ? 0xb400 : 0)); }

 private:
  std::uint16_t state_;
};

}  // namespace winnow::topk
