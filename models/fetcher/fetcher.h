#pragma once
// Fetcher: brings what live tokens name from HBM2, in order, and sends output vectors there.
//
// In:   Fifo<FetchJob> (address lists), Fifo<WriteBurst> (write-back).
// Out:  data(): bursts in order a lane; started(): the jobs in the same order. Both go to the converter.
//       To memory: one Fifo<hbm2::Request> and one Fifo<hbm2::Return> a channel.
// Rate: `lanes` addresses, `channels` requests and `channels` bursts a cycle.
// Latency without the memory: job popped in c, first addresses made in c+1, issued in c+2; a return that can
//       be popped in cycle r can be taken by the converter in r+1.
// State: job, address FIFOs, data FIFOs, round-robin pointers.
// Waits for: hbm2 (data outstanding, request FIFOs full), converter (data FIFOs or job queue full).
// Parts: address generator -> address FIFOs -> address crossbar -> HBM2 -> data crossbar -> data FIFOs.
// Paper: section 3, "fetcher".
#include <cstdint>
#include <vector>

#include "models/fetcher/address_crossbar.h"
#include "models/fetcher/address_fifos.h"
#include "models/fetcher/address_generator.h"
#include "models/fetcher/data_crossbar.h"
#include "models/fetcher/data_fifos.h"
#include "models/fetcher/job_queue.h"
#include "models/fetcher/params.h"
#include "models/stats.h"

namespace winnow::hbm2 {
class Memory;
}

namespace winnow::fetcher {

// One request and one return FIFO a channel.
struct MemoryPorts {
  std::vector<Fifo<hbm2::Request>*> requests;
  std::vector<Fifo<hbm2::Return>*> returns;
};
MemoryPorts ports_of(hbm2::Memory& memory);

class Fetcher {
 public:
  // Throws winnow::Error if a parameter is out of range or does not fit the ports.
  Fetcher(const Params& params, Fifo<FetchJob>& jobs, Fifo<WriteBurst>& writes, MemoryPorts ports);
  Fetcher(const Fetcher&) = delete;  // parts refer to each other
  Fetcher& operator=(const Fetcher&) = delete;

  void tick(Cycle now);

  DataFifos& data() { return data_; }
  JobQueue& started() { return started_; }

  // No job, no address, no request outstanding, no write waiting. Bursts may wait for the converter.
  bool idle() const {
    return !generator_.active() && jobs_.drained() && addresses_.pending() == 0 && outstanding_ == 0 &&
           writes_.drained();
  }

  enum Wait { kMemory, kConverter };
  const BlockStats& stats() const { return stats_; }
  Traffic traffic(Stream s) const { return generator_.traffic(s); }
  const Traffic& traffic(Stream s, std::uint32_t epoch) const { return generator_.traffic(s, epoch); }
  void close(std::uint32_t epoch) { generator_.close(epoch); }
  std::uint64_t reads() const { return reads_; }     // bursts asked for
  std::uint64_t writes() const { return written_; }  // bursts sent to memory
  std::uint64_t outstanding() const { return outstanding_; }
  std::uint64_t address_conflicts() const { return address_crossbar_.conflicts(); }
  std::uint64_t data_conflicts() const { return data_crossbar_.conflicts(); }

 private:
  Fifo<FetchJob>& jobs_;
  Fifo<WriteBurst>& writes_;
  AddressFifos addresses_;
  DataFifos data_;
  JobQueue started_;
  AddressGenerator generator_;
  AddressCrossbar address_crossbar_;
  DataCrossbar data_crossbar_;
  std::uint64_t reads_ = 0, written_ = 0, outstanding_ = 0;
  BlockStats stats_{"fetcher", {"hbm2", "converter"}};
};

}  // namespace winnow::fetcher
