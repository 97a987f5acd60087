#include "sim/rtl/blocks.h"

#include <fmt/format.h>

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

}  // namespace

std::vector<Request> parse_requests(const std::string& list) {
  std::vector<Request> all;
  for (std::size_t from = 0; !list.empty() && from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size()), is = list.find('=', from);
    const bool folder = is < to;
    Request r{list.substr(from, (folder ? is : to) - from), folder ? list.substr(is + 1, to - is - 1) : ""};
    from = to + 1;
    if (r.block != kTopk) throw Error("--rtl: '" + r.block + "': in RTL there is: topk");
    if (folder && r.folder.empty()) throw Error("--rtl: 'topk=': a folder of RTL sources must follow");
    if (!all.empty()) throw Error("--rtl: 'topk': named twice");
    all.push_back(std::move(r));
  }
  return all;
}

Uses uses_of(const golden::Decisions& d) {
  return {d.selects() || d.prunes_values(), d.prunes_tokens || d.prunes_heads};
}

Blocks::Blocks(const std::vector<Request>& requests, const Machine& machine, Uses uses, int group, std::uint64_t seed)
    : asked_(!requests.empty()),
      pivot_(machine.topk.pivot == "random" ? topk::PivotRule::random : topk::PivotRule::sampled),
      seed_(seed) {
  topk::Config c;
  c.parallelism = static_cast<unsigned>(machine.topk.parallelism),
  c.fifo_depth = static_cast<unsigned>(machine.topk.fifo);
  c.pivot = pivot_;
  for (const Request& r : requests) {
    if (uses.topk) {
      c.item_bits = std::max(topk::kItemBitsDefault, static_cast<unsigned>(golden::selection_score_bits(group)));
      loaded_.push_back({kTopk, TopkLibrary(c, r.folder), seed});
    }
    if (uses.cascade_topk) {
      c.item_bits = golden::kImportanceBits;
      loaded_.push_back({kCascadeTopk, TopkLibrary(c, r.folder), seed + 1});
    }
  }
}

TopkUnit& Blocks::unit(MachineModel& machine, const std::string& block) const {
  for (Block* b : machine.parts().all.blocks)
    if (block == b->label())
      if (auto* unit = dynamic_cast<TopkUnit*>(b)) return *unit;
  throw std::logic_error("--rtl: the machine has no block " + block + " that RTL can stand in for");
}

void Blocks::attach(MachineModel& machine) {
  machine_ = &machine;
  twins_.clear();
  for (const Loaded& l : loaded_) {
    twins_.push_back(std::make_unique<TopkTwin>(l.block, l.library.make(pivot_, l.seed)));
    if (l.block == traced_block_) twins_.back()->trace(stem_, trace_from_);
    unit(machine, l.block).attach(*twins_.back());
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
    d.doing = unit(*machine_, d.block).doing();
    fmt::print("{}machine cycle {}, seed {}\nrepeat: {}\n", to_text(d), machine_->now(), seed_, here(repeat));
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
  if (asked_ && loaded_.empty())
    text = "topk in RTL: the policy asks for no choice: nothing ran, nothing was compared\n";
  for (const auto& t : twins_)
    if (t->compared() == 0)
      text += fmt::format("{} in RTL: no job in this range: nothing was compared\n", t->block());
    else
      text +=
          fmt::format("{} in RTL: {} cycles, {} values equal to the model's\n", t->block(), t->cycles(), t->compared());
  return text;
}

std::uint64_t Blocks::compared() const {
  std::uint64_t n = 0;
  for (const auto& t : twins_) n += t->compared();
  return n;
}

}  // namespace winnow::rtl
