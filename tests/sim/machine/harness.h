#pragma once
// Runs a case through the machine beside golden, and keeps all that tests compare.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/machine/machine_model.h"
#include "sim/run/check.h"
#include "sim/run/prepare.h"

namespace winnow::test {

// Who calls the blocks, and in which order in a cycle; every_tick: without the simulator's short cuts.
enum class Drive { construction, reverse, shuffled, systemc, every_tick };

struct LayerEnd {
  int step = 0, layer = 0;
  LayerCounts counts;
  std::vector<std::uint32_t> positions;
  std::vector<HeadPlan> heads;
  std::vector<GroupRecord> records;
  golden::Region out;
};

// What a run left behind. `stats`: every block's busy, idle and wait cycles in order.
struct Outcome {
  Compared compared;
  Cycle cycles = 0, first_request = 0, last_write = 0, qk_busy = 0;
  std::vector<LayerEnd> layers;
  std::vector<std::uint64_t> stats;
  std::string broken;  // a cycle not accounted for, a link not drained, an exception; empty: none
  std::vector<std::uint8_t> image;
};

// A case ready to run any number of times.
class Bench {
 public:
  explicit Bench(const RunOptions& options) : options_(options), prepared_(prepare(options)) {}

  const Prepared& prepared() const { return prepared_; }
  std::vector<std::uint8_t> image() const { return golden::build_image(*prepared_.model, *prepared_.layout); }
  // `watch` is called each cycle, before the blocks. check: golden runs beside and is compared with.
  struct Run {
    Drive drive = Drive::construction;
    bool check = true;
    std::vector<std::uint8_t> image;  // empty: the trace's
    std::function<void(const MachineModel&)> watch;
  };
  Outcome run(Run run) const;
  Outcome run() const { return run(Run{}); }

 private:
  RunOptions options_;
  Prepared prepared_;
};

// The case as the command line that repeats it.
std::string command_of(const RunOptions& options);

// A run's own generator: xorshift64*, the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x123456789abcdefu) {
    for (int i = 0; i < 8; ++i) next();
  }
  std::uint64_t next() {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  int below(int n) { return static_cast<int>((next() >> 33) % static_cast<std::uint64_t>(n)); }
  int in(int low, int high) { return low + below(high - low + 1); }
  bool one_in(int n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> list) {
    return *(list.begin() + below(static_cast<int>(list.size())));
  }

 private:
  std::uint64_t state_;
};

}  // namespace winnow::test
