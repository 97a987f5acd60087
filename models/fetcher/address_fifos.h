#pragma once
// The address FIFOs of all lanes, and which channels each lane asks for.
//
// In:   one address a lane and cycle from the address generator.
// Out:  one of the `window` oldest addresses of each lane to the address crossbar, one a lane and cycle. With a window
// of
//       one, as in the paper, a lane whose oldest address waits for a busy channel holds up those behind it. That
//       bounds what a gather gets of the memory; a window lets them pass. Places in the data FIFO are by order of the
//       addresses, so nothing behind it sees who passed whom.
// Latency: one cycle. State: the addresses, head and tail a lane, of the window's addresses a bit each: sent.
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
  static constexpr int kMostWindow = 8;
  AddressFifos(int lanes, int depth, int channels, int interleave_bytes, int window = 1);

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
    if (level < window_) show(lane, burst);
    if (level + 1 == depth_) room_ &= ~(LaneMask{1} << lane);
  }

  std::uint32_t window() const { return window_; }
  // Lanes that ask for `channel` and have not been served in this cycle.
  LaneMask asking(int channel) const { return asking_[static_cast<std::size_t>(channel)] & ~granted_; }
  // Of a lane that asks for it: how far behind its oldest address the oldest one for `channel` stands.
  std::uint32_t place(int lane, int channel) const {
    const Lane& l = state_[static_cast<std::size_t>(lane)];
    std::uint32_t at = 0;
    while ((l.sent >> at & 1) || channel_of(ring_[index(lane, l.head + at)]) != channel) ++at;
    return at;
  }
  std::uint64_t address(int lane, std::uint32_t place) const {
    return ring_[index(lane, state_[static_cast<std::size_t>(lane)].head + place)];
  }
  void grant(int lane, std::uint32_t place) {
    state_[static_cast<std::size_t>(lane)].sent |= 1u << place;
    granted_ |= LaneMask{1} << lane;
  }
  // What was granted leaves, in order: `left(lane)` for each address whose place in the lane is free.
  template <class Left>
  void commit(Left&& left) {
    for (LaneMask m = granted_; m; m &= m - 1) {
      const int lane = std::countr_zero(m);
      const LaneMask bit = LaneMask{1} << lane;
      Lane& l = state_[static_cast<std::size_t>(lane)];
      if (window_ == 1) {
        asking_[static_cast<std::size_t>(channel_of(ring_[index(lane, l.head)]))] &= ~bit;
      } else {
        for (std::uint32_t at = 0; at < window_ && l.head + at != l.tail; ++at)
          asking_[static_cast<std::size_t>(channel_of(ring_[index(lane, l.head + at)]))] &= ~bit;
      }
      for (; l.sent & 1; l.sent >>= 1) ++l.head, --pending_, room_ |= bit, left(lane);
      for (std::uint32_t at = 0; at < window_ && l.head + at != l.tail; ++at)
        if (!(l.sent >> at & 1)) show(lane, ring_[index(lane, l.head + at)]);
    }
    granted_ = 0;
  }

  std::uint64_t pending() const { return pending_; }  // addresses in all lanes

 private:
  struct Lane {
    std::uint32_t head = 0, tail = 0;
    std::uint32_t sent = 0;  // of the window, a bit each from the head on
  };
  std::size_t index(int lane, std::uint32_t place) const {
    return (static_cast<std::size_t>(lane) << shift_) + (place & mask_);
  }
  void show(int lane, std::uint64_t burst) {
    asking_[static_cast<std::size_t>(channel_of(burst))] |= LaneMask{1} << lane;
  }

  std::uint32_t depth_, mask_, window_;
  int shift_, interleave_shift_, channel_mask_;
  std::vector<std::uint64_t> ring_;  // [lane][place], burst numbers
  std::vector<Lane> state_;
  std::vector<LaneMask> asking_;  // [channel]
  LaneMask room_, granted_ = 0;
  std::uint64_t pending_ = 0;
};

}  // namespace winnow::fetcher
