#pragma once
// Engines that compute what golden defines, each as a function that yields a trace's layers one by one.
// A new engine is one more entry in engines().
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "golden/quant.h"
#include "golden/walk.h"
#include "sim/check/compare_layers.h"

namespace winnow {

struct Prepared;

// What every engine starts from. Outlives the engines made of it.
struct EngineInput {
  golden::FloatSource source;
  const golden::Reference* reference = nullptr;
  const golden::Quantized* model = nullptr;
  const golden::Layout* layout = nullptr;
  // For the machine's engines.
  const Prepared* prepared = nullptr;  // trace, machine, range
  std::uint64_t seed = 1;
  std::string rtl = "topk";                  // blocks that the engine `rtl` has in RTL
  std::string waves = ".";                   // folder for the waveform of a first difference of RTL and model
  std::string command = "winnow check ...";  // what repeats the check
};

struct Engine {
  std::string name;
  std::string what;                                // where it runs, for the output
  std::function<bool(golden::LayerResult&)> next;  // overwrites the result; false when the trace is done
  LayerDetail detail = LayerDetail::everything;    // what it says of a layer
  bool range_only = false;                         // gives the range's layers only, not those before
  std::function<std::string()> why_ended = {};     // after false: why there is no more; empty at the trace's end
  // After the run, for an engine that has parts held against others on the way (RTL in lockstep): a line that says how
  // much, and whether nothing was.
  std::function<std::string()> lockstep = {};
  std::function<bool()> lockstep_empty = {};
};

struct EngineEntry {
  const char* name;
  // No engine: `why_not` says why.
  std::optional<Engine> (*make)(const EngineInput& input, std::string& why_not);
};
const std::vector<EngineEntry>& engines();

// Names of a list "golden,cuda", each once. Throws Error `--engines: name: rule`.
std::vector<const EngineEntry*> parse_engines(const std::string& list);

}  // namespace winnow
