#pragma once
// Lockstep of a Verilated block with its model: both get the same inputs, every probe is compared in every cycle.
//
// A block's adapter (tests/rtl/<block>/<block>_block.h) has
//   Block(seed, ...)              both sides reset, stimuli from the seed alone
//   outputs()                     the model's outputs of this cycle
//   probes(visit, unseen)         visit(name, lane or -1, rtl value, model value, port that shows the model's value), or
//                                 unseen(rtl value, that port) while a probe means nothing
//   step(before_clock)            picks this cycle's inputs, gives them to both, calls before_clock(), clocks both
//   doing()                       what is being worked on, for a report
//   trace_open(path), trace_dump(time), trace_close()
// and everything else is here: comparison, count, report, waveform of both sides around the first difference.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/rtl/difference.h"

namespace winnow::lockstep {

using rtl::Difference;

struct Outcome {
  std::uint64_t cycles = 0, compared = 0;
  std::optional<Difference> difference;
};

template <class Block>
Outcome run(Block& block, std::uint64_t cycles) {
  Outcome result;
  const char* name = nullptr;
  int at = -1;
  std::uint64_t rtl = 0, model = 0;
  for (std::uint64_t c = 0; c < cycles && !name; ++c) {
    block.outputs();
    block.probes([&](const char* probe, int lane, std::uint64_t rtl_value, std::uint64_t model_value, auto&) {
      ++result.compared;
      if (rtl_value != model_value && !name) {
        name = probe;
        at = lane;
        rtl = rtl_value;
        model = model_value;
      }
    }, [](std::uint64_t, auto&) {});
    if (name) {
      const std::string lane = at < 0 ? "" : "[" + std::to_string(at) + "]";
      result.difference = Difference{c, Block::kName, name + lane, rtl, model, block.doing()};
    } else {
      block.step([] {});
      ++result.cycles;
    }
  }
  return result;
}

// Runs again to the difference and writes the last rtl::kWindow cycles of both sides; one cycle is 2 ps in the waveform.
template <class Block>
void write_waves(Block& block, const Difference& d, const std::string& stem) {
  const std::uint64_t from = d.cycle > rtl::kWindow ? d.cycle - rtl::kWindow : 0;
  for (std::uint64_t c = 0; c < d.cycle + 1; ++c) {
    block.outputs();
    if (c == from) block.trace_open(stem + ".fst");
    block.probes([](const char*, int, std::uint64_t, std::uint64_t value, auto& port) { port = value; },
                 [](std::uint64_t rtl, auto& port) { port = rtl; });
    if (c < d.cycle)
      block.step([&] {
        if (c >= from) block.trace_dump(2 * c);
      });
    else
      block.trace_dump(2 * c);
  }
  block.trace_close();
  rtl::write_save_file(stem, Block::kScope, Block::probe_names(), d);
}

}  // namespace winnow::lockstep
