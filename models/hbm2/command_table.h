#pragma once
// The constraint table of hbm2.yaml, compiled: for each level and preceding command a vector of delays, one a
// following command, and for each node of the hierarchy the earliest cycle of each command.
#include <array>
#include <cstdint>
#include <vector>

#include "models/hbm2/spec.h"
#include "models/prim/fifo.h"

namespace winnow::hbm2 {

inline constexpr std::int64_t kNoDelay = INT64_MIN / 4;

// Earliest cycle of each command at one node; padded to whole vectors.
struct alignas(64) Earliest {
  std::array<std::int64_t, 8> at{};

  void delay(const std::array<std::int64_t, 8>& by, std::int64_t now) {
    for (int i = 0; i < 8; ++i) at[i] = at[i] < now + by[i] ? now + by[i] : at[i];
  }
  std::int64_t operator[](Command c) const { return at[static_cast<std::size_t>(c)]; }
};

struct WindowRule {
  Level level = Level::channel;
  Command preceding = Command::activate, following = Command::activate;
  std::int64_t cycles = 0;
  int window = 0;
};

struct CommandTable {
  explicit CommandTable(const Spec& spec);

  // delay[level][preceding].at[following], kNoDelay where the table has none
  std::array<std::array<Earliest, kCommands>, kLevels> delay;
  std::array<std::array<bool, kCommands>, kLevels> preceded{};  // any entry with this preceding command
  std::array<std::array<bool, kCommands>, kLevels> followed{};  // any entry with this following command
  std::vector<WindowRule> windows;
};

}  // namespace winnow::hbm2
