#pragma once
// What a shared library of the Verilated top-k engine offers: the engine's ports, the comparison of its probes with the
// model, and waveforms. One library a set of parameters, built when it is asked for (library.h).
#include <cstdint>
#include <string>
#include <vector>

#include "models/topk/engine.h"

namespace winnow::rtl {

// A probe that differs.
struct ProbeDifference {
  const char* name = nullptr;
  int lane = -1;
  std::uint64_t rtl = 0, model = 0;
};

class TopkPort {
 public:
  virtual ~TopkPort() = default;
  virtual topk::Config built() const = 0;               // parallelism, FIFO and item width of the RTL
  virtual std::vector<std::string> probes() const = 0;  // names of those without lanes
  virtual const char* scope() const = 0;                // of the probes, in waveforms

  // Outputs of this cycle; their indices stay until the next call.
  virtual topk::Outputs outputs() = 0;
  // Every probe against the model in the same cycle; returns how many values were compared, stores the first
  // difference.
  virtual std::uint64_t compare(const topk::Engine& model, const topk::Outputs& expected, ProbeDifference& first) = 0;
  virtual void drive(const topk::Inputs& in) = 0;
  // Returns the assertion that failed, "FILE:LINE"; empty: none did.
  virtual std::string clock() = 0;

  // The model's values into the waveform beside the RTL's.
  virtual void show(const topk::Engine& model, const topk::Outputs& expected) = 0;
  virtual void trace_open(const char* path) = 0;
  virtual void trace_dump(std::uint64_t cycle) = 0;
  virtual void trace_close() = 0;
};

// `layout` is the hash of the headers that the caller was compiled with (sim/rtl/layout.cmake): null is returned if
// they are not the library's own.
inline constexpr const char* kMakeTopkPort = "winnow_make_topk_port";
using MakeTopkPort = TopkPort*(const char* layout, topk::PivotRule pivot, std::uint64_t seed);

}  // namespace winnow::rtl
