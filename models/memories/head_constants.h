#pragma once
// Constants of the heads in flight: what turns a score into a distance in octaves, and a sum into an output.
//
// In:   the controller, when a head is opened. Out: softmax (to_log2), P x V (to_out, out16).
// State: three words a query head of each KV head in flight. Registers, not SRAM.
// Paper: IV.F, where 1/sqrt(D) is part of the scale.
#include <array>
#include <cstdint>
#include <vector>

#include "golden/num.h"
#include "models/prim/limits.h"
#include "models/prim/memory.h"
#include "models/prim/places.h"
#include "models/prim/refs.h"

namespace winnow {

struct GroupConstants {
  std::array<golden::Scale, kMaxGroup> to_log2{};  // of a score, a query head each
  std::array<golden::Scale, kMaxGroup> to_out{};   // of a weighted sum
  std::array<std::uint16_t, kMaxGroup> out16{};    // out's scale as a fraction of the model's largest
};

class HeadConstants : public MemoryBase {
 public:
  explicit HeadConstants(int group)
      : MemoryBase({"head_constants", "head constants", "controller", "softmax, pv"}), group_(group) {}

  ConstantsRef take(const GroupConstants& constants) {
    const ConstantsRef place = places_.take(kMost, "head constants");
    if (place >= words_.size()) words_.resize(place + std::size_t{1});
    words_[place] = constants;
    words_written_ += 3 * static_cast<std::uint64_t>(group_);
    return place;
  }
  void give_back(ConstantsRef place) { places_.give_back(place, "head constants"); }
  const GroupConstants& of(ConstantsRef place) const { return words_[place]; }

  // A scale is a mantissa of 17 bits and a shift of 6; out16 has 16.
  MemoryShape shape() const override {
    const auto heads = static_cast<std::uint64_t>(places_.most() ? places_.most() : 1);
    return {heads * static_cast<std::uint64_t>(group_), 2 * (17 + 6) + 16, 1, 1, 1};
  }
  bool drained() const override { return places_.held() == 0; }

 private:
  static constexpr std::size_t kMost = 64;
  int group_;
  Places places_;
  std::vector<GroupConstants> words_;
};

}  // namespace winnow
