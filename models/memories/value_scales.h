#pragma once
// V scales of the heads in flight: 16-bit unsigned words, one a token, `halves` stores of `tokens`.
//
// In:   words from the converter in slot order, up to its scales_per_cycle a cycle.
// Out:  any word, one a P x V lane and cycle.
// Latency: a word written in cycle c may be read from c+1 on.
// State: the words and how many have arrived. begin() empties a store and arms it for one load, as KvBuffer.
// Paper: none (SpAtten has one scale a tensor); docs/specification/numbers.md, "Weights and outputs".
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/prim/memory.h"

namespace winnow {

class ScaleStore : public MemoryBase {
 public:
  // Throws winnow::Error if a size is not positive.
  ScaleStore(int halves, int tokens);

  int halves() const { return static_cast<int>(state_.size()); }
  int tokens() const { return tokens_; }

  // Controller: see KvBuffer::begin.
  void begin(int half, std::uint32_t items, Cycle now);
  bool armed(int half, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.count < h.items && h.begun < now;
  }
  std::uint32_t items(int half) const { return state_[static_cast<std::size_t>(half)].items; }

  // Converter: the next n words' places, in slot order.
  std::uint16_t* append(int half, std::uint32_t n, Cycle now);

  // Reader: the word of `slot` may be read in cycle `now`.
  bool ready(int half, std::uint32_t slot, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.begun < now && slot < h.count - (h.last == now ? h.count_now : 0);
  }
  bool loaded(int half, Cycle now) const {
    const std::uint32_t n = items(half);
    return n ? ready(half, n - 1, now) : state_[static_cast<std::size_t>(half)].begun < now;
  }
  std::uint16_t value(int half, std::uint32_t slot) const { return *word(half, slot); }
  // Without a port: for tests.
  const std::uint16_t* word(int half, std::uint32_t slot) const {
    return &words_[static_cast<std::size_t>(half) * static_cast<std::size_t>(tokens_) + slot];
  }

  MemoryShape shape() const override { return {words_.size(), 16, halves(), 1, 1}; }
  void report(StatSink& sink) const override { sink.count("words_written", "words written", word_writes_); }

  std::uint64_t word_writes() const { return word_writes_; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Half {
    std::uint32_t items = 0, count = 0, count_now = 0;  // count_now: of them, written in cycle `last`
    Cycle begun = kNever, last = kNever;
  };
  int tokens_;
  std::vector<Half> state_;
  std::vector<std::uint16_t> words_;  // [half][slot]
  std::uint64_t word_writes_ = 0;
};

}  // namespace winnow
