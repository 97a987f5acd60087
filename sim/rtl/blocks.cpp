#include "sim/rtl/blocks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "golden/error.h"
#include "golden/policies/decisions.h"
#include "sim/rtl/shell.h"

namespace winnow::rtl {
namespace {

constexpr const char *kTopk = "topk", *kCascadeTopk = "cascade topk";

// Blocks with a manifest, in order.
std::vector<std::string> known_blocks() {
  std::vector<std::string> names;
  for (const auto& folder : std::filesystem::directory_iterator(WINNOW_SOURCE_DIR "/rtl"))
    if (const std::string name = folder.path().filename().string();
        std::filesystem::exists(folder.path() / (name + ".yaml")))
      names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Block& block_of(MachineModel& machine, const std::string& label) {
  for (Block* b : machine.parts().all.blocks)
    if (label == b->label()) return *b;
  throw std::logic_error("--rtl: the machine has no block " + label);
}

}  // namespace

std::vector<Request> parse_requests(const std::string& list) {
  std::vector<Request> all;
  const std::vector<std::string> known = known_blocks();
  for (std::size_t from = 0; !list.empty() && from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size()), is = list.find('=', from);
    const bool folder = is < to;
    Request r{list.substr(from, (folder ? is : to) - from), folder ? list.substr(is + 1, to - is - 1) : ""};
    from = to + 1;
    const std::string named = "--rtl: '" + r.block;
    if (std::find(known.begin(), known.end(), r.block) == known.end())
      throw Error(fmt::format("{}': in RTL there is: {}", named, fmt::join(known, ", ")));
    if (folder && r.folder.empty()) throw Error(named + "=': a folder of RTL sources must follow");
    for (const Request& other : all)
      if (other.block == r.block) throw Error(named + "': named twice");
    all.push_back(std::move(r));
  }
  return all;
}

Uses uses_of(const golden::Decisions& d) {
  return {d.selects() || d.prunes_values(), d.prunes_tokens || d.prunes_heads};
}

Blocks::Blocks(const std::vector<Request>& requests, const Machine& machine, Uses uses, int group, std::uint64_t seed,
               std::optional<std::uint64_t> stalls)
    : asked_(!requests.empty()),
      pivot_(machine.topk.pivot == "random" ? topk::PivotRule::random : topk::PivotRule::sampled),
      seed_(seed),
      stalls_(stalls) {
  topk::Config c;
  c.parallelism = static_cast<unsigned>(machine.topk.parallelism),
  c.fifo_depth = static_cast<unsigned>(machine.topk.fifo);
  c.pivot = pivot_;
  for (const Request& r : requests) {
    if (r.block != kTopk) {
      loaded_.push_back({r.block, BlockLibrary(r.block, r.folder)});
      continue;
    }
    asked_topk_ = true;
    if (machine.topk.prefilter != "none")
      throw Error("--rtl: 'topk': the machine's topk.prefilter is " + machine.topk.prefilter +
                  "; in the machine's RTL there is only none");
    if (uses.topk) {
      c.item_bits = std::max(topk::kItemBitsDefault, static_cast<unsigned>(golden::selection_score_bits(group)));
      loaded_topk_.push_back({kTopk, TopkLibrary(c, r.folder), seed});
    }
    if (uses.cascade_topk) {
      c.item_bits = golden::kImportanceBits;
      loaded_topk_.push_back({kCascadeTopk, TopkLibrary(c, r.folder), seed + 1});
    }
  }
}

// Each block has stalls of its own.
std::optional<std::uint64_t> Blocks::stalls_of(std::size_t number) const {
  if (!stalls_) return {};
  return *stalls_ * 64 + number;
}

void Blocks::attach(MachineModel& machine) {
  machine_ = &machine;
  topk_twins_.clear(), twins_.clear();
  for (const LoadedTopk& l : loaded_topk_) {
    topk_twins_.push_back(
        std::make_unique<TopkTwin>(l.block, l.library.make(pivot_, l.seed), stalls_of(topk_twins_.size())));
    if (l.block == traced_block_) topk_twins_.back()->trace(stem_, trace_from_);
    dynamic_cast<TopkUnit&>(block_of(machine, l.block)).attach(*topk_twins_.back());
  }
  for (const Loaded& l : loaded_) {
    Block* const block = machine.parts().find_block(l.block);
    if (!block) throw Error("--rtl: '" + l.block + "': the machine has no such block");
    twins_.push_back(std::make_unique<BlockTwin>(*block, machine.parts(), l.library.make(seed_),
                                                 stalls_of(topk_twins_.size() + twins_.size())));
    if (block->label() == traced_block_) twins_.back()->trace(stem_, trace_from_);
    machine.stand_in(*block, *twins_.back());
  }
}

bool Blocks::diverge(const std::function<void()>& simulate, const std::function<void()>& again,
                     const std::function<void()>& pause, const std::string& folder, const std::string& repeat) {
  try {
    simulate();
    return false;
  } catch (Diverged& found) {
    Difference& d = found.difference;
    pause();
    d.doing = block_of(*machine_, d.block).doing();
    fmt::print("{}machine cycle {}, seed {}{}\nrepeat: {}\n", to_text(d), machine_->now(), seed_,
               stalls_ ? fmt::format(", stalls {}", *stalls_) : "", here(repeat));
    std::fflush(stdout);
    std::filesystem::create_directories(folder);
    // The waveform costs speed, so only the second run writes one.
    stem_ = folder + "/" + d.block;
    std::replace(stem_.end() - static_cast<std::ptrdiff_t>(d.block.size()), stem_.end(), ' ', '-');
    traced_block_ = d.block, trace_from_ = d.cycle > kWindow ? d.cycle - kWindow : 0;
  }
  try {
    again();
  } catch (const Diverged&) {
    show_waves(stem_);
    return true;
  }
  throw Error("--rtl: the difference did not come again in a second run: no waveform");
}

std::string Blocks::summary() const {
  std::string text;
  if (asked_topk_ && loaded_topk_.empty())
    text = "topk in RTL: the policy asks for no choice: nothing ran, nothing was compared\n";
  const auto line = [&](const std::string& block, const auto& t, std::uint64_t work, const std::string& what) {
    if (work == 0)
      text += fmt::format("{} in RTL: no job in this range: nothing was compared\n", block);
    else
      text += fmt::format("{} in RTL: {} cycles, {}{} values equal to the model's{}\n", block, t.cycles(), what,
                          t.compared(), stalls_ ? fmt::format(", {} stalls", t.stalled()) : "");
  };
  for (const auto& t : topk_twins_) line(t->block(), *t, t->jobs(), "");
  for (const auto& t : twins_) line(t->label(), *t, t->transfers(), fmt::format("{} transfers, ", t->transfers()));
  return text;
}

bool Blocks::worked() const {
  for (const auto& t : topk_twins_)
    if (t->jobs()) return true;
  for (const auto& t : twins_)
    if (t->transfers()) return true;
  return false;
}

}  // namespace winnow::rtl
