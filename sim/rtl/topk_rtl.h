#pragma once
// The Verilated top-k engine behind the model's types. WINNOW_RTL_CLASS is the class that Verilator makes of the lockstep
// top (scripts/rtl/lockstep_top.py on the block's probes).
#include <verilated.h>
#include <verilated_cov.h>
#include <verilated_fst_c.h>

#include <memory>
#include <string>
#include <vector>

#include "models/topk/engine.h"
#include "models/topk/lfsr.h"

namespace winnow::rtl {

class TopkRtl {
 public:
  static constexpr const char* kScope = "TOP.topk_lockstep";

  // Out of reset and seeded; the state is that of a model that has not ticked yet. `plusargs` are for sources that have
  // any: +mutant=N selects a planted bug.
  TopkRtl(topk::PivotRule pivot, std::uint64_t seed, const std::vector<std::string>& plusargs = {})
      : context_(std::make_unique<VerilatedContext>()) {
    std::vector<const char*> arguments = {"rtl"};
    for (const std::string& a : plusargs) arguments.push_back(a.c_str());
    context_->commandArgs(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data()));
    context_->traceEverOn(true);
    rtl_ = std::make_unique<WINNOW_RTL_CLASS>(context_.get());
    rtl_->clk_i = 0;
    rtl_->sampled_i = pivot == topk::PivotRule::kSampled;
    for (const int reset : {1, 0, 1}) {  // the reset acts on its falling edge
      rtl_->rst_ni = reset;
      rtl_->eval();
    }
    built_ = topk::Config{rtl_->parallelism_o, rtl_->fifo_depth_o, rtl_->item_bits_o, pivot, seed};
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
  // unseen(rtl value, that port) while a probe means nothing. `refused`: why the model refused a job in the cycle before.
  template <class Visit, class Unseen>
  void probes(const topk::Engine& m, const topk::Outputs& o, unsigned refused, Visit&& visit, Unseen&& unseen) {
    using topk::PivotRule;  // of the probes
    const unsigned Parallelism = built_.parallelism;
#include "topk_probes.inc"
  }

  void drive(const topk::Inputs& in) {
    rtl_->job_valid_i = in.job_valid;
    rtl_->job_n_i = in.job.n;
    rtl_->job_mass_i = in.job.rule == topk::Rule::kMass;
    rtl_->job_amount_i = in.job.amount;
    rtl_->row_valid_i = in.row != nullptr;
    if (in.row)
      for (unsigned i = 0; i < built_.parallelism; ++i) rtl_->row_i[i] = (*in.row)[i];
    rtl_->out_ready_i = in.out_ready;
  }

  void clock() {
    rtl_->clk_i = 1;
    rtl_->eval();
    rtl_->clk_i = 0;
    rtl_->eval();
  }

  void trace_open(const std::string& path) {
    trace_ = std::make_unique<VerilatedFstC>();
    rtl_->trace(trace_.get(), 99);
    trace_->open(path.c_str());
  }
  void trace_dump(std::uint64_t time) {
    rtl_->eval();
    trace_->dump(time);
  }
  void trace_close() { trace_->close(); }
  // Points and counts, in a build with coverage.
  void write_coverage(const std::string& path) {
    context_->coveragep()->forcePerInstance(true);  // else the sides L and R would stand in for each other
    context_->coveragep()->write(path.c_str());
  }

 private:
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<WINNOW_RTL_CLASS> rtl_;
  std::unique_ptr<VerilatedFstC> trace_;
  topk::Config built_;
  topk::Row indices_{};
};

}  // namespace winnow::rtl
