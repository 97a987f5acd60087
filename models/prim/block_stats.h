#pragma once
// What every block counts of itself: each cycle is either busy, or idle (nothing to do), or spent waiting for one named
// other block. busy + idle + waits is the number of cycles ticked, which tests hold.
//
// A block names what it waits for where it declares it, and counts by that name:
//   BlockStats stats_;
//   const Wait memory_ = stats_.waits_for("hbm2", "hbm2");   ...   stats_.wait(memory_);
// Nothing but an increment happens in a cycle.
#include <array>
#include <cassert>
#include <cstdint>
#include <string>

#include "models/prim/stat_sink.h"

namespace winnow {

// One of the things that a block waits for.
struct Wait {
  int index;
};

class BlockStats {
 public:
  static constexpr int kMaxWaits = 8;
  struct Counter {
    const char *key = nullptr, *label = nullptr;
    std::uint64_t cycles = 0;
  };

  Wait waits_for(const char* key, const char* label) {
    assert(count_ < kMaxWaits);
    waits_[static_cast<std::size_t>(count_)] = {key, label, 0};
    return {count_++};
  }

  void busy(std::uint64_t n = 1) { busy_ += n; }
  void idle(std::uint64_t n = 1) { idle_ += n; }
  void wait(Wait who, std::uint64_t n = 1) { waits_[static_cast<std::size_t>(who.index)].cycles += n; }

  std::uint64_t busy_cycles() const { return busy_; }
  std::uint64_t idle_cycles() const { return idle_; }
  int wait_count() const { return count_; }
  const Counter& wait_at(int i) const { return waits_[static_cast<std::size_t>(i)]; }
  std::uint64_t cycles_of(Wait who) const { return waits_[static_cast<std::size_t>(who.index)].cycles; }
  std::uint64_t waited() const {
    std::uint64_t sum = 0;
    for (int i = 0; i < count_; ++i) sum += wait_at(i).cycles;
    return sum;
  }
  std::uint64_t cycles() const { return busy_ + idle_ + waited(); }

  void report(StatSink& sink) const {
    sink.cycles("busy", "busy", busy_);
    sink.cycles("idle", "idle", idle_);
    for (int i = 0; i < count_; ++i)
      sink.cycles(std::string("waits_for_") + wait_at(i).key, std::string("waits for ") + wait_at(i).label,
                  wait_at(i).cycles);
  }

 private:
  std::uint64_t busy_ = 0, idle_ = 0;
  int count_ = 0;
  std::array<Counter, kMaxWaits> waits_{};  // [0, count_)
};

}  // namespace winnow
