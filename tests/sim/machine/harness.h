#pragma once
// Runs a case through the machine beside golden, and keeps all that tests compare.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/engines/compare_layer.h"
#include "sim/engines/prepare.h"
#include "sim/machine/machine_model.h"
#include "tests/support/random.h"

namespace winnow::test {

// Who calls the blocks, and in which order in a cycle; every_tick: without the simulator's short cuts.
enum class Drive { construction, reverse, shuffled, systemc, every_tick };

struct LayerEnd {
  int sequence = 0, step = 0, layer = 0;
  LayerCounts counts;
  std::vector<std::uint32_t> positions;
  std::vector<HeadPlan> heads;
  std::vector<GroupRecord> records;
  golden::Region out;
  std::uint64_t candidates = 0, weighed = 0;               // of golden's, as LayerResult has them
  std::vector<std::uint64_t> importance, head_importance;  // of tokens and query heads, all that the memory holds
};

// What a run left behind. `stats`: every block's busy, idle and wait cycles in order.
struct Outcome {
  Comparison compared{"golden", "machine"};
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
  // `watch` is called each cycle, before the blocks; `tick` in place of each block's tick (Drive::construction). check:
  // golden runs beside and is compared with.
  struct Run {
    Drive drive = Drive::construction;
    bool check = true;
    std::vector<std::uint8_t> image = {};  // empty: the trace's
    std::function<void(MachineModel&)> watch = {};
    std::function<void(MachineModel&, Block&, Cycle)> tick = {};
    // Whose codes the source of plans has at hand, and whose golden computes with; nullptr: the trace's.
    const golden::Quantized* within_reach = nullptr;
    const golden::Quantized* golden = nullptr;
  };
  Outcome run(Run run) const;
  Outcome run() const { return run(Run{}); }

 private:
  RunOptions options_;
  Prepared prepared_;
};

// The case as the command line that repeats it.
std::string command_of(const RunOptions& options);

// Draws as cases are made of: in int.
class CaseRandom : public Random {
 public:
  using Random::Random;
  int below(int n) { return static_cast<int>(Random::below(static_cast<std::uint64_t>(n))); }
  int in(int low, int high) { return low + below(high - low + 1); }
  bool one_in(int n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> list) {
    return *(list.begin() + below(static_cast<int>(list.size())));
  }
};

}  // namespace winnow::test
