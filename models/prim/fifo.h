#pragma once
// Synchronous FIFO, the one link between blocks: ready/valid on both sides, no path from ready to valid.
//
// What each side sees in a cycle is the state at the cycle's start, whatever order the blocks are
// evaluated in: an entry pushed in cycle c can be popped from c+1 on, a place freed in cycle c can be
// filled from c+1 on. `valid` is can_pop(), `ready` is can_push(): both functions of state alone, as
// in common_cells' fifo_v3 without fall-through. Depth >= 2 gives one transfer a cycle.
//
// One producer, one consumer. One entry a cycle goes in and one out, or `width` of them where the link is that wide
// (push/pop called repeatedly); more than that throws std::logic_error, as it would need a second port.
//
// Either side can be held, as a stall of its own: it sees no entry, or no place, until it is let go.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace winnow {

using Cycle = std::uint64_t;

template <class T>
class Fifo {
 public:
  explicit Fifo(std::size_t depth, std::size_t width = 1) : depth_(depth), width_(width) {
    std::size_t n = 1;
    while (n < depth) n <<= 1;
    ring_.resize(n);
    mask_ = n - 1;
  }

  std::size_t depth() const { return depth_; }

  // Entries the consumer may pop in cycle `now`.
  std::size_t level(Cycle now) const {
    return held_out_ ? 0 : static_cast<std::size_t>(wr_ - (wr_cycle_ == now ? wr_now_ : 0) - rd_);
  }
  // Entries the producer may push in cycle `now`.
  std::size_t space(Cycle now) const {
    return held_in_ ? 0 : depth_ - static_cast<std::size_t>(wr_ - (rd_ - (rd_cycle_ == now ? rd_now_ : 0)));
  }
  bool can_pop(Cycle now) const { return level(now) != 0; }
  bool can_push(Cycle now) const { return space(now) != 0; }

  // i-th entry from the head, i < level(now).
  const T& peek(std::size_t i = 0) const { return ring_[(rd_ + i) & mask_]; }
  T& peek(std::size_t i = 0) { return ring_[(rd_ + i) & mask_]; }

  void pop(Cycle now) {
    assert(can_pop(now));
    if (rd_cycle_ != now)
      rd_cycle_ = now, rd_now_ = 0;
    else if (rd_now_ == width_)
      throw std::logic_error("fifo: more pops in a cycle than it is wide");
    ++rd_now_, ++rd_;
  }

  // Claims the next entry and returns it for writing in place.
  T& push(Cycle now) {
    assert(can_push(now));
    if (wr_cycle_ != now)
      wr_cycle_ = now, wr_now_ = 0;
    else if (wr_now_ == width_)
      throw std::logic_error("fifo: more pushes in a cycle than it is wide");
    ++wr_now_;
    return ring_[wr_++ & mask_];
  }
  void push(Cycle now, const T& value) { push(now) = value; }

  // The entry pushed last.
  T& newest() { return ring_[(wr_ - 1) & mask_]; }
  // The entry popped last, in the cycle of its pop: its place is filled from the next one on.
  const T& taken_last() const { return ring_[(rd_ - 1) & mask_]; }
  void hold_consumer(bool on) { held_out_ = on; }
  void hold_producer(bool on) { held_in_ = on; }

  bool drained() const { return wr_ == rd_; }
  std::uint64_t pushed() const { return wr_; }
  std::uint64_t popped() const { return rd_; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  std::vector<T> ring_;
  std::size_t depth_, width_, mask_ = 0;
  std::uint64_t wr_ = 0, rd_ = 0, wr_now_ = 0, rd_now_ = 0;
  Cycle wr_cycle_ = kNever, rd_cycle_ = kNever;
  bool held_in_ = false, held_out_ = false;
};

}  // namespace winnow
