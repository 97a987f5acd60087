#pragma once
// What a channel counts. Names carry their unit; sums over channels are member-wise.
#include <cstdint>

namespace winnow::dram {

struct Statistics {
  // commands
  std::uint64_t activates = 0, precharges = 0, precharge_alls = 0, reads = 0, writes = 0, refreshes = 0;
  // each request once, by what its first command found
  std::uint64_t row_hits = 0, row_misses = 0, row_conflicts = 0;
  std::uint64_t forwarded_reads = 0;   // answered from the write queue
  std::uint64_t coalesced_writes = 0;  // merged into a queued write to the same burst
  std::uint64_t bytes_read = 0, bytes_written = 0;
  std::uint64_t reads_returned = 0, read_latency_cycles = 0;  // sum over the reads returned
  // channel-cycles
  std::uint64_t cycles = 0;
  std::uint64_t busy_cycles = 0;         // a request queued or in flight
  std::uint64_t row_open_cycles = 0;     // at least one row open
  std::uint64_t refresh_cycles = 0;      // pseudo-channel cycles inside an all-bank refresh
  std::uint64_t return_wait_cycles = 0;  // a read was ready, the return queue full

  Statistics& operator+=(const Statistics& o);
  double mean_read_latency_cycles() const;
};

}  // namespace winnow::dram
