#pragma once
// From the address generator to the converter: the jobs in order, and how many bursts each has asked for.
//
// In:   a job when the generator takes it up; bursts as their addresses are made.
// Out:  the same jobs, one cycle later at the earliest. made(n) is the number of bursts of the n-th job (from
//       0, since reset): final once the generator has left it. Until then it is ahead of every burst that has
//       returned, so the converter may take a burst from the data FIFOs exactly while it has taken fewer.
// State: the FIFO, and one counter a job in it (RTL: a counter beside each entry).
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/links/fetch_jobs.h"
#include "models/prim/fifo.h"

namespace winnow {

class StartedJobs : public LinkBase {
 public:
  static constexpr LinkInfo kInfo{"started_jobs", "fetcher", "converter", "loads run ahead of their data by that many",
                                  true};
  static constexpr std::size_t kDepth = 8;  // heads in flight, their streams, and gathers between
  // One more job, popped, is still being worked on by the converter.
  explicit StartedJobs(std::size_t depth = kDepth)
      : LinkBase(kInfo), fifo_(depth), made_(std::bit_ceil(depth + 2)), mask_(made_.size() - 1) {}

  // Generator.
  bool can_push(Cycle now) const { return fifo_.can_push(now); }
  void push(Cycle now, const FetchJob& job) {
    fifo_.push(now, job);
    made_[(fifo_.pushed() - 1) & mask_] = 0;
  }
  void add(std::uint64_t bursts) { made_[(fifo_.pushed() - 1) & mask_] += bursts; }  // of the job pushed last

  // Converter.
  bool can_pop(Cycle now) const { return fifo_.can_pop(now); }
  const FetchJob& peek() const { return fifo_.peek(); }
  void pop(Cycle now) { fifo_.pop(now); }
  std::uint64_t popped() const override { return fifo_.popped(); }
  Work work_taken() const override { return work_of(fifo_.taken_last()); }
  std::uint64_t made(std::uint64_t number) const { return made_[number & mask_]; }

  bool drained() const override { return fifo_.drained(); }
  std::size_t depth() const override { return fifo_.depth(); }
  int bits() const override { return payload_bits<FetchJob>() + 32; }  // and the count of its bursts
  std::uint64_t pushed() const override { return fifo_.pushed(); }

 private:
  Fifo<FetchJob> fifo_;
  std::vector<std::uint64_t> made_;
  std::size_t mask_;
};

}  // namespace winnow
