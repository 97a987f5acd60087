#pragma once
// An engine: whatever computes what golden defines, layer by layer. `run` and `check` know nothing else of it.
//
// Golden, the CUDA kernels, the machine under SystemC, the machine with blocks in RTL are engines (engines.h); so are
// the closed form of a shape-only workload and the machine on it (sim/run/workload_job.cpp).
#include <functional>
#include <string>

#include "golden/walk.h"
#include "sim/engines/compare_layer.h"

namespace winnow {

class MachineEngine;
struct LayerCounts;

// One layer of one step, finished.
struct EngineLayer {
  const golden::LayerResult& result;            // as far as detail() says
  const golden::LayerResult* golden = nullptr;  // what golden says of it, where the engine walks golden beside itself
  const LayerCounts* counts = nullptr;          // the machine's, where one ran
};

class Engine {
 public:
  using OnLayer = std::function<void(const EngineLayer&)>;

  virtual ~Engine() = default;
  virtual std::string name() const = 0;
  virtual std::string what() const = 0;  // where it runs, for people
  virtual LayerDetail detail() const { return LayerDetail::everything; }
  // Runs the range once, from its first layer to its last, and gives each layer to `on_layer` when it is finished.
  // False: it gave up, which was reported (RTL that parted from its model).
  virtual bool run(const OnLayer& on_layer) = 0;
  // After the run, for an engine that has parts held against others on the way (RTL in lockstep): lines that say how
  // much, and whether nothing was.
  virtual std::string lockstep() const { return {}; }
  virtual bool lockstep_empty() const { return false; }
  // The engine as one that has time; nullptr: it has none.
  virtual const MachineEngine* timed() const { return nullptr; }
};

}  // namespace winnow
