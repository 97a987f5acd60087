#pragma once
// Lockstep adapter of prim_fifo and its model, models/prim/fifo.h: the smallest example of one.
#include <memory>
#include <string>
#include <vector>

#include "models/prim/fifo.h"
#include "sim/rtl/verilated_block.h"
#include "tests/rtl/lockstep/lockstep.h"

namespace winnow::test {

class FifoBlock : public rtl::VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  static constexpr const char* kName = "fifo";
  static constexpr const char* kScope = "TOP.prim_fifo_lockstep";
  static std::vector<std::string> probe_names() {
    return {
#include "prim_fifo_probe_names.inc"
    };
  }

  explicit FifoBlock(std::uint64_t seed) : VerilatedBlock({}), random_(seed), model_(rtl_->depth_o) {}

  void outputs() {}
  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    const Fifo<std::uint64_t>& m = model_;
    const Cycle now = now_;
#include "prim_fifo_probes.inc"
  }

  template <class F>
  void step(F&& before_clock) {
    if (random_.below(50) == 0) flow_.renew();
    if (!offered_ && flow_.offers()) offered_ = true, data_ = random_.next();
    const bool take = flow_.takes(), pops = take && model_.can_pop(now_), pushes = offered_ && model_.can_push(now_);
    rtl_->in_valid_i = offered_, rtl_->in_data_i = data_, rtl_->out_ready_i = take;
    before_clock();
    // In either order: the model's two sides see the state at the cycle's start.
    if (pops) model_.pop(now_);
    if (pushes) model_.push(now_, data_), offered_ = false;
    ++now_;
    clock();
  }

  std::string doing() const {
    return std::to_string(model_.pushed()) + " entries pushed, " + std::to_string(model_.popped()) + " popped";
  }
  std::uint64_t popped() const { return model_.popped(); }

 private:
  lockstep::Random random_;
  lockstep::Flow flow_{random_};
  Fifo<std::uint64_t> model_;
  Cycle now_ = 0;
  bool offered_ = false;
  std::uint64_t data_ = 0;
};

}  // namespace winnow::test
