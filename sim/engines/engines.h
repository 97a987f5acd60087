#pragma once
// The engines that run a trace, each under its name. A new one is one more entry in engines().
#include <memory>
#include <string>
#include <vector>

#include "sim/engines/engine.h"
#include "sim/engines/machine_engine.h"
#include "sim/engines/prepare.h"

namespace winnow {

// What every engine of a trace starts from; `prepared` outlives the engines.
struct EngineInput {
  const Prepared& prepared;  // trace, machine, policy, range
  std::uint64_t seed = 1;    // of pivots
  std::string rtl;           // blocks that the machine has in RTL
  EngineHooks hooks = {};
};

struct EngineEntry {
  const char* name;
  // No engine: `why_not` says why. Throws Error on bad input.
  std::unique_ptr<Engine> (*make)(const EngineInput& input, std::string& why_not);
  bool takes_rtl = false;  // in a check; the others run without
};
const std::vector<EngineEntry>& engines();

// Names of a list "golden,cuda", each once. Throws Error `--engines: name: rule`.
std::vector<const EngineEntry*> parse_engines(const std::string& list);

}  // namespace winnow
