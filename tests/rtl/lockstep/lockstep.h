#pragma once
// Lockstep of a Verilated block with its model: both get the same inputs, every probe is compared in every cycle.
//
// A cycle: the inputs are given to the RTL and evaluated, then the probes are compared, then both sides are clocked; so
// an output that depends on an input of the same cycle differs. A block's adapter (tests/rtl/<block>/<block>_block.h)
// has
//   Block(seed, ...)              both sides reset, not seeded; registers at random (power_on); stimuli from the seed
//                                 alone
//   drive()                       picks this cycle's inputs and gives them to the RTL, evaluated; begins a reset where
//                                 Resets says so, and then has a fresh model
//   probes(visit, unseen)         visit(name, lane or -1, rtl value, model value, port that shows the model's value),
//   or
//                                 unseen(rtl value, that port) while a probe means nothing
//   tick()                        clocks both
//   doing()                       what is being worked on, for a report
//   kName, kScope, probe_names()  the block, where its probes are in a waveform, those without lanes
//   probe_places()                where each probe's signal is declared
//   assertion(), trace_open(path), trace_dump(cycle), trace_close()     inherited from rtl::VerilatedBlock
// and everything else is here: gaps, stalls and long waits (Pace), resets in mid-run (Resets), comparison, count,
// report, waveform of both sides around the first difference. What an adapter owes beside: it offers whether or not the
// other side is ready, holds what it offers until it is taken, and gives anything at all where nothing is offered.
// models: tests/rtl/prim/fifo_block.h (the smallest), tests/rtl/topk/engine_block.h (two engines).
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

// Where waves go unless --out says otherwise.
inline constexpr const char* kWaves = "results/rtl";

// Plusargs with which what no reset touches starts at random.
inline std::vector<std::string> power_on(std::uint64_t seed, std::vector<std::string> more = {}) {
  more.push_back("+verilator+rand+reset+2");
  more.push_back("+verilator+seed+" + std::to_string(1 + (seed * 0x9e3779b97f4a7c15u >> 33)));
  return more;
}

// How often one side of a handshake acts: a chance a cycle, drawn anew whenever renew() is called. In half of the draws
// it never hesitates, in one of 16 it waits long. What is offered stays offered until it is taken, which is the
// adapter's to keep.
class Pace {
 public:
  explicit Pace(Random& random) : random_(random) {}
  void renew() {
    const std::uint64_t kind = random_.below(16);
    chance_ = kind < 8 ? 100 : kind < 15 ? 10 + static_cast<unsigned>(random_.below(80)) : 2;
  }
  bool now() { return chance_ == 100 || random_.below(100) < chance_; }

 private:
  Random& random_;
  unsigned chance_ = 100;
};

// When the reset is active: in the first cycles, and then at random, for one to four.
class Resets {
 public:
  Resets(Random& random, unsigned every)
      : random_(random), every_(every), left_(1 + static_cast<unsigned>(random.below(4))) {}
  // Once a cycle.
  bool active() {
    if (left_ != 0) {
      --left_;
    } else if (random_.below(likely_ ? 16 : every_) == 0) {
      left_ = static_cast<unsigned>(random_.below(4));
      ++count_;
    } else {
      likely_ = false;
      return false;
    }
    likely_ = false;
    return true;
  }
  // A state that seldom comes is here: a reset in the next cycle is likely.
  void likely() { likely_ = true; }
  std::uint64_t count() const { return count_; }

 private:
  Random& random_;
  unsigned every_, left_;
  bool likely_ = false;
  std::uint64_t count_ = 0;
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
    block.drive();
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
      result.difference = Difference{c,     Block::kName,  name + lane, rtl,
                                     model, block.doing(), "",          rtl::place_of(Block::probe_places(), name, at)};
    } else {
      block.tick();
      if (!block.assertion().empty()) {
        result.difference = Difference{c, Block::kName, "", 0, 0, block.doing(), block.assertion(), ""};
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
    if (c == from) block.trace_open(stem + ".fst");
    block.drive();
    block.probes([](const char*, int, std::uint64_t, std::uint64_t value, auto& port) { port = value; },
                 [](std::uint64_t rtl, auto& port) { port = rtl; });
    if (c >= from) block.trace_dump(c);
    if (c < d.cycle) block.tick();
  }
  block.trace_close();
  rtl::write_save_file(stem, Block::kScope, Block::probe_names(), d);
}

// Waves of a difference into `stem`, report, command that repeats it.
template <class Make>
void report(Make&& make, const Difference& d, const std::string& stem, const std::string& repeat) {
  if (const auto folder = std::filesystem::path(stem).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder);
  write_waves(*make(), d, stem);
  std::printf("%srepeat: %s\n", rtl::to_text(d).c_str(), rtl::here(repeat).c_str());
  rtl::show_waves(stem);
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
  std::fflush(stdout);
  if (o.difference) {
    report(make, *o.difference, stem, repeat + " --cycles " + std::to_string(o.difference->cycle + 1));
    return false;
  }
  if (o.compared < 2 * o.cycles || o.cycles == 0) {
    std::printf("too few values were compared\n");
    return false;
  }
  return true;
}

}  // namespace winnow::lockstep
