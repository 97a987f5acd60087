#pragma once
// Constants of the heads in flight: what turns a score into a distance in octaves, and a sum into an output.
//
// In:   the converter, from the head's descriptor in memory: one query head's words a cycle. The controller takes a place
//       when it opens a head and gives it back when the head has left. Out: softmax (to_log2), P x V (to_out, out16).
// Latency: words written in cycle c may be read from c+1 on; the writer says c. Who reads before that throws
//       std::logic_error, so softmax waits for loaded(). P x V comes after softmax and need not ask.
// State: three words a query head of each KV head in flight, and how many have arrived. Registers, not SRAM.
// Paper: IV.F, where 1/sqrt(D) is part of the scale.
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "golden/layout.h"
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
      : MemoryBase({"head_constants", "head constants", "converter", "softmax, pv"}), group_(group) {}

  // Controller: a place that expects the words of `heads` query heads; 0: nobody will read it (shape-only).
  ConstantsRef take(std::uint32_t heads) {
    const ConstantsRef place = places_.take(kMost, "head constants");
    if (place >= words_.size()) words_.resize(place + std::size_t{1});
    words_[place] = {};
    words_[place].missing = heads;
    return place;
  }
  // Converter.
  void write(ConstantsRef place, std::uint32_t head, const golden::Descriptor& d, Cycle written) {
    Place& p = words_.at(place);
    if (p.missing == 0 || head >= static_cast<std::uint32_t>(group_))
      throw std::logic_error("head constants: place " + std::to_string(place) + " expects no words of head " +
                             std::to_string(head));
    p.constants.to_log2[head] = d.to_log2, p.constants.to_out[head] = d.to_out, p.constants.out16[head] = d.out16;
    p.written = written, --p.missing;
    words_written_ += 3;
  }
  // All words of the place may be read in cycle `now`.
  bool loaded(ConstantsRef place, Cycle now) const {
    const Place& p = words_[place];
    return p.missing == 0 && (p.written == kNever || p.written < now);
  }
  void give_back(ConstantsRef place) { places_.give_back(place, "head constants"); }
  const GroupConstants& of(ConstantsRef place) const {
    if (words_[place].missing) throw std::logic_error("head constants: read before they have arrived");
    return words_[place].constants;
  }
  // Without a port, uncounted: for tests.
  GroupConstants& poke(ConstantsRef place) { return words_[place].constants; }

  // A scale is a mantissa of 16 bits and a shift of 8; out16 has 16.
  MemoryShape shape() const override {
    const auto heads = static_cast<std::uint64_t>(places_.most() ? places_.most() : 1);
    return {heads * static_cast<std::uint64_t>(group_), golden::kDescriptorBits, 1, 1, 1};
  }
  bool drained() const override { return places_.held() == 0; }

 private:
  static constexpr std::size_t kMost = 64;
  static constexpr Cycle kNever = ~Cycle{0};
  struct Place {
    GroupConstants constants;
    std::uint32_t missing = 0;  // query heads whose words have not arrived
    Cycle written = kNever;
  };
  int group_;
  Places places_;
  std::vector<Place> words_;
};

}  // namespace winnow
