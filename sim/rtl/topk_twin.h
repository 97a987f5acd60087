#pragma once
// The RTL of the top-k engine in the machine, in lockstep with the model: every probe is compared in every cycle, and
// the RTL's outputs are what the machine goes on with.
#include <memory>
#include <optional>
#include <string>

#include "models/topk/twin.h"
#include "sim/rtl/difference.h"
#include "sim/rtl/stimuli.h"
#include "sim/rtl/topk_port.h"

namespace winnow::rtl {

class TopkTwin final : public topk::Twin {
 public:
  // `block` names it in reports: "topk", "cascade topk".
  // With a seed for stalls, rows are not offered and indices not taken now and then.
  TopkTwin(std::string block, std::unique_ptr<TopkPort> port, std::optional<std::uint64_t> stalls)
      : block_(std::move(block)), port_(std::move(port)) {
    if (stalls) stalls_.emplace(*stalls);
  }
  ~TopkTwin() override;

  topk::Outputs comb(const topk::EngineBase& base, const topk::Outputs& expected) override;
  void tick(const topk::Inputs& in) override;
  bool holds_row() override { return holds(rows_); }
  bool holds_output() override { return holds(outputs_); }

  const std::string& block() const { return block_; }
  std::uint64_t cycles() const { return cycle_; }
  std::uint64_t compared() const { return compared_; }
  std::uint64_t jobs() const { return jobs_; }
  std::uint64_t stalled() const { return stalled_; }  // cycles of a port in which it was held

  // Writes the waveform of both sides to stem.fst from this cycle on, and stem.gtkw at the difference.
  void trace(const std::string& stem, std::uint64_t from) { stem_ = stem, from_ = from; }

 private:
  void close_trace(const Difference& d);
  bool holds(Hesitation& flow) {
    const bool held = stalls_ && !flow.go(*stalls_);
    stalled_ += held;
    return held;
  }

  std::string block_;
  std::unique_ptr<TopkPort> port_;
  std::optional<Stimuli> stalls_;
  Hesitation rows_, outputs_;
  std::uint64_t cycle_ = 0, compared_ = 0, stalled_ = 0, jobs_ = 0;
  std::string stem_;
  std::uint64_t from_ = 0;
  bool tracing_ = false;
};

}  // namespace winnow::rtl
