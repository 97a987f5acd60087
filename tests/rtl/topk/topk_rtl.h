#pragma once
// The Verilated top-k engine behind the model's types. WINNOW_RTL_CLASS is its class (verilated_block.h).
#include <string>
#include <vector>

#include "models/topk/engine.h"
#include "models/topk/lfsr.h"
#include "sim/rtl/verilated_block.h"
#include "tests/rtl/topk/engine_ports.h"

namespace winnow::rtl {

class TopkRtl : public VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  static constexpr const char* kScope = "TOP.topk_lockstep";

  // Seeded, or (`seeded` false) as the reset leaves it, which is with a seed of 0; the state is that of a model that
  // has not ticked yet. Plusargs: +mutant=N selects a planted bug where the sources have any, +refusals=1 lets the
  // checker say why a job is refused.
  TopkRtl(topk::PivotRule pivot, std::uint64_t seed, const std::vector<std::string>& plusargs = {}, bool seeded = true)
      : VerilatedBlock(plusargs) {
    rtl_->sampled_i = pivot == topk::PivotRule::sampled;
    built_ = topk::Config{rtl_->parallelism_o, rtl_->fifo_depth_o, rtl_->item_bits_o, pivot, seeded ? seed : 0};
    if (!seeded) return;
    rtl_->seed_en_i = 1;
    rtl_->seed_i = topk::Lfsr::fold(seed);
    clock();
    rtl_->seed_en_i = 0;
  }

  const topk::Config& built() const { return built_; }
  static std::vector<std::string> probe_names() {
    return {
#include "topk_probe_names.inc"
    };
  }

  topk::Outputs outputs() {
    topk::Outputs o;
    o.job_ready = rtl_->rtl_job_ready, o.row_ready = rtl_->rtl_row_ready;
    o.out_valid = rtl_->rtl_out_valid, o.last = rtl_->rtl_out_last;
    o.count = static_cast<unsigned>(rtl_->rtl_out_count);
    for (unsigned i = 0; i < built_.parallelism; ++i) indices_[i] = rtl_->rtl_out_indices[i];
    o.indices = &indices_;
    o.kept = static_cast<unsigned>(rtl_->rtl_out_kept);
    o.boundary = rtl_->rtl_out_boundary, o.kept_sum = rtl_->rtl_out_kept_sum;
    return o;
  }

  // visit(name, lane or -1, rtl value, model value, port that shows the model's value) for each probe, or
  // unseen(rtl value, that port) while a probe means nothing. `refused`: why the model refused a job in the cycle
  // before.
  template <class Visit, class Unseen>
  void probes(const topk::Engine& m, const topk::Outputs& o, unsigned refused, Visit&& visit, Unseen&& unseen) {
    using topk::PivotRule;  // of the probes
    const unsigned Parallelism = built_.parallelism;
    constexpr unsigned Samples = topk::Sampler::kSamples;
#include "topk_probes.inc"
  }

  void drive(const topk::Inputs& in) { drive_ports(*rtl_, in, built_.parallelism); }

 private:
  topk::Config built_;
  topk::Row indices_{};
};

}  // namespace winnow::rtl
