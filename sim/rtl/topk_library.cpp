// Compiled by scripts/rtl/library into the shared library of one Verilated engine; not part of winnow itself.
#include <string>

#include "sim/rtl/topk_port.h"
#include "sim/rtl/topk_rtl.h"

namespace winnow::rtl {
namespace {

class Port final : public TopkPort {
 public:
  Port(topk::PivotRule pivot, std::uint64_t seed) : rtl_(pivot, seed) {}
  topk::Config built() const override { return rtl_.built(); }
  std::vector<std::string> probes() const override { return TopkRtl::probe_names(); }
  const char* scope() const override { return TopkRtl::kScope; }
  topk::Outputs outputs() override { return rtl_.outputs(); }

  std::uint64_t compare(const topk::Engine& model, const topk::Outputs& expected, ProbeDifference& first) override {
    std::uint64_t compared = 0;
    rtl_.probes(
        model, expected, 0,
        [&](const char* name, int lane, std::uint64_t rtl, std::uint64_t value, auto&) {
          ++compared;
          if (rtl != value && !first.name) first = {name, lane, rtl, value};
        },
        [](std::uint64_t, auto&) {});
    return compared;
  }
  void show(const topk::Engine& model, const topk::Outputs& expected) override {
    rtl_.probes(
        model, expected, 0, [](const char*, int, std::uint64_t, std::uint64_t value, auto& port) { port = value; },
        [](std::uint64_t rtl, auto& port) { port = rtl; });
  }
  void drive(const topk::Inputs& in) override { rtl_.drive(in); }
  std::string clock() override {
    rtl_.clock();
    return rtl_.assertion();
  }
  void trace_open(const char* path) override { rtl_.trace_open(path); }
  void trace_dump(std::uint64_t cycle) override { rtl_.trace_dump(cycle); }
  void trace_close() override { rtl_.trace_close(); }

 private:
  TopkRtl rtl_;
};

}  // namespace
}  // namespace winnow::rtl

extern "C" winnow::rtl::TopkPort* winnow_make_topk_port(const char* layout, winnow::topk::PivotRule pivot,
                                                        std::uint64_t seed) {
  return std::string(layout) == WINNOW_RTL_LAYOUT ? new winnow::rtl::Port(pivot, seed) : nullptr;
}
