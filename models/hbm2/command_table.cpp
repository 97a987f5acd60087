#include "models/hbm2/command_table.h"

#include <algorithm>

namespace winnow::hbm2 {

CommandTable::CommandTable(const Spec& spec) {
  for (auto& level : delay)
    for (Earliest& e : level) e.at.fill(kNoDelay);
  const auto add = [&](Level level, Command p, Command f, std::int64_t cycles) {
    const auto l = static_cast<std::size_t>(level), i = static_cast<std::size_t>(p), j = static_cast<std::size_t>(f);
    delay[l][i].at[j] = std::max(delay[l][i].at[j], cycles);
    preceded[l][i] = followed[l][j] = true;
  };
  for (const Constraint& c : spec.constraints) {
    const int nominal = spec.evaluate(c.latency);
    for (const Command p : c.preceding)
      for (const Command f : c.following) {
        // From last cycle to last cycle in the file, from first to first here.
        const int cycles = nominal + (spec.bus_cycles[static_cast<std::size_t>(p)] - 1) -
                           (spec.bus_cycles[static_cast<std::size_t>(f)] - 1);
        if (c.window == 1) add(c.level, p, f, cycles);
        else windows.push_back({c.level, p, f, cycles, c.window});
        if (c.window != 1) followed[static_cast<std::size_t>(c.level)][static_cast<std::size_t>(f)] = true;
      }
  }
  // A command that takes several cycles holds its bus against every command of that bus.
  for (std::size_t i = 0; i < kCommands; ++i)
    for (std::size_t j = 0; j < kCommands; ++j)
      if (spec.bus_cycles[i] > 1 && spec.on_row_bus[i] == spec.on_row_bus[j])
        add(Level::channel, static_cast<Command>(i), static_cast<Command>(j), spec.bus_cycles[i]);
}

}  // namespace winnow::hbm2
