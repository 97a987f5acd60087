#pragma once
// What every top-k engine is to the unit around it: its ports in two phases, its sizes, what it counts.
//
// comb() gives this cycle's outputs from state alone, tick() takes this cycle's inputs and steps. Two engines there
// are, with the same result: engine.h (the paper's, a job at a time) and bracket_engine.h (jobs overlap). Which one is
// Config::prefilter; make_engine() makes it.
#include <memory>
#include <vector>

#include "models/prim/block.h"
#include "models/topk/types.h"

namespace winnow::topk {

// Outputs of a cycle. `indices` and the summary mean something while out_valid; the summary with `last`.
struct Outputs {
  bool job_ready = false;
  bool row_ready = false;
  bool out_valid = false;
  bool last = false;
  unsigned count = 0;
  const Row* indices = nullptr;
  unsigned kept = 0;
  std::uint64_t boundary = 0;
  std::uint64_t kept_sum = 0;
};

// Inputs of a cycle. Once valid, job and row hold until taken.
struct Inputs {
  bool job_valid = false;
  Job job{};
  const Row* row = nullptr;  // null: no row is offered
  bool out_ready = false;
};

class EngineBase {
 public:
  virtual ~EngineBase() = default;

  virtual Outputs comb() const = 0;
  // Throws winnow::Error on a job or an item that the engine cannot take.
  virtual void tick(const Inputs& in) = 0;

  // A job is inside: taken, its last row not given out.
  virtual bool busy() const = 0;
  // Jobs that can be inside at once.
  virtual unsigned jobs() const = 0;
  // Its memories, a word an item.
  virtual std::vector<StoredWords> registers() const = 0;

  const Config& config() const { return config_; }
  const Stats& stats() const { return stats_; }

 protected:
  explicit EngineBase(const Config& config) : config_(config) { check(config); }

  // Lists of as many items as the engine can take.
  StoredWords lists_of_items(const char* name, unsigned lists) const {
    return {name, std::uint64_t{lists} * config_.capacity(), static_cast<int>(config_.item_bits)};
  }

  Config config_;
  Stats stats_;
};

std::unique_ptr<EngineBase> make_engine(const Config& config);

}  // namespace winnow::topk
