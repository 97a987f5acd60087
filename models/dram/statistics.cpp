#include "models/dram/statistics.h"

namespace winnow::dram {

Statistics& Statistics::operator+=(const Statistics& o) {
  activates += o.activates;
  precharges += o.precharges;
  precharge_alls += o.precharge_alls;
  reads += o.reads;
  writes += o.writes;
  refreshes += o.refreshes;
  row_hits += o.row_hits;
  row_misses += o.row_misses;
  row_conflicts += o.row_conflicts;
  forwarded_reads += o.forwarded_reads;
  coalesced_writes += o.coalesced_writes;
  bytes_read += o.bytes_read;
  bytes_written += o.bytes_written;
  reads_returned += o.reads_returned;
  read_latency_cycles += o.read_latency_cycles;
  cycles += o.cycles;
  busy_cycles += o.busy_cycles;
  row_open_cycles += o.row_open_cycles;
  refresh_cycles += o.refresh_cycles;
  return_wait_cycles += o.return_wait_cycles;
  return *this;
}

double Statistics::mean_read_latency_cycles() const {
  return reads_returned ? static_cast<double>(read_latency_cycles) / static_cast<double>(reads_returned) : 0.0;
}

}  // namespace winnow::dram
