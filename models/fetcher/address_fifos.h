#pragma once
// The address FIFOs of all lanes, and which channel each lane's head asks for.
//
// In:   one address a lane and cycle from the address generator.
// Out:  the head of each lane to the address crossbar, one a lane and cycle.
// Latency: one cycle. State: the addresses, head and tail a lane, the head's channel a lane.
// Both sides are parts of the fetcher, which evaluates them in this order: crossbar grants (grant), generator
// pushes (push), and only then the granted heads leave (commit): all see the state at the cycle's start.
// Paper: IV.D, 32 address FIFOs 64 x 8 B.
#include <bit>
#include <cassert>
#include <cstdint>
#include <vector>

#include "models/links/data_fifos.h"

namespace winnow::fetcher {

class AddressFifos {
 public:
  AddressFifos(int lanes, int depth, int channels, int interleave_bytes);

  std::uint64_t entries() const { return std::uint64_t{state_.size()} * depth_; }

  // Channel of a burst number (address / 32).
  int channel_of(std::uint64_t burst) const { return static_cast<int>(burst >> interleave_shift_) & channel_mask_; }

  // Lanes that can take an address in this cycle.
  LaneMask room() const { return room_; }
  void push(int lane, std::uint64_t burst) {
    Lane& l = state_[static_cast<std::size_t>(lane)];
    const std::uint32_t level = l.tail - l.head;
    assert(level < depth_);
    ring_[index(lane, l.tail++)] = burst;
    ++pending_;
    if (level == 0) show(lane, burst);
    if (level + 1 == depth_) room_ &= ~(LaneMask{1} << lane);
  }

  // Lanes whose head asks for `channel`.
  LaneMask asking(int channel) const { return asking_[static_cast<std::size_t>(channel)]; }
  std::uint64_t head(int lane) const { return ring_[index(lane, state_[static_cast<std::size_t>(lane)].head)]; }
  void grant(int lane, int channel) {
    asking_[static_cast<std::size_t>(channel)] &= ~(LaneMask{1} << lane);
    granted_ |= LaneMask{1} << lane;
  }
  void commit() {
    for (LaneMask m = granted_; m; m &= m - 1) {
      const int lane = std::countr_zero(m);
      Lane& l = state_[static_cast<std::size_t>(lane)];
      --pending_;
      if (++l.head != l.tail) show(lane, ring_[index(lane, l.head)]);
    }
    room_ |= granted_;
    granted_ = 0;
  }

  std::uint64_t pending() const { return pending_; }  // addresses in all lanes

 private:
  struct Lane {
    std::uint32_t head = 0, tail = 0;
  };
  std::size_t index(int lane, std::uint32_t place) const {
    return (static_cast<std::size_t>(lane) << shift_) + (place & mask_);
  }
  void show(int lane, std::uint64_t burst) {
    asking_[static_cast<std::size_t>(channel_of(burst))] |= LaneMask{1} << lane;
  }

  std::uint32_t depth_, mask_;
  int shift_, interleave_shift_, channel_mask_;
  std::vector<std::uint64_t> ring_;  // [lane][place], burst numbers
  std::vector<Lane> state_;
  std::vector<LaneMask> asking_;  // [channel]
  LaneMask room_, granted_ = 0;
  std::uint64_t pending_ = 0;
};

}  // namespace winnow::fetcher
