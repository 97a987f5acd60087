#pragma once
// What every block counts of itself: each cycle is either busy, or idle (nothing to do), or spent waiting
// for one named other block. busy + idle + waits is the number of cycles ticked, which tests hold.
//
// A block declares a plain enum of what it waits for, in the order of the names it constructs with:
//   enum Wait { kMemory, kConverter };
//   BlockStats stats{"fetcher", {"hbm2", "converter"}};   ...   stats.wait(kMemory);
// Names are string literals; nothing is allocated and nothing but an increment happens in a cycle.
#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>

namespace winnow {

struct BlockStats {
  static constexpr int kMaxWaits = 8;
  struct Counter {
    const char* name = nullptr;
    std::uint64_t cycles = 0;
  };

  const char* block;
  std::uint64_t busy_cycles = 0, idle_cycles = 0;
  int wait_count = 0;
  std::array<Counter, kMaxWaits> waits{};  // [0, wait_count)

  BlockStats(const char* name, std::initializer_list<const char*> waited_for) : block(name) {
    assert(waited_for.size() <= kMaxWaits);
    for (const char* w : waited_for) waits[static_cast<std::size_t>(wait_count++)].name = w;
  }

  void busy(std::uint64_t n = 1) { busy_cycles += n; }
  void idle(std::uint64_t n = 1) { idle_cycles += n; }
  void wait(int who, std::uint64_t n = 1) { waits[static_cast<std::size_t>(who)].cycles += n; }

  std::uint64_t waited() const {
    std::uint64_t sum = 0;
    for (int i = 0; i < wait_count; ++i) sum += waits[static_cast<std::size_t>(i)].cycles;
    return sum;
  }
  std::uint64_t cycles() const { return busy_cycles + idle_cycles + waited(); }
};

}  // namespace winnow
