#pragma once
// Fetcher: brings what live tokens name from HBM2, in order, and sends output vectors there.
//
// In:   Fifo<FetchJob> (address lists), Fifo<WriteBurst> (write-back).
// Out:  DataFifos: bursts in order a lane; StartedJobs: the jobs in the same order. Both go to the converter.
//       To memory: one Fifo<dram::Request> and one Fifo<dram::Return> a channel.
// Rate: `lanes` addresses, `channels` requests and `channels` bursts a cycle.
// Latency without the memory: job popped in c, first addresses made in c+1, issued in c+2; a return that can
//       be popped in cycle r can be taken by the converter in r+1.
// State: job, address FIFOs, data FIFOs, round-robin pointers.
// Waits for: hbm2 (data outstanding, request FIFOs full), converter (data FIFOs or job queue full).
// Parts: address generator -> address FIFOs -> address crossbar -> HBM2 -> data crossbar -> data FIFOs.
// Paper: IV.D; docs/specification/machine.md, "Fetcher".
#include <cstdint>
#include <vector>

#include "models/fetcher/address_crossbar.h"
#include "models/fetcher/address_fifos.h"
#include "models/fetcher/address_generator.h"
#include "models/fetcher/data_crossbar.h"
#include "models/fetcher/params.h"
#include "models/links/data_fifos.h"
#include "models/links/memory_requests.h"
#include "models/links/started_jobs.h"
#include "models/prim/block.h"

namespace winnow {

// One request and one return FIFO a channel.
struct MemoryPorts {
  std::vector<Fifo<dram::Request>*> requests;
  std::vector<Fifo<dram::Return>*> returns;
};

// Of a memory that has channels(), requests(channel) and returns(channel).
template <class M>
MemoryPorts ports_of(M& memory) {
  MemoryPorts ports;
  for (int c = 0; c < memory.channels(); ++c) {
    ports.requests.push_back(&memory.requests(c));
    ports.returns.push_back(&memory.returns(c));
  }
  return ports;
}

class Fetcher : public Block {
 public:
  // Throws winnow::Error if a parameter is out of range or does not fit the ports.
  Fetcher(const FetcherParams& params, const MemoryGrid& grid, Fifo<FetchJob>& jobs, const Lists& lists,
          Fifo<WriteBurst>& writes, MemoryPorts ports, StartedJobs& started, DataFifos& data);

  void tick(Cycle now) override;
  std::vector<StoredWords> registers() const override { return {{"address_fifos", addresses_.entries(), 64}}; }

  // No job, no address, no request outstanding, no write waiting. Bursts may wait for the converter.
  bool idle() const override {
    return !generator_.active() && jobs_.drained() && addresses_.pending() == 0 && outstanding_ == 0 &&
           writes_.drained();
  }
  void report(StatSink& sink) const override;

  Traffic traffic(Stream s) const { return generator_.traffic(s); }
  const Traffic& traffic(Stream s, std::uint32_t epoch) const { return generator_.traffic(s, epoch); }
  void close(std::uint32_t epoch) { generator_.close(epoch); }
  std::uint64_t reads() const { return reads_; }     // bursts asked for
  std::uint64_t writes() const { return written_; }  // bursts sent to memory
  std::uint64_t outstanding() const { return outstanding_; }
  std::uint64_t address_conflicts() const { return address_crossbar_.conflicts(); }
  std::uint64_t data_conflicts() const { return data_crossbar_.conflicts(); }

  const Wait kMemory = stats_.waits_for("hbm2", "hbm2"), kConverter = stats_.waits_for("converter", "converter");

 private:
  Fifo<FetchJob>& jobs_;
  Fifo<WriteBurst>& writes_;
  StartedJobs& started_;
  fetcher::AddressFifos addresses_;
  fetcher::AddressGenerator generator_;
  fetcher::AddressCrossbar address_crossbar_;
  fetcher::DataCrossbar data_crossbar_;
  std::uint64_t reads_ = 0, written_ = 0, outstanding_ = 0;
};

}  // namespace winnow
