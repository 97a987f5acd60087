#pragma once
// Attention on the GPU at hand, measured: one layer of a trace, in the trace's mode, dense and over chosen tokens.
//
// Method: warm-up apart; a CUDA graph of launches back to back is one sample, over the launches in it; 1,000 samples,
// the fastest and slowest 15 % dropped (the way of SpAtten's authors), and the median. Cold: before a set of buffers is
// used again, runs on others have touched more than twice the L2 cache (sets.h); where that needs too much memory,
// nothing is called cold. Warm: one set of buffers. Energy: power over a window of at
// least two seconds minus idle.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace winnow::cuda_ref {

struct BaselineInput {
  // The layer's values, float32: q [heads][rows][D], k and v [KV heads][keys][D], expected [heads][rows][D].
  std::vector<float> q, k, v, expected;
  int heads = 0, kv_heads = 0, head_dim = 0, rows = 0, keys = 0;
  bool causal = false;
  int first = 0;  // position of row 0
  double scale = 0;
  std::vector<std::vector<std::uint32_t>> chosen;  // [KV heads] tokens of the sparse peer; empty: none
  std::vector<int> batches = {1};
  int runs = 1000;
  double energy_seconds = 2;
};

struct Measured {
  std::string kernel, dtype, cache;  // "naive unfused", "fp16", "cold"
  int batch = 1;
  bool sparse = false, naive = false;    // over the chosen tokens, gather included; the straw man's kernels
  double operations = 0, bytes = 0;      // of one run: multiply-adds count two; operands and result once
  double dram_read = 0, dram_write = 0;  // bytes of one run, by Nsight Compute; both 0: not measured
  double roofline_seconds = 0;
  int sets = 1;                 // of buffers, that runs rotate through; each is `bytes`
  std::string limit;            // what bounds the roofline: "bandwidth" or "arithmetic"
  std::vector<double> samples;  // seconds a run
  double watts = 0, idle_watts = 0, window_seconds = 0;
  double joules = 0;                                // a run, over idle; 0 with watts 0: not measured
  unsigned sm_megahertz = 0, memory_megahertz = 0;  // under load
  std::uint64_t compared = 0;                       // outputs held against the float reference
  double largest_error = 0;                         // over the largest reference value
};

struct GpuFacts {
  std::string name, driver, toolkit, power;             // power: "NVML", or why there is none
  std::string cudnn;                                    // its version, or why it is not used
  int processors = 0, compute = 0;                      // compute capability, 90 for 9.0
  double peak_bytes = 0, peak_fp32 = 0, peak_fp16 = 0;  // a second, from attributes
  std::uint64_t l2_bytes = 0;
};

struct Baseline {
  GpuFacts facts;
  std::vector<Measured> measured;
  std::vector<std::string> refused;  // a line each: what a library does not do for this shape
  std::vector<std::string> wrong;    // a line each: kernels whose output is off; they are not timed
};

// The two below with WINNOW_CUDA only.
Baseline measure_baseline(const BaselineInput& input, const std::function<void(const std::string&)>& on_start);

// For Nsight Compute, which runs this program again: each kernel of measure_baseline in the same order, a few runs with
// L2 cold, between marks that ncu.h reads back. Names of the kernels in that order.
std::vector<std::string> launch_marked(const BaselineInput& input);

}  // namespace winnow::cuda_ref
