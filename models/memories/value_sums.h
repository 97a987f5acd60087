#pragma once
// Sums of V of the heads in flight: D signed words of 24 bits a KV head, over all its tokens. What a selection leaves
// out is given its mean V through them.
//
// In:   one vector a head and step from the converter. Out: P x V, all words of a head.
// Latency: as V's scales: a writer whose stages still hold the words says the cycle in which they will be written.
// State: the words; begin() empties a half and arms it for one load, as KvBuffer.
// Paper: none; docs/specification/selection.md, "Compensation".
#include <cstddef>
#include <cstdint>
#include <vector>

#include "golden/formats.h"
#include "models/prim/fifo.h"
#include "models/prim/memory.h"

namespace winnow {

class ValueSums : public MemoryBase {
 public:
  ValueSums(int halves, int head_dim)
      : MemoryBase({"value_sums", "value sums", "converter", "pv"}),
        head_dim_(static_cast<std::size_t>(head_dim)),
        state_(static_cast<std::size_t>(halves)),
        words_(static_cast<std::size_t>(halves) * head_dim_) {}

  // Controller: what the half held is void from the next cycle on, and a vector is expected.
  void begin(int half, Cycle now) { state_[static_cast<std::size_t>(half)] = {now, kNever, true}; }
  bool armed(int half, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.expected && h.begun < now;
  }
  // Converter: the place of its D words.
  std::int32_t* write(int half, Cycle written) {
    Half& h = state_[static_cast<std::size_t>(half)];
    h.expected = false, h.written = written;
    words_written_ += head_dim_;
    return &words_[static_cast<std::size_t>(half) * head_dim_];
  }
  bool loaded(int half, Cycle now) const { return state_[static_cast<std::size_t>(half)].written < now; }
  const std::int32_t* read(int half) const {
    words_read_ += head_dim_;
    return peek(half);
  }
  // Without a port, uncounted.
  const std::int32_t* peek(int half) const { return &words_[static_cast<std::size_t>(half) * head_dim_]; }
  int halves() const { return static_cast<int>(state_.size()); }

  MemoryShape shape() const override { return {words_.size(), golden::kValueSumBits, halves(), 1, 1}; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Half {
    Cycle begun = kNever, written = kNever;
    bool expected = false;
  };
  std::size_t head_dim_;
  std::vector<Half> state_;
  std::vector<std::int32_t> words_;
};

}  // namespace winnow
