#pragma once
// The main memory: all channels with their controllers, and the bytes they hold. What type it is, its spec says.
//
// In:  one Fifo<Request> a channel. One request is accepted per channel and cycle (a read into the read queue,
//      a write into the write queue; it waits in the FIFO while that queue is full).
// Out: one Fifo<Return> a channel, in the order in which the column commands were issued, not in request order.
//      A read's data is copied from the image in the cycle it completes and can be popped one cycle later.
// Latency: `read_latency` (HBM2: CL + BL) from the RD command; queueing before it. Rate: up to 32 B a cycle and
// channel. State: see channel.h. Waits for: a place in the return queue (reads only).
//
// Return queue: a RD is issued only while fewer than `return_queue` bursts wait in the queue at the cycle's
// start. Reads already in the DRAM (at most as long as `read_latency`) land behind them in places of their own, as a
// FIFO with an almost-full threshold does it in RTL. Reserving one of 16 places from RD to pop instead would hold each
// for 18 cycles and cap a channel at 16/18 of its bandwidth.
//
// Writes change the image when they are accepted: every read accepted later returns the new data. A reader
// that wants the old data must have its return before the write is pushed.
//
// Two clocks: FIFOs and requests live in machine cycles; commands, latencies, refreshes and statistics in memory
// cycles. Memory cycles m with m = floor(n * memory / machine) up to floor((n + 1) * memory / machine) - 1 fall into
// machine cycle n: one each at 1:1, none in some machine cycles where the memory is slower. The first of them accepts
// the request.
//
// Addresses: channel = (a / interleave) mod channels, address inside the channel =
// a / (interleave * channels) * interleave + a mod interleave; from there the mapping of the spec.
// The paper puts 16 channels of HBM2 behind its fetcher's crossbars.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/dram/channel.h"
#include "models/dram/spec.h"
#include "models/dram/statistics.h"
#include "models/dram/stream.h"
#include "models/links/memory_requests.h"
#include "models/prim/fifo.h"

namespace winnow::dram {

struct ClockRatio {  // memory cycles in so many machine cycles
  int memory = 1, machine = 1;
  Cycle memory_cycle(Cycle machine_cycle) const {
    return machine_cycle * static_cast<Cycle>(memory) / static_cast<Cycle>(machine);
  }
};

struct MemoryConfig {
  int channels = 16;          // a power of two
  int interleave_bytes = 32;  // a power of two, 32..2048
  std::string mapping = "M2";
  ControllerPreset controller;  // queue depths a channel, guard, watermarks (default: preset `ch`)
  int return_queue = 16;        // bursts
  int request_queue = 4;        // entries of the FIFO in front of each controller
  Cycle refresh_phase = 0;      // channel c refreshes c * refresh_phase memory cycles after channel 0
  ClockRatio clock;
  Spec spec = default_spec();
};

class Memory {
 public:
  // Throws Error when the configuration contradicts itself. The image is indexed by global address.
  explicit Memory(const MemoryConfig& config, std::vector<std::uint8_t> image = {});
  ~Memory();
  Memory(Memory&&) noexcept;

  const Spec& spec() const { return config_.spec; }
  const MemoryConfig& config() const { return config_; }
  int channels() const { return static_cast<int>(lanes_.size()); }
  int channel_of(std::uint64_t address) const {
    return static_cast<int>((address >> interleave_bits_) & (lanes_.size() - 1));
  }
  std::uint64_t local_address(std::uint64_t address) const {
    return (address >> (interleave_bits_ + channel_bits_) << interleave_bits_) |
           (address & ((std::uint64_t{1} << interleave_bits_) - 1));
  }

  Fifo<Request>& requests(int channel) { return lanes_[static_cast<std::size_t>(channel)].in; }
  Fifo<Return>& returns(int channel) { return lanes_[static_cast<std::size_t>(channel)].out; }
  const Fifo<Request>& requests(int channel) const { return lanes_[static_cast<std::size_t>(channel)].in; }
  const Fifo<Return>& returns(int channel) const { return lanes_[static_cast<std::size_t>(channel)].out; }

  // One machine cycle of every channel; cycles are consecutive.
  void tick(Cycle now);

  // Nothing queued, in flight or waiting to be popped.
  bool idle() const;

  // From now on adds every accepted request to the stream of its channel, by its address inside the channel: what
  // a channel alone, or another simulator, can be run on. One stream a channel; nullptr ends it.
  void record(std::vector<RequestStream>* streams);

  std::vector<std::uint8_t>& image() { return image_; }
  const std::vector<std::uint8_t>& image() const { return image_; }

  // Writes that lie in the queues of the channels, where every later read finds them, since the start.
  std::uint64_t writes_accepted() const { return writes_accepted_; }

  Statistics statistics() const;  // sum over channels
  Statistics statistics(int channel) const;
  Channel& controller(int channel) { return *lanes_[static_cast<std::size_t>(channel)].channel; }

 private:
  struct Lane {
    Fifo<Request> in;
    Fifo<Return> out;
    std::unique_ptr<Channel> channel;
  };
  void tick_channels(Cycle now, Cycle memory_now, bool accepts);
  void tick_lane(std::size_t channel, Cycle now, Cycle memory_now, bool accepts);

  MemoryConfig config_;
  unsigned interleave_bits_ = 0, channel_bits_ = 0;
  std::vector<std::uint8_t> image_;
  std::vector<Lane> lanes_;
  std::vector<RequestStream>* recorded_ = nullptr;
  std::size_t return_queue_ = 16;
  std::uint64_t writes_accepted_ = 0;
  Cycle now_ = 0;  // memory cycles so far
};

}  // namespace winnow::dram
