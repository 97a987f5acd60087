#pragma once
// Lockstep of a Verilated block with its model: both get the same inputs, every probe is compared in every cycle.
//
// A block's adapter (tests/rtl/<block>/<block>_block.h) has
//   Block(seed, ...)              both sides reset, stimuli from the seed alone
//   outputs()                     the model's outputs of this cycle
//   probes(visit, unseen)         visit(name, lane or -1, rtl value, model value, port that shows the model's value),
//   or
//                                 unseen(rtl value, that port) while a probe means nothing
//   step(before_clock)            picks this cycle's inputs (a Flow says when to offer and take), gives them to both,
//   calls
//                                 before_clock(), clocks both
//   doing()                       what is being worked on, for a report
//   kName, kScope, probe_names()  the block, where its probes are in a waveform, those without lanes
//   assertion(), trace_open(path), trace_dump(cycle), trace_close()     inherited from rtl::VerilatedBlock
// and everything else is here: bubbles and back-pressure, comparison, count, report, waveform of both sides around the
// first difference. models: tests/rtl/prim/fifo_block.h (the smallest), tests/rtl/topk/topk_block.h.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/rtl/difference.h"
#include "sim/rtl/shell.h"
#include "tests/models/topk/drive.h"

namespace winnow::lockstep {

using rtl::Difference;
using topk::test::Random;

// Random bubbles and back-pressure: chances a cycle, in percent, that are drawn anew whenever renew() is called; in
// half of the draws a side never hesitates. What is offered stays offered until it is taken, which is the adapter's to
// keep.
class Flow {
 public:
  explicit Flow(Random& random) : random_(random) {}
  void renew() {
    offer_ = random_.below(2) ? 100 : 20 + static_cast<unsigned>(random_.below(60));
    take_ = random_.below(2) ? 100 : 10 + static_cast<unsigned>(random_.below(80));
  }
  bool offers() { return random_.below(100) < offer_; }
  bool takes() { return random_.below(100) < take_; }

 private:
  Random& random_;
  unsigned offer_ = 100, take_ = 100;
};

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
    block.probes(
        [&](const char* probe, int lane, std::uint64_t rtl_value, std::uint64_t model_value, auto&) {
          ++result.compared;
          if (rtl_value != model_value && !name) {
            name = probe;
            at = lane;
            rtl = rtl_value;
            model = model_value;
          }
        },
        [](std::uint64_t, auto&) {});
    if (name) {
      const std::string lane = at < 0 ? "" : "[" + std::to_string(at) + "]";
      result.difference = Difference{c, Block::kName, name + lane, rtl, model, block.doing(), ""};
    } else {
      block.step([] {});
      if (!block.assertion().empty()) {
        result.difference = Difference{c, Block::kName, "", 0, 0, block.doing(), block.assertion()};
        return result;
      }
      ++result.cycles;
    }
  }
  return result;
}

// Runs again to the difference and writes the last rtl::kWindow cycles of both sides.
template <class Block>
void write_waves(Block& block, const Difference& d, const std::string& stem) {
  const std::uint64_t from = d.cycle > rtl::kWindow ? d.cycle - rtl::kWindow : 0;
  for (std::uint64_t c = 0; c < d.cycle + 1; ++c) {
    block.outputs();
    if (c == from) block.trace_open(stem + ".fst");
    block.probes([](const char*, int, std::uint64_t, std::uint64_t value, auto& port) { port = value; },
                 [](std::uint64_t rtl, auto& port) { port = rtl; });
    if (c < d.cycle || !d.assertion.empty())
      block.step([&] {
        if (c >= from) block.trace_dump(c);
      });
    else
      block.trace_dump(c);
  }
  block.trace_close();
  rtl::write_save_file(stem, Block::kScope, Block::probe_names(), d);
}

// One lockstep run: `make()` gives a fresh block, `what` begins the printed line, `stem` the files of a difference, and
// `repeat` is the command that does it again but for its number of cycles. `then(block)` adds to the line. False when
// the sides differ, after the report, or when too few values were compared.
template <class Make, class Then>
bool verdict(Make&& make, std::uint64_t cycles, const std::string& what, const std::string& stem,
             const std::string& repeat, Then&& then) {
  auto block = make();
  const std::clock_t start = std::clock();  // of this process: others may share the core
  const Outcome o = run(*block, cycles);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%s: %llu cycles, %llu values compared, %s%.2f M cycles/s: %s\n", what.c_str(),
              static_cast<unsigned long long>(o.cycles), static_cast<unsigned long long>(o.compared),
              then(*block).c_str(), static_cast<double>(o.cycles) / seconds * 1e-6,
              o.difference ? "DIFFERENT" : "equal");
  if (o.difference) {
    if (const auto folder = std::filesystem::path(stem).parent_path(); !folder.empty())
      std::filesystem::create_directories(folder);
    write_waves(*make(), *o.difference, stem);
    std::printf("%srepeat: %s --cycles %llu\n", rtl::to_text(*o.difference).c_str(), rtl::here(repeat).c_str(),
                static_cast<unsigned long long>(o.difference->cycle + 1));
    rtl::show_waves(stem);
    return false;
  }
  if (o.compared < 2 * o.cycles || o.cycles == 0) {
    std::printf("too few values were compared\n");
    return false;
  }
  return true;
}

}  // namespace winnow::lockstep
