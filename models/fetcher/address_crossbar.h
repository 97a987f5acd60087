#pragma once
// Address crossbar, lanes x channels: brings each lane's oldest address to the channel that holds it.
//
// In:   the heads of the address FIFOs; the head of Fifo<WriteBurst>, which is one more requester.
// Out:  one Fifo<dram::Request> a channel. channel = (address / interleave_bytes) mod channels. A read's tag is
//       lane + 64 * place, place being the one reserved in the lane's data FIFO.
// Rate: one request a channel and cycle, one a lane and cycle; round-robin over lanes and the write port, one
//       pointer a channel (behind the requester served last).
// Latency: none of its own (the FIFOs on both sides are its registers). State: the pointers.
// Waits for: a place in the lane's data FIFO (reads), room in the channel's request FIFO.
// Paper: IV.D, 32x16 address crossbar.
#include <cstdint>
#include <vector>

#include "models/fetcher/address_fifos.h"
#include "models/links/data_fifos.h"
#include "models/links/memory_requests.h"
#include "models/prim/fifo.h"

namespace winnow::fetcher {

class AddressCrossbar {
 public:
  AddressCrossbar(AddressFifos& addresses, DataFifos& data, Fifo<WriteBurst>& writes,
                  std::vector<Fifo<dram::Request>*> channels);

  struct Result {
    int reads = 0, writes = 0;
    bool channel_full = false;  // somebody asked for a channel whose request FIFO was full
  };
  // The lanes it serves leave the address FIFOs with AddressFifos::commit().
  Result tick(Cycle now);

  std::uint64_t conflicts() const { return conflicts_; }  // requester-cycles lost to another requester

 private:
  AddressFifos& addresses_;
  DataFifos& data_;
  Fifo<WriteBurst>& writes_;
  std::vector<Fifo<dram::Request>*> channels_;
  std::vector<std::uint8_t> pointer_;  // [channel]
  std::uint64_t conflicts_ = 0;
};

}  // namespace winnow::fetcher
