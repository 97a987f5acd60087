#pragma once
// Several engines over one trace, each held against the first that is there.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/check/compare_layers.h"
#include "sim/check/engines.h"

namespace winnow {

// Which layers are compared; those before are computed, those of later steps are not. Ends included.
struct CheckRange {
  int first_layer = 0, last_layer = 0, first_step = 0, last_step = 0;
};

struct CheckResult {
  std::vector<std::string> had;      // "golden (host)", ... the first is what the others were held against
  std::vector<std::string> had_not;  // "rtl (not in this build)"
  std::vector<std::string> names;    // of the engines compared, one a comparison
  std::vector<LayerComparison> comparisons;
  std::vector<std::string>
      lockstep;              // beside each comparison: what the engine says of its own lockstep; empty: nothing
  std::uint64_t layers = 0;  // compared
  bool equal() const;
};

// Throws Error when fewer than two engines are there, or when nothing was compared. `on_layer(done)` after each layer.
CheckResult check_engines(const EngineInput& input, const std::vector<const EngineEntry*>& wanted, CheckRange range,
                          const std::function<void(std::uint64_t)>& on_layer);

}  // namespace winnow
