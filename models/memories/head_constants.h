#pragma once
// Constants of the layers in flight: what turns a score into a distance in octaves, and a sum into an output, a word of
// each query head.
//
// In:   the converter, from the layer's descriptors in memory: a burst of them a cycle. The controller takes a place
//       when it plans a layer and gives it back when the layer has ended.
// Out:  softmax (to_log2), P x V (to_out, out16).
// Latency: words written in cycle c may be read from c+1 on; the writer says c. Who reads before that throws
//       std::logic_error, so softmax waits for loaded(). P x V comes after softmax and need not ask.
// State: three words a query head of each layer in flight, and how many have arrived. Registers, not SRAM.
// Paper: IV.F, where 1/sqrt(D) is part of the scale.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "golden/descriptor.h"
#include "models/prim/memory.h"
#include "models/prim/places.h"
#include "models/prim/refs.h"

namespace winnow {

class HeadConstants : public MemoryBase {
 public:
  // `heads` query heads of a layer, `places` layers in flight.
  HeadConstants(int heads, int places)
      : MemoryBase({"head_constants", "head constants", "converter", "softmax, pv"}),
        heads_(static_cast<std::size_t>(heads)),
        words_(heads_ * static_cast<std::size_t>(places)),
        arrivals_(static_cast<std::size_t>(places)) {}

  // Controller: a place that expects the words of a layer; `expected` false: nobody will read it (shape-only).
  std::uint16_t take(bool expected) {
    const std::uint16_t place = places_.take(arrivals_.size(), "head constants");
    arrivals_[place] = {expected ? heads_ : 0, 0};
    return place;
  }
  void give_back(std::uint16_t place) { places_.give_back(place, "head constants"); }
  // Where a query head's words lie; those of the heads behind it follow.
  ConstantsRef at(std::uint16_t place, int head) const {
    return static_cast<ConstantsRef>(place * heads_ + static_cast<std::size_t>(head));
  }

  // Converter: words of query head `head`, which arrive in order.
  void write(std::uint16_t place, std::size_t head, const golden::Descriptor& d, Cycle written) {
    Arrival& a = arrivals_.at(place);
    if (a.missing == 0 || head + a.missing != heads_)
      throw std::logic_error("head constants: place " + std::to_string(place) + " expects no words of head " +
                             std::to_string(head));
    words_[at(place, static_cast<int>(head))] = d;
    --a.missing, a.from = written + 1;
    words_written_ += 3;
  }
  // All words of the layer may be read in cycle `now`.
  bool loaded(ConstantsRef ref, Cycle now) const {
    const Arrival& a = arrivals_[ref / heads_];
    return a.missing == 0 && a.from <= now;
  }
  const golden::Descriptor& of(ConstantsRef ref) const {
    if (arrivals_[ref / heads_].missing) throw std::logic_error("head constants: read before they have arrived");
    return words_[ref];
  }
  // Without a port, uncounted: for tests.
  golden::Descriptor& poke(ConstantsRef ref) { return words_[ref]; }

  // And a count of what is missing of each layer.
  MemoryShape shape() const override { return {words_.size(), golden::kDescriptorBits, 1, 1, 1}; }
  bool drained() const override { return places_.held() == 0; }

 private:
  struct Arrival {
    std::size_t missing = 0;  // query heads whose words have not arrived
    Cycle from = 0;           // on which the last may be read
  };
  std::size_t heads_;
  Places places_;
  std::vector<golden::Descriptor> words_;
  std::vector<Arrival> arrivals_;
};

}  // namespace winnow
