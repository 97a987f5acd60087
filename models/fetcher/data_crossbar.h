#pragma once
// Data crossbar, channels x lanes: brings returned bursts to the places their lanes reserved.
//
// In:   one Fifo<dram::Return> a channel, in any order; the tag names lane and place.
// Out:  the data FIFOs.
// Rate: one burst a channel and cycle, one a lane and cycle; round-robin over channels, one pointer a lane.
// Latency: none of its own. State: the pointers. Never blocks on space: every burst has its place.
// Paper: IV.D, 16x32 data crossbar, order restored.
#include <array>
#include <cstdint>
#include <vector>

#include "models/links/data_fifos.h"
#include "models/links/memory_requests.h"
#include "models/prim/fifo.h"

namespace winnow::fetcher {

class DataCrossbar {
 public:
  DataCrossbar(DataFifos& data, std::vector<Fifo<dram::Return>*> channels);

  // Returns the number of bursts moved.
  int tick(Cycle now);

  std::uint64_t conflicts() const { return conflicts_; }  // channel-cycles lost to another channel

 private:
  DataFifos& data_;
  std::vector<Fifo<dram::Return>*> channels_;
  std::array<std::uint32_t, kMaxLanes> asking_{};  // [lane], scratch of one cycle: bit c = channel c
  std::array<std::uint8_t, kMaxLanes> pointer_{};  // [lane]
  std::uint64_t conflicts_ = 0;
};

}  // namespace winnow::fetcher
