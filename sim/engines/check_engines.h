#pragma once
// Several engines over one trace, each held against the first that is there.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/engines/comparison.h"
#include "sim/engines/engines.h"

namespace winnow {

struct CheckResult {
  std::vector<std::string> had;      // "golden (host)", ... the first is what the others were held against
  std::vector<std::string> had_not;  // "rtl (not in this build)"
  std::vector<Comparison> comparisons;
  std::vector<std::string> lockstep;  // beside each comparison: what the engine says of its own lockstep
  std::uint64_t layers = 0;           // compared
  bool equal() const;
};

// Throws Error when fewer than two engines are there, or when nothing was compared. Engine `rtl` has the blocks of
// input.rtl in RTL, the others none. `on_layer(done)` after each layer of each engine.
CheckResult check_engines(const EngineInput& input, const std::vector<const EngineEntry*>& wanted,
                          const std::function<void(std::uint64_t)>& on_layer);

}  // namespace winnow
