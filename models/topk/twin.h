#pragma once
// What can take the engine's place at its ports: the same engine built elsewhere, the RTL in a simulator.
//
// The unit asks for the outputs of each cycle with the model's beside them, and gives both the same inputs. The twin's
// outputs are what the machine goes on with; the model's are what they are held against. sim/rtl/topk_twin.h.
#include "models/topk/engine_base.h"

namespace winnow::topk {

class Twin {
 public:
  virtual ~Twin() = default;
  // Outputs of this cycle. `model` and `expected` are the model's state and outputs in the same cycle. May throw: the
  // two differ.
  virtual Outputs comb(const EngineBase& model, const Outputs& expected) = 0;
  // This cycle's inputs; then the clock.
  virtual void tick(const Inputs& in) = 0;
  // Whether a port is held in this cycle, as if nothing were offered or nobody took it. Each is asked once a cycle.
  virtual bool holds_row() { return false; }
  virtual bool holds_output() { return false; }
};

}  // namespace winnow::topk
