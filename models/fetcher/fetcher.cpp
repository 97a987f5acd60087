#include "models/fetcher/fetcher.h"

#include <string>

#include "golden/error.h"
#include "models/hbm2/memory.h"

namespace winnow::fetcher {

namespace {

void require(bool ok, const char* name, long long value, const char* rule) {
  if (!ok) throw Error(std::string("fetcher: ") + name + " is " + std::to_string(value) + ", must be " + rule);
}

bool power_of_two(int n) { return n > 0 && (n & (n - 1)) == 0; }

const Params& checked(const Params& params, const MemoryPorts& ports) {
  check(params);
  const auto channels = static_cast<std::size_t>(params.channels);
  require(ports.requests.size() == channels && ports.returns.size() == channels, "channels", params.channels,
          "the memory's number of channels");
  return params;
}

}  // namespace

void check(const Params& p) {
  require(power_of_two(p.lanes) && p.lanes <= kMaxLanes, "lanes", p.lanes, "a power of two up to 32");
  require(power_of_two(p.channels) && p.channels <= 32, "channels", p.channels, "a power of two up to 32");
  require(power_of_two(p.interleave_bytes) && p.interleave_bytes >= kBurstBytes && p.interleave_bytes <= 2048,
          "interleave_bytes", p.interleave_bytes, "a power of two from 32 to 2048");
  require(p.address_fifo >= 2 && p.address_fifo <= 4096, "address_fifo", p.address_fifo, "2..4096");
  require(p.data_fifo >= 2 && p.data_fifo <= 4096, "data_fifo", p.data_fifo, "2..4096");
  require(p.jobs_ahead >= 2 && p.jobs_ahead <= 64, "jobs_ahead", p.jobs_ahead, "2..64");
}

MemoryPorts ports_of(hbm2::Memory& memory) {
  MemoryPorts ports;
  for (int c = 0; c < memory.channels(); ++c) {
    ports.requests.push_back(&memory.requests(c));
    ports.returns.push_back(&memory.returns(c));
  }
  return ports;
}

Fetcher::Fetcher(const Params& params, Fifo<FetchJob>& jobs, Fifo<WriteBurst>& writes, MemoryPorts ports)
    : jobs_(jobs),
      writes_(writes),
      addresses_(checked(params, ports).lanes, params.address_fifo, params.channels, params.interleave_bytes),
      data_(params.lanes, params.data_fifo),
      started_(static_cast<std::size_t>(params.jobs_ahead)),
      generator_(jobs, addresses_, started_, params.lanes),
      address_crossbar_(addresses_, data_, writes, std::move(ports.requests)),
      data_crossbar_(data_, std::move(ports.returns)) {}

void Fetcher::tick(Cycle now) {
  // As idle(), of the links' state at the cycle's start.
  if (!generator_.active() && !jobs_.can_pop(now) && addresses_.pending() == 0 && outstanding_ == 0 &&
      !writes_.can_pop(now)) {
    stats_.idle();
    return;
  }
  // Grants see the address FIFOs at the cycle's start, the generator fills them, then granted heads leave.
  const AddressCrossbar::Result issued = address_crossbar_.tick(now);
  const int made = generator_.tick(now);
  addresses_.commit();
  const int moved = outstanding_ ? data_crossbar_.tick(now) : 0;

  const bool nothing_outstanding = outstanding_ == 0;
  reads_ += static_cast<std::uint64_t>(issued.reads);
  written_ += static_cast<std::uint64_t>(issued.writes);
  outstanding_ += static_cast<std::uint64_t>(issued.reads);
  outstanding_ -= static_cast<std::uint64_t>(moved);
  if (made || issued.reads || issued.writes || moved)
    stats_.busy();
  else if (!nothing_outstanding || issued.channel_full)
    stats_.wait(kMemory);
  else if (addresses_.pending() || !started_.can_push(now))
    stats_.wait(kConverter);
  else
    stats_.busy();  // a job was taken up
}

}  // namespace winnow::fetcher
