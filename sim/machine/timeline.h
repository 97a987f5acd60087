#pragma once
// When each block worked for whom, as a file of trace events that Perfetto and chrome://tracing open: a track a block,
// a slice a job. docs/timeline.md says how to read it.
//
// No part of the machine. It stands in each block's place (MachineModel::stand_in), ticks it, and then looks at what
// the block counted in that cycle (BlockStats) and at what it took from its links (LinkInfo::starts_work). So no block
// knows of it, and a run without one does nothing for it.
//
// A slice is a job's stretch of work: from its first busy cycle to its last one before the block takes another job, or
// has nothing to do. Its `busy` says in how many of them the block worked, its waits for whom it stood in the others;
// `before_...` are the waits since the slice before. All busy cycles of a block lie in its slices.
//
// Size: at most `most` events besides the names of tracks; about 170 bytes each. When so many are there, open slices
// end and the rest of the run is not written; cut() says where. Same run, same bytes.
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "sim/machine/machine_model.h"

namespace winnow {

inline constexpr std::uint64_t kTimelineEvents = 250'000;

class Timeline {
 public:
  // Throws Error when the file cannot be written.
  Timeline(std::string path, std::uint64_t most = kTimelineEvents);
  ~Timeline();
  Timeline(const Timeline&) = delete;  // watchers refer to it

  // Before the machine's first cycle, and behind whatever else stands in for blocks. It must outlive the machine's
  // last.
  void attach(MachineModel& machine);
  // A layer of a step has ended, its last output written in cycle `last_write`.
  void layer(const LayerPlan& plan, Cycle last_write);
  // Ends the file. Throws Error when it could not be written whole.
  void finish();

  const std::string& path() const { return path_; }
  std::uint64_t events() const { return events_; }
  bool is_cut() const { return cut_; }
  Cycle cut() const { return cut_at_; }  // the first cycle that is not written

 private:
  class Watcher;
  class MemoryWatcher;
  struct Slice {
    int track = 0;
    Cycle from = 0, to = 0;  // [from, to)
    std::string name, arguments;
  };

  void write(const Slice& slice);
  void count(Cycle from, Cycle to, std::uint64_t read, std::uint64_t written);
  void event(const std::string& text);
  void name_track(int track, const std::string& name);
  // Where the file became full in a cycle before `now`, all tracks end here. Called before a block is ticked, and
  // looked() after it was looked at.
  void end_before(Cycle now);
  void looked(Cycle now);

  std::string path_;
  std::uint64_t most_, events_ = 0;
  std::ofstream file_;
  bool any_ = false, full_ = false, cut_ = false, finished_ = false;
  Cycle cut_at_ = 0, full_in_ = 0, layer_from_ = 0;
  MachineModel* machine_ = nullptr;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::unique_ptr<MemoryWatcher> memory_;
};

}  // namespace winnow
