#pragma once
// A fetcher with what stands around it, for tests of the memory side.
#include "models/fetcher/fetcher.h"

namespace winnow::test {

struct FetchSide {
  FetchSide(const FetcherParams& params, const MemoryGrid& grid, Fifo<FetchJob>& jobs, Fifo<WriteBurst>& writes,
            MemoryPorts ports, int jobs_ahead = 8)
      : started(static_cast<std::size_t>(jobs_ahead)),
        data(params.lanes < 1 || params.lanes > kMaxLanes ? 1 : params.lanes,
             params.data_fifo < 2 ? 2 : params.data_fifo),
        fetcher(params, grid, jobs, lists, writes, std::move(ports), started, data) {}

  Lists lists{1 << 16};
  StartedJobs started;
  DataFifos data;
  Fetcher fetcher;
};

}  // namespace winnow::test
