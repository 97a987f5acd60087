#pragma once
// Query registers in front of Q x K: a ring of `entries` vectors of D 12-bit words (held as int16), and beside each,
// where the policy weighs heads, the 16 bits that its head's output is multiplied with.
//
// In:   one vector a cycle from the converter, in order of arrival; it waits while the ring is full.
// Out:  any held vector, by its number: the n-th query vector that arrived since reset, from 0.
// Latency: a vector written in cycle c may be read from c+1 on; a place released in c is filled from c+1 on.
// State: the words, the number of the oldest held vector, how many are held. Vectors leave in order.
// Paper: IV.E, the query of Q x K, which stays at the multipliers' one input while K rows pass.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "golden/formats.h"
#include "models/prim/memory.h"
#include "models/prim/sizes.h"

namespace winnow {

class QueryRegisters : public MemoryBase {
 public:
  // Queries of the heads in flight and of as many behind them; of a prompt four chunks of positions, since they are
  // ordered by the chunk.
  static int entries_of(const Sizes& s) { return std::max(2 * s.halves, 4 * golden::kQueryChunk) * s.group; }
  // Throws winnow::Error if a size is not positive or D is not a multiple of 8.
  QueryRegisters(int entries, int head_dim, bool weighted = false);

  int entries() const { return entries_; }
  int head_dim() const { return head_dim_; }
  bool weighted() const { return weighted_; }

  // Converter.
  bool can_push(Cycle now) const {
    return pushed_ - (released_ - (release_cycle_ == now ? released_now_ : 0)) < static_cast<std::uint64_t>(entries_);
  }
  // D words, padded to a multiple of 16; the register is reserved in `now` and written in `written`.
  std::int16_t* push(Cycle now, Cycle written);
  std::int16_t* push(Cycle now) { return push(now, now); }
  // Beside the vector that was pushed last.
  void weigh(std::uint16_t weight) { weights_[static_cast<std::size_t>((pushed_ - 1) & mask_)] = weight; }

  // Reader.
  bool ready(std::uint64_t number, Cycle now) const {
    return number >= released_ && number < pushed_ && written_[static_cast<std::size_t>(number & mask_)] < now;
  }
  const std::int16_t* entry(std::uint64_t number) const {
    return &words_[static_cast<std::size_t>(number & mask_) * stride_];
  }
  std::uint16_t weight(std::uint64_t number) const { return weights_[static_cast<std::size_t>(number & mask_)]; }
  void release(std::uint64_t count, Cycle now);  // the oldest `count` vectors

  bool drained() const override { return pushed_ == released_; }
  MemoryShape shape() const override {
    const int bits = golden::kWordBits * head_dim_ + (weighted_ ? golden::kHeadWeightBits : 0);
    return {static_cast<std::uint64_t>(entries_), bits, 1, 1, 1};
  }
  void report(StatSink& sink) const override { sink.count("vectors", "vectors", pushed_); }

  std::uint64_t pushed() const { return pushed_; }
  std::uint64_t released() const { return released_; }
  // By the start of cycle `now`.
  std::uint64_t released(Cycle now) const { return released_ - (release_cycle_ == now ? released_now_ : 0); }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  int entries_, head_dim_;
  bool weighted_;
  std::size_t stride_;
  std::uint64_t mask_;
  std::vector<std::int16_t> words_;
  std::vector<Cycle> written_;  // of each place
  std::vector<std::uint16_t> weights_;
  std::uint64_t pushed_ = 0, released_ = 0, pushed_now_ = 0, released_now_ = 0;
  Cycle push_cycle_ = kNever, release_cycle_ = kNever;
};

}  // namespace winnow
