// Compiled by scripts/rtl/library into the shared library of one Verilated block at links; not part of winnow itself.
#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>

#include "sim/rtl/block_port.h"
#include "sim/rtl/verilated_block.h"

namespace winnow::rtl {
namespace {

std::vector<std::string> words_of(const char* text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

class Port final : public BlockPort, private VerilatedBlock<WINNOW_RTL_CLASS> {
 public:
  Port(std::uint64_t seed, const char* plusargs) : VerilatedBlock(words_of(plusargs), seed) {
#include WINNOW_RTL_PORTS
  }
  const RtlPorts& ports() const override { return ports_; }
  void reset() override {
    rtl_->rst_ni = 0;
    VerilatedBlock::clock();
    rtl_->rst_ni = 1;
    rtl_->eval();
  }
  void eval() override { rtl_->eval(); }
  std::string clock() override {
    VerilatedBlock::clock();
    return assertion();
  }
  bool stimulus([[maybe_unused]] const std::string& port, [[maybe_unused]] const std::string& field,
                [[maybe_unused]] Stimuli& r, [[maybe_unused]] std::uint64_t& value) override {
#include WINNOW_RTL_STIMULI
    return false;
  }
  void trace_open(const char* path) override { VerilatedBlock::trace_open(path); }
  void trace_dump(std::uint64_t cycle) override { VerilatedBlock::trace_dump(cycle); }
  void trace_close() override { VerilatedBlock::trace_close(); }
  void write_coverage(const char* path) override { VerilatedBlock::write_coverage(path); }

 private:
  RtlPorts ports_;
};

}  // namespace
}  // namespace winnow::rtl

extern "C" winnow::rtl::BlockPort* winnow_make_block_port(const char* layout, std::uint64_t seed,
                                                          const char* plusargs) {
  return std::string(layout) == WINNOW_RTL_LAYOUT ? new winnow::rtl::Port(seed, plusargs) : nullptr;
}
