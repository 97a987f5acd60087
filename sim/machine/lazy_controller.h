#pragma once
// The controller, without the ticks in which it would find nothing to do. A short cut of the simulator, no part of the
// machine: cycles and statistics are those of Controller::tick in every cycle (tests/sim/machine hold that).
#include "models/controller/controller.h"

namespace winnow {

class LazyController final : public Block {
 public:
  LazyController(Controller& controller, const QueryRegisters& queries)
      : Block(controller.name(), controller.label()), controller_(controller), queries_(queries) {}

  void tick(Cycle now) override {
    const std::uint64_t released = queries_.released(now);
    if (!asleep_ || controller_.woken(now) || released != released_) {
      asleep_ = controller_.act(now);
      released_ = released;
      why_known_ = false;
    }
    if (!why_known_ && controller_.starved(now)) why_ = controller_.why(), why_known_ = true;
    controller_.account(now, why_);
  }
  bool idle() const override { return controller_.idle(); }

 private:
  Controller& controller_;
  const QueryRegisters& queries_;
  bool asleep_ = false, why_known_ = false;
  std::uint64_t released_ = 0;
  Wait why_ = controller_.kMemory;
};

}  // namespace winnow
