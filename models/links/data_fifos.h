#pragma once
// The data FIFOs of all lanes: they restore the order in which a lane's bursts were asked for.
//
// In:   reserve(): the address crossbar takes the lane's next place when it issues a request, one a lane and
//       cycle; write(): the data crossbar puts the burst into its place, one a lane and cycle, in any order.
// Out:  front() and pop(): the lane's oldest place, once its burst is there; one a lane and cycle.
// Latency: a burst written in cycle c can be popped from c+1 on, a place popped in c can be reserved from c+1
//       on, whatever order fetcher and converter are evaluated in.
// State: the bursts, a presence bit a place, head, tail and number of places taken a lane.
// Paper: IV.D, 32 data FIFOs 64 x 16 B, order restored; 32 B bursts here: docs/specification/machine.md, "Fetcher".
#include <bit>
#include <cassert>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/links/write_bursts.h"
#include "models/prim/link.h"

namespace winnow {

using LaneMask = std::uint64_t;  // bit l = lane l

class DataFifos : public LinkBase {
 public:
  static constexpr LinkInfo kInfo{"data_fifos", "fetcher", "converter",
                                  "a lane's bursts on their way through the memory; the machine's fetcher.data_fifo"};
  DataFifos(int lanes, int depth);

  int lanes() const { return lanes_; }
  std::size_t depth() const override { return static_cast<std::size_t>(depth_); }  // of a lane
  int bits() const override { return 8 * kBurstBytes; }
  int copies() const override { return lanes_; }
  bool drained() const override { return held_ == 0; }
  std::uint64_t pushed() const override { return written_; }

  // Address crossbar: lanes with a place free at the start of cycle `now`.
  LaneMask room(Cycle now) const { return room_ & ~(pop_cycle_ == now ? freed_ : 0); }
  // Takes the next place of a lane in room(now) and returns its number, which the request's tag carries.
  std::uint32_t reserve(int lane) {
    Lane& l = lanes_state_[static_cast<std::size_t>(lane)];
    assert(l.used < static_cast<std::uint32_t>(depth_));
    if (++l.used == static_cast<std::uint32_t>(depth_)) room_ &= ~bit(lane);
    return l.tail++ & mask_;
  }

  // Data crossbar.
  void write(int lane, std::uint32_t place, const Burst& burst, Cycle now) {
    const std::size_t i = index(lane, place);
    assert(!present_[i]);
    bursts_[i] = burst;
    present_[i] = 1;
    ++held_, ++written_;
    if (place == (lanes_state_[static_cast<std::size_t>(lane)].head & mask_)) {
      if (write_cycle_ != now) write_cycle_ = now, arrived_ = 0;
      arrived_ |= bit(lane);
      ready_ |= bit(lane);
    }
  }

  // Converter: lanes whose oldest burst can be popped in cycle `now`.
  LaneMask ready(Cycle now) const { return ready_ & ~(write_cycle_ == now ? arrived_ : 0); }
  const Burst& front(int lane) const {
    return bursts_[index(lane, lanes_state_[static_cast<std::size_t>(lane)].head & mask_)];
  }
  // The lane is in ready(now), and popped once a cycle.
  void pop(int lane, Cycle now) {
    if (pop_cycle_ != now) pop_cycle_ = now, popped_ = 0, freed_ = 0;
    assert(!(popped_ & bit(lane)));
    Lane& l = lanes_state_[static_cast<std::size_t>(lane)];
    popped_ |= bit(lane);
    if (l.used-- == static_cast<std::uint32_t>(depth_)) {
      freed_ |= bit(lane);
      room_ |= bit(lane);
    }
    present_[index(lane, l.head & mask_)] = 0;
    --held_;
    ++l.head;
    if (!present_[index(lane, l.head & mask_)]) ready_ &= ~bit(lane);
  }

  std::uint64_t held() const { return held_; }  // bursts in all lanes
  std::uint32_t used(int lane) const { return lanes_state_[static_cast<std::size_t>(lane)].used; }  // places taken

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Lane {
    std::uint32_t head = 0, tail = 0, used = 0;
  };
  static LaneMask bit(int lane) { return LaneMask{1} << lane; }
  std::size_t index(int lane, std::uint32_t place) const { return (static_cast<std::size_t>(lane) << shift_) + place; }

  int lanes_, depth_, shift_;
  std::uint32_t mask_;
  std::vector<Burst> bursts_;          // [lane][place]
  std::vector<std::uint8_t> present_;  // [lane][place]
  std::vector<Lane> lanes_state_;
  LaneMask room_, ready_ = 0;
  LaneMask popped_ = 0, freed_ = 0;  // in pop_cycle_: popped; popped while full
  LaneMask arrived_ = 0;             // in write_cycle_: lanes whose oldest burst arrived
  Cycle pop_cycle_ = kNever, write_cycle_ = kNever;
  std::uint64_t held_ = 0, written_ = 0;
};

}  // namespace winnow
