#pragma once
// Lockstep adapter of prim_fifo and its model, models/prim/fifo.h: the smallest example of one.
#include <array>
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
  static std::span<const rtl::Place> probe_places() {
    static constexpr rtl::Place all[] = {
#include "prim_fifo_probe_places.inc"
    };
    return all;
  }

  explicit FifoBlock(std::uint64_t seed)
      : VerilatedBlock(lockstep::power_on(seed)), random_(seed), model_(rtl_->depth_o) {}

  void drive() {
    reset_ = resets_.active();
    rtl_->rst_ni = !reset_;
    if (reset_) restart();
    if (random_.below(50) == 0) offers_.renew(), takes_.renew();
    if (!offered_ && offers_.now()) offered_ = true, draw();
    take_ = takes_.now(), clear_ = random_.below(100) == 0;
    rtl_->in_valid_i = offered_, rtl_->out_ready_i = take_, rtl_->clear_i = clear_;
    if (!offered_) draw();  // anything
    for (unsigned w = 0; w < kWords; ++w) {
      rtl_->in_data_i[2 * w] = static_cast<EData>(data_[w]);
      rtl_->in_data_i[2 * w + 1] = static_cast<EData>(data_[w] >> 32);
    }
    rtl_->eval();
  }
  template <class Visit, class Unseen>
  void probes(Visit&& visit, Unseen&& unseen) {
    const Fifo<Data>& m = model_;
    const Cycle now = now_;
    const unsigned Width = rtl_->width_o;
#include "prim_fifo_probes.inc"
  }
  void tick() {
    if (!reset_) {
      // In either order: the model's two sides see the state at the cycle's start.
      const bool pops = take_ && model_.can_pop(now_), pushes = offered_ && model_.can_push(now_);
      if (pops) model_.pop(now_), ++popped_;
      if (pushes) model_.push(now_, data_), offered_ = false, ++pushed_;
      if (clear_) restart();
    }
    ++now_;
    clock();
  }

  std::string doing() const {
    return std::to_string(pushed_) + " entries pushed, " + std::to_string(popped_) + " popped, " +
           std::to_string(resets_.count()) + " resets" + (reset_ ? ", in reset" : "");
  }
  std::uint64_t popped() const { return popped_; }

 private:
  static constexpr unsigned kWords = 4;  // of the port; the RTL's Width may be less
  using Data = std::array<std::uint64_t, kWords>;

  void restart() { model_ = Fifo<Data>(rtl_->depth_o); }
  void draw() {
    for (unsigned w = 0; w < kWords; ++w) {
      const unsigned bits = rtl_->width_o > 64 * w ? rtl_->width_o - 64 * w : 0;
      data_[w] = bits >= 64 ? random_.next() : random_.next() & ((std::uint64_t{1} << bits) - 1);
    }
  }

  lockstep::Random random_;
  lockstep::Pace offers_{random_}, takes_{random_};
  lockstep::Resets resets_{random_, 2000};
  Fifo<Data> model_;
  Cycle now_ = 0;
  bool offered_ = false, take_ = false, clear_ = false, reset_ = false;
  Data data_{};
  std::uint64_t pushed_ = 0, popped_ = 0;
};

}  // namespace winnow::test
