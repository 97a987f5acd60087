#pragma once
// Turns address lists (live tokens) into burst addresses.
//
// In:   Fifo<FetchJob>, worked on in order of arrival; the items' list is read by the row.
// Out:  at most one address a lane and cycle into the address FIFOs; the job itself to the converter.
// Rate: up to `lanes` addresses a cycle from up to `lanes` items, limited by the address FIFOs' space. The next
//       job follows without a bubble, and does not wait for the data of the one before.
// Streams: burst i of the job goes to lane i mod lanes. An item's first burst is not asked for again if it is the
//       last burst of the item before it: neighbouring live tokens in one burst share one request.
// Records: item r goes, with all its bursts, to lane r mod lanes; each lane makes one address a cycle on its
//       own, so a lane whose FIFO is full holds up no other.
// Latency: a job popped in cycle c makes its first addresses in c+1.
// State: the job, and (streams) item and next burst, (records) item and next burst a lane.
// Waits for: address FIFOs (and so channels), place in the job queue to the converter.
// Paper: IV.D, the fetcher's address generation in front of its crossbar.
#include <array>
#include <cstdint>

#include "models/fetcher/address_fifos.h"
#include "models/links/started_jobs.h"
#include "models/memories/lists.h"

namespace winnow {

// What was asked for, by kind. Useful bytes of records are split into their K and V parts by their widths.
struct Traffic {
  std::uint64_t jobs = 0, items = 0;
  std::uint64_t bursts = 0;                      // requests of 32 B
  std::uint64_t shared_bursts = 0;               // not asked for again, because the item before had them
  std::uint64_t useful_bytes = 0;                // items * item bytes without a record's padding
  std::uint64_t key_bytes = 0, value_bytes = 0;  // of useful_bytes
  std::uint64_t first_digit_bytes = 0;           // of key_bytes: the job's pass is 0

  Traffic& operator+=(const Traffic& o);
};

namespace fetcher {

class AddressGenerator {
 public:
  AddressGenerator(Fifo<FetchJob>& jobs, const Lists& lists, AddressFifos& addresses, StartedJobs& started, int lanes);

  // Returns the number of addresses made. Throws std::logic_error on a job whose sizes contradict each other.
  int tick(Cycle now);

  bool active() const { return active_; }
  const FetchJob& job() const { return job_; }
  // Since the start, and of one epoch.
  Traffic traffic(Stream s) const;
  const Traffic& traffic(Stream s, std::uint32_t epoch) const {
    return traffic_[epoch % kEpochs][static_cast<std::size_t>(s)];
  }
  // Adds an epoch's counts to those since the start and sets them to zero.
  void close(std::uint32_t epoch);

 private:
  int make_stream();
  int make_records();
  void take(Cycle now);
  std::uint64_t item_address(std::uint32_t item) const {
    return job_.base + job_.index(list_, item) * job_.stride_bytes;
  }

  Fifo<FetchJob>& jobs_;
  const Lists& lists_;
  AddressFifos& addresses_;
  StartedJobs& started_;
  int lanes_;

  bool active_ = false;
  FetchJob job_;
  const std::uint32_t* list_ = nullptr;  // its entries; none: every item
  // Streams.
  std::uint32_t item_ = 0;             // next item to open
  std::uint64_t next_ = 1, last_ = 0;  // next and last burst of the open item; next > last: none is open
  int lane_ = 0;
  // Records: a lane in open_ has bursts [next, end) of its record to ask for.
  struct RecordLane {
    std::uint32_t item = 0;
    std::uint64_t next = 0, end = 0;
  };
  std::array<RecordLane, kMaxLanes> record_{};
  LaneMask open_ = 0;

  std::array<std::array<Traffic, kStreams>, kEpochs> traffic_{};
  std::array<Traffic, kStreams> closed_{};
};

}  // namespace fetcher
}  // namespace winnow
