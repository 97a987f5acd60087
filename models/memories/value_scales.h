#pragma once
// V scales of the heads in flight: 16-bit unsigned words, one a token, `halves` stores of `tokens`.
//
// In:   words from the converter in slot order, up to its scales_per_cycle a cycle: neighbours, which lie in all banks.
// Out:  one word a bank and cycle: bank = slot mod banks. A second read of a bank in a cycle
//       throws std::logic_error. The halves are SRAMs of their own.
// Latency: a word written in cycle c may be read from c+1 on. A writer whose stages still hold the word says the
//       cycle in which it will be written.
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
  ScaleStore(int halves, int tokens, int banks = 1);

  int halves() const { return static_cast<int>(state_.size()); }
  int tokens() const { return tokens_; }

  // Controller: see KvBuffer::begin.
  void begin(int half, std::uint32_t items, Cycle now);
  bool armed(int half, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.count < h.items && h.begun < now;
  }
  std::uint32_t items(int half) const { return state_[static_cast<std::size_t>(half)].items; }
  std::uint32_t arrived(int half) const { return state_[static_cast<std::size_t>(half)].count; }

  // Converter: the next n words' places, in slot order.
  std::uint16_t* append(int half, std::uint32_t n, Cycle now);

  // Reader: the word of `slot` may be read in cycle `now`.
  bool ready(int half, std::uint32_t slot, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.begun < now && slot < h.count && written_[index(half, slot)] < now;
  }
  bool loaded(int half, Cycle now) const {
    const std::uint32_t n = items(half);
    return n ? ready(half, n - 1, now) : state_[static_cast<std::size_t>(half)].begun < now;
  }
  // Whether the slot's bank was not yet read in `now`.
  bool can_read(int half, std::uint32_t slot, Cycle now) const { return read_[bank(half, slot)] != now; }
  std::uint16_t read(int half, std::uint32_t slot, Cycle now);
  // Without a port, uncounted: for tests.
  const std::uint16_t* word(int half, std::uint32_t slot) const { return &words_[index(half, slot)]; }
  std::uint16_t value(int half, std::uint32_t slot) const { return *word(half, slot); }

  MemoryShape shape() const override { return {words_.size(), 16, halves() * banks_, 1, 1}; }
  void report(StatSink& sink) const override {
    sink.count("words_read", "words read", words_read_);
    sink.count("words_written", "words written", word_writes_);
  }

  std::uint64_t word_writes() const { return word_writes_; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Half {
    std::uint32_t items = 0, count = 0;
    Cycle begun = kNever;
  };
  std::size_t index(int half, std::uint32_t slot) const {
    return static_cast<std::size_t>(half) * static_cast<std::size_t>(tokens_) + slot;
  }
  std::size_t bank(int half, std::uint32_t slot) const {
    return static_cast<std::size_t>(half * banks_) + slot % static_cast<std::uint32_t>(banks_);
  }
  int tokens_, banks_;
  std::vector<Half> state_;
  std::vector<std::uint16_t> words_;  // [half][slot]
  std::vector<Cycle> written_;        // [half][slot]
  std::vector<Cycle> read_;           // [half][bank]: cycle of the last read
  std::uint64_t word_writes_ = 0;
};

}  // namespace winnow
