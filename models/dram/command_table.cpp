#include "models/dram/command_table.h"

#include <algorithm>
#include <bit>

#include "golden/error.h"

namespace winnow::dram {
namespace {

std::size_t at(Command c) { return static_cast<std::size_t>(c); }
bool whole_pseudo_channel(Command c) { return c == Command::precharge_all || c == Command::refresh; }

}  // namespace

CommandTable::CommandTable(const Spec& spec, int pseudo_channels)
    : pseudo_channels(pseudo_channels),
      groups(pseudo_channels * spec.bank_groups),
      banks(groups * spec.banks),
      bank_bits(std::countr_zero(static_cast<unsigned>(spec.banks))),
      group_bits(std::countr_zero(static_cast<unsigned>(spec.bank_groups))) {
  if (groups > kLanes || banks > kMaxBanks)
    throw Error(spec.type + ": a channel must have at most 8 bank groups and 32 banks");
  using Table = std::array<std::array<std::int32_t, kCommands>, kCommands>;  // [preceding][following]
  std::array<Table, kLevels> delay;
  for (auto& level : delay)
    for (auto& row : level) row.fill(kNoDelay);
  const auto add = [&](Level level, Command p, Command f, std::int32_t cycles) {
    std::int32_t& d = delay[static_cast<std::size_t>(level)][at(p)][at(f)];
    d = std::max(d, cycles);
  };
  for (const Constraint& c : spec.constraints) {
    const int nominal = spec.evaluate(c.latency);
    for (const Command p : c.preceding)
      for (const Command f : c.following) {
        // From last cycle to last cycle in the file, from first to first here.
        const int cycles = nominal + spec.bus_cycles[at(p)] - spec.bus_cycles[at(f)];
        if (c.window == 1)
          add(c.level, p, f, cycles);
        else
          windows.push_back({c.level, p, f, cycles, c.window});
      }
  }
  // A command that takes several cycles holds its bus against every command of that bus.
  for (std::size_t i = 0; i < kCommands; ++i)
    for (std::size_t j = 0; j < kCommands; ++j)
      if (spec.bus_cycles[i] > 1 && spec.on_row_bus[i] == spec.on_row_bus[j])
        add(Level::channel, static_cast<Command>(i), static_cast<Command>(j), spec.bus_cycles[i]);

  const auto of = [&](Level l, std::size_t p, std::size_t f) { return delay[static_cast<std::size_t>(l)][p][f]; };
  for (std::size_t p = 0; p < kCommands; ++p) {
    for (std::size_t f = 0; f < kCommands; ++f) {
      if (of(Level::bank, p, f) != kNoDelay) bank[p].add({static_cast<Command>(f), of(Level::bank, p, f)});
      for (int mine = 0; mine < groups; ++mine) {
        LaneDelay d;
        d.following = static_cast<Command>(f);
        bool any = false;
        for (int lane = 0; lane < kLanes; ++lane) {
          std::int32_t cycles = of(Level::channel, p, f);
          const bool same_pseudo = lane >> group_bits == mine >> group_bits;
          if (same_pseudo) cycles = std::max(cycles, of(Level::pseudo_channel, p, f));
          if (lane == mine || (same_pseudo && whole_pseudo_channel(static_cast<Command>(p))))
            cycles = std::max(cycles, of(Level::bank_group, p, f));
          d.cycles[lane] = cycles;
          any |= cycles != kNoDelay;
        }
        if (any) lanes[p][static_cast<std::size_t>(mine)].add(d);
      }
    }
  }
  for (std::size_t m = 0; m < banks_of_lanes.size(); ++m) {
    banks_of_lanes[m] = 0;
    for (int b = 0; b < banks; ++b)
      if (m >> (b >> bank_bits) & 1) banks_of_lanes[m] |= std::uint32_t{1} << b;
  }
}

}  // namespace winnow::dram
