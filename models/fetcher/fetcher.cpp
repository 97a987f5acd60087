#include "models/fetcher/fetcher.h"

#include <string>

#include "golden/error.h"

namespace winnow {

namespace {

void require(bool ok, const char* name, long long value, const char* rule) {
  if (!ok) throw Error(std::string("fetcher: ") + name + " is " + std::to_string(value) + ", must be " + rule);
}

bool power_of_two(int n) { return n > 0 && (n & (n - 1)) == 0; }

const FetcherParams& checked(const FetcherParams& params, const MemoryGrid& grid, const MemoryPorts& ports) {
  check(params, grid);
  const auto channels = static_cast<std::size_t>(grid.channels);
  require(ports.requests.size() == channels && ports.returns.size() == channels, "channels", grid.channels,
          "the memory's number of channels");
  return params;
}

}  // namespace

void check(const FetcherParams& p, const MemoryGrid& m) {
  require(power_of_two(p.lanes) && p.lanes <= kMaxLanes, "lanes", p.lanes, "a power of two up to 32");
  require(power_of_two(m.channels) && m.channels <= 32, "channels", m.channels, "a power of two up to 32");
  require(power_of_two(m.interleave_bytes) && m.interleave_bytes >= kBurstBytes && m.interleave_bytes <= 2048,
          "interleave_bytes", m.interleave_bytes, "a power of two from 32 to 2048");
  require(p.address_fifo >= 2 && p.address_fifo <= 4096, "address_fifo", p.address_fifo, "2..4096");
  require(p.data_fifo >= 2 && p.data_fifo <= 4096, "data_fifo", p.data_fifo, "2..4096");
}

Fetcher::Fetcher(const FetcherParams& params, const MemoryGrid& grid, Fifo<FetchJob>& jobs, const Lists& lists,
                 Fifo<WriteBurst>& writes, MemoryPorts ports, StartedJobs& started, DataFifos& data)
    : Block("fetcher", "fetcher"),
      jobs_(jobs),
      writes_(writes),
      started_(started),
      addresses_(checked(params, grid, ports).lanes, params.address_fifo, grid.channels, grid.interleave_bytes),
      generator_(jobs, lists, addresses_, started, params.lanes),
      address_crossbar_(addresses_, data, writes, std::move(ports.requests)),
      data_crossbar_(data, std::move(ports.returns)) {}

void Fetcher::report(StatSink& sink) const {
  sink.count("address_conflicts", "address conflicts", address_conflicts());
  sink.count("data_conflicts", "data conflicts", data_conflicts());
}

void Fetcher::tick(Cycle now) {
  // As idle(), of the links' state at the cycle's start.
  if (!generator_.active() && !jobs_.can_pop(now) && addresses_.pending() == 0 && outstanding_ == 0 &&
      !writes_.can_pop(now)) {
    stats_.idle();
    return;
  }
  // Grants see the address FIFOs at the cycle's start, the generator fills them, then granted heads leave.
  const fetcher::AddressCrossbar::Result issued = address_crossbar_.tick(now);
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

}  // namespace winnow
