#pragma once
// The RTL of the top-k engine in the machine, in lockstep with the model: every probe is compared in every cycle in
// which the engine has work, and the RTL's outputs are what the machine goes on with.
#include <memory>
#include <optional>
#include <string>

#include "models/topk/twin.h"
#include "sim/rtl/difference.h"
#include "sim/rtl/topk_port.h"

namespace winnow::rtl {

// Thrown in the cycle of a first difference; `doing` is still empty.
struct Diverged {
  Difference difference;
};

class TopkTwin final : public topk::Twin {
 public:
  // `block` names it in reports: "topk", "cascade topk".
  TopkTwin(std::string block, std::unique_ptr<TopkPort> port) : block_(std::move(block)), port_(std::move(port)) {}
  ~TopkTwin() override;

  topk::Outputs comb(const topk::Engine& model, const topk::Outputs& expected) override;
  void tick(const topk::Inputs& in) override;

  const std::string& block() const { return block_; }
  std::uint64_t cycles() const { return cycle_; }
  std::uint64_t compared() const { return compared_; }

  // Writes the waveform of both sides to stem.fst from this cycle on, and stem.gtkw at the difference.
  void trace(const std::string& stem, std::uint64_t from) { stem_ = stem, from_ = from; }

 private:
  void close_trace(const Difference& d);

  std::string block_;
  std::unique_ptr<TopkPort> port_;
  std::uint64_t cycle_ = 0, compared_ = 0;
  std::string stem_;
  std::uint64_t from_ = 0;
  bool tracing_ = false;
};

}  // namespace winnow::rtl
