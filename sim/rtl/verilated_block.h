#pragma once
// What every Verilated block needs around its class: context, reset, clock, waveform, coverage. `Rtl` is the class that
// Verilator makes of the block's lockstep top (scripts/rtl/lockstep_top.py on the block's probes).
#include <verilated.h>
#include <verilated_cov.h>
#include <verilated_fst_c.h>

#include <memory>
#include <string>
#include <vector>

namespace winnow::rtl {

// "topk_row_fifo_checker.sv:20": the first assertion that has failed since this was cleared.
inline std::string& failed_assertion() {
  static std::string place;
  return place;
}

template <class Rtl>
class VerilatedBlock {
 public:
  // Verilator 5.006 takes a model out of the thread's context, which is that of the block made last and may be gone.
  ~VerilatedBlock() { Verilated::threadContextp(context_.get()); }
  VerilatedBlock(const VerilatedBlock&) = delete;

  // Inputs that have changed since the last evaluation settle first: an assertion samples what is assigned from them,
  // too.
  void clock() {
    failed_assertion().clear();
    rtl_->eval();
    rtl_->clk_i = 1;
    rtl_->eval();
    rtl_->clk_i = 0;
    rtl_->eval();
    assertion_ = failed_assertion();
  }
  // The assertion that failed at the last clock; empty: none.
  const std::string& assertion() const { return assertion_; }
  // Time in the waveform counts cycles: one unit of time, 1 ns to viewers, is one cycle of clk_i. What is written at
  // time c are the values of cycle c, before the rising edge that ends it; both edges lie between two units, so clk_i
  // itself is flat.
  void trace_open(const std::string& path) {
    trace_ = std::make_unique<VerilatedFstC>();
    trace_->set_time_unit("1ns");
    trace_->set_time_resolution("1ns");
    rtl_->trace(trace_.get(), 99);
    trace_->open(path.c_str());
  }
  void trace_dump(std::uint64_t cycle) {
    rtl_->eval();
    trace_->dump(cycle);
  }
  void trace_close() { trace_->close(); }
  // Points and counts, in a build with coverage.
  void write_coverage(const std::string& path) {
    context_->coveragep()->forcePerInstance(true);  // else instances of one module would stand in for each other
    context_->coveragep()->write(path.c_str());
  }

 protected:
  // Out of reset. `plusargs` are for sources that have any. With a seed, what has no value yet gets a random one (in a
  // build with --x-initial unique).
  explicit VerilatedBlock(const std::vector<std::string>& plusargs, std::uint64_t random = 0)
      : context_(std::make_unique<VerilatedContext>()) {
    if (random) context_->randReset(2), context_->randSeed(static_cast<int>(1 + random % 0x7ffffffe));
    std::vector<const char*> arguments = {"rtl"};
    for (const std::string& a : plusargs) arguments.push_back(a.c_str());
    context_->commandArgs(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data()));
    context_->traceEverOn(true);
    context_->fatalOnError(false);  // an assertion that fails is a difference: assertion()
    rtl_ = std::make_unique<Rtl>(context_.get());
    rtl_->clk_i = 0;
    for (const int reset : {1, 0, 1}) {  // the reset acts on its falling edge
      rtl_->rst_ni = reset;
      rtl_->eval();
    }
  }

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Rtl> rtl_;
  std::unique_ptr<VerilatedFstC> trace_;
  std::string assertion_;
};

}  // namespace winnow::rtl
