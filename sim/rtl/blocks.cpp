#include "sim/rtl/blocks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "golden/error.h"
#include "golden/policies/decisions.h"
#include "sim/machine/parts_only.h"
#include "sim/rtl/shell.h"

namespace winnow::rtl {
namespace {

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

// Which blocks of the machine a block's RTL stands for: itself, and the manifest's `others`.
std::vector<std::string> stands_for(const std::string& block) {
  std::vector<std::string> all = {block};
  const YAML::Node manifest = YAML::LoadFile(WINNOW_SOURCE_DIR "/rtl/" + block + "/" + block + ".yaml");
  for (const auto& other : manifest["others"]) all.push_back(other.first.as<std::string>());
  return all;
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
  return {d.selects() || d.prunes_values(false), d.prunes_tokens || d.prunes_heads};
}

Blocks::Blocks(const std::vector<Request>& requests, const Machine& machine, Uses uses, int group, std::uint64_t seed,
               std::optional<std::uint64_t> stalls)
    : asked_(!requests.empty()), seed_(seed), stalls_(stalls) {
  if (requests.empty()) return;
  const auto parts = parts_only(machine, 8, 64, group);  // parameters do not depend on the trace's length
  for (const Request& r : requests) {
    const std::size_t before = loaded_.size();
    for (const std::string& name : stands_for(r.block)) {
      if ((name == "topk" && !uses.topk) || (name == "cascade_topk" && !uses.cascade_topk)) continue;
      const Block* const block = parts->find_block(name);
      if (!block) throw Error("--rtl: '" + name + "': the machine has no such block");
      loaded_.push_back({name, BlockLibrary(r.block, r.folder, parameters_of(*block))});
    }
    nothing_to_choose_ = nothing_to_choose_ || loaded_.size() == before;
  }
}

// Each block has stalls of its own.
std::optional<std::uint64_t> Blocks::stalls_of(std::size_t number) const {
  if (!stalls_) return {};
  return *stalls_ * 64 + number;
}

void Blocks::attach(MachineModel& machine) {
  machine_ = &machine;
  twins_.clear();
  for (const Loaded& l : loaded_) {
    Block* const block = machine.parts().find_block(l.block);
    twins_.push_back(
        std::make_unique<BlockTwin>(*block, machine.parts(), l.library.make(seed_), stalls_of(twins_.size())));
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
  if (nothing_to_choose_) text = "topk in RTL: the policy asks for no choice: nothing ran, nothing was compared\n";
  for (const auto& t : twins_) {
    if (t->transfers() == 0)
      text += fmt::format("{} in RTL: no job in this range: nothing was compared\n", t->label());
    else
      text +=
          fmt::format("{} in RTL: {} cycles, {} transfers, {} values equal to the model's{}\n", t->label(), t->cycles(),
                      t->transfers(), t->compared(), stalls_ ? fmt::format(", {} stalls", t->stalled()) : "");
  }
  return text;
}

bool Blocks::worked() const {
  return std::any_of(twins_.begin(), twins_.end(), [](const auto& t) { return t->transfers() != 0; });
}

}  // namespace winnow::rtl
