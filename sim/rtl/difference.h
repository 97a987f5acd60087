#pragma once
// The first difference of a block's RTL from its model, and what is written of it: report, waveform, picture.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace winnow::rtl {

struct Difference {
  std::uint64_t cycle = 0;  // of the block's clock, from its reset
  std::string block, signal;
  std::uint64_t rtl = 0, model = 0;
  std::string doing;      // what the block was working on
  std::string assertion;  // instead of a signal: the RTL's assertion that failed, "topk_row_fifo_checker.sv:20"
  std::string place{};    // of the signal in the RTL: path, file and line
};

// Where the signal of a probe is, from scripts/rtl/lockstep_top.py: "u_dut.part_right_q[lane]",
// "rtl/topk/topk_engine.sv:261".
struct Place {
  const char *probe, *path, *file;
};
// "u_dut.part_right_q[1], rtl/topk/topk_engine.sv:261"; empty for a name that is not there.
std::string place_of(std::span<const Place> places, const std::string& probe, int lane);

// "first difference: cycle 8, block topk, signal part_above: rtl 0 (0x0), model 4 (0x4)", "at: ..." and "working on:
// ...".
std::string to_text(const Difference& d);

// Cycles before a difference that the waveform holds. Time there counts cycles of the block's clock
// (verilated_block.h).
inline constexpr std::uint64_t kWindow = 2000;

// Save files beside stem.fst, stem.gtkw for GTKWave and stem.sucl for Surfer: the first difference, then both sides of
// every named probe, opened at the difference. scripts/rtl/wave reads the first difference from stem.gtkw.
void write_save_file(const std::string& stem, const std::string& scope, const std::vector<std::string>& names,
                     const Difference& d);

// Draws stem.fst around the difference with scripts/rtl/wave and prints where everything lies.
void show_waves(const std::string& stem);

}  // namespace winnow::rtl
