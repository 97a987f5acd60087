#include "models/dram/memory.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "golden/error.h"

namespace winnow::dram {
namespace {

int power_of_two(int value, const std::string& what, int low, int high) {
  if (value < low || value > high || !std::has_single_bit(static_cast<unsigned>(value)))
    throw Error(fmt::format("{}: '{}' must be a power of two in {}..{}", what, value, low, high));
  return std::countr_zero(static_cast<unsigned>(value));
}

int in_range(int value, const std::string& what, int low, int high) {
  if (value < low || value > high) throw Error(fmt::format("{}: '{}' must be in {}..{}", what, value, low, high));
  return value;
}

}  // namespace

Memory::Memory(const MemoryConfig& config, std::vector<std::uint8_t> image)
    : config_(config), image_(std::move(image)) {
  const std::string& type = config.spec.type;
  channel_bits_ = static_cast<unsigned>(power_of_two(config.channels, type + ".channels", 1, 256));
  interleave_bits_ = static_cast<unsigned>(power_of_two(config.interleave_bytes, type + ".interleave_bytes", 32, 2048));
  return_queue_ = static_cast<std::size_t>(in_range(config.return_queue, type + ".return_queue", 1, 4096));
  in_range(config.request_queue, type + ".request_queue", 2, 4096);
  in_range(config.clock.memory, type + ".clock.memory", 1, 64);
  in_range(config.clock.machine, type + ".clock.machine", 1, 64);
  // Reads that may be in flight when the queue fills, and as many answered from the write queue.
  const std::size_t in_flight = 2 * static_cast<std::size_t>(config.spec.evaluate(config.spec.read_latency) + 1);
  const auto table = std::make_shared<const CommandTable>(config.spec, config.controller.pseudo_channels);
  for (int c = 0; c < config.channels; ++c)
    lanes_.push_back({Fifo<Request>(static_cast<std::size_t>(config.request_queue)),
                      Fifo<Return>(return_queue_ + in_flight, in_flight),
                      std::make_unique<Channel>(config.spec, config.controller, config.mapping,
                                                config.refresh_phase * static_cast<Cycle>(c), table)});
  const std::uint64_t capacity = config.spec.channel_bytes(config.controller.pseudo_channels) << channel_bits_;
  if (image_.size() > capacity)
    throw Error(fmt::format("{}: the image of {} bytes must fit into the {} bytes of {} channels", type, image_.size(),
                            capacity, config.channels));
}

Memory::~Memory() = default;
Memory::Memory(Memory&&) noexcept = default;

void Memory::tick(Cycle now) {
  if (config_.clock.memory == config_.clock.machine) [[likely]] {
    tick_channels(now, now, true);
    now_ = now + 1;
    return;
  }
  const Cycle first = config_.clock.memory_cycle(now), end = config_.clock.memory_cycle(now + 1);
  for (Cycle m = first; m < end; ++m) tick_channels(now, m, m == first);
  now_ = end;
}

void Memory::tick_channels(Cycle now, Cycle memory_now, bool accepts) {
  for (std::size_t c = 0; c < lanes_.size(); ++c) {
    const Lane& lane = lanes_[c];
    if (memory_now >= lane.channel->wake() || lane.channel->has_return(memory_now) || !lane.in.drained())
      tick_lane(c, now, memory_now, accepts);
  }
}

void Memory::record(std::vector<RequestStream>* streams) {
  if (streams) streams->resize(lanes_.size());
  recorded_ = streams;
}

void Memory::tick_lane(std::size_t channel, Cycle now, Cycle memory_now, bool accepts) {
  Lane& lane = lanes_[channel];
  Channel& ch = *lane.channel;
  const std::size_t waiting = lane.out.depth() - lane.out.space(now);
  const bool room = waiting + ch.pending_count() + 2 <= lane.out.depth();  // one answered from the write queue, one RD
  if (accepts && lane.in.can_pop(now)) {
    const Request& r = lane.in.peek();
    if (r.address + kBurstBytes > image_.size() || r.address % kBurstBytes != 0)
      throw Error(fmt::format("{}: address {:#x} must be a multiple of 32 inside the image of {} bytes",
                              config_.spec.type, r.address, image_.size()));
    if ((r.write || room) && ch.accept(memory_now, local_address(r.address), r.write, r.address, r.tag)) {
      if (r.write) std::memcpy(&image_[r.address], r.data.data(), kBurstBytes), ++writes_accepted_;
      if (recorded_) [[unlikely]]
        (*recorded_)[channel].add(r.write, local_address(r.address), kBurstBytes);
      lane.in.pop(now);
    }
  }
  while (ch.has_return(memory_now)) {
    const ReturnedRead read = ch.pop_return(memory_now);
    Return& out = lane.out.push(now);
    out.address = read.address;
    out.tag = read.tag;
    std::memcpy(out.data.data(), &image_[read.address], kBurstBytes);
  }
  if (memory_now >= ch.wake()) ch.tick(memory_now, waiting < return_queue_ && room);
}

bool Memory::idle() const {
  for (const Lane& lane : lanes_)
    if (!lane.in.drained() || !lane.out.drained() || !lane.channel->idle()) return false;
  return true;
}

Statistics Memory::statistics(int channel) const {
  return lanes_[static_cast<std::size_t>(channel)].channel->statistics(now_);
}

Statistics Memory::statistics() const {
  Statistics sum;
  for (int c = 0; c < channels(); ++c) sum += statistics(c);
  return sum;
}

}  // namespace winnow::dram
