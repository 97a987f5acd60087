#include "sim/engines/check_engines.h"

#include <algorithm>
#include <deque>

#include "golden/error.h"

namespace winnow {

bool CheckResult::equal() const {
  return std::all_of(comparisons.begin(), comparisons.end(), [](const Comparison& c) { return c.different() == 0; });
}

CheckResult check_engines(const EngineInput& input, const std::vector<const EngineEntry*>& wanted,
                          const std::function<void(std::uint64_t)>& on_layer) {
  CheckResult r;
  std::vector<std::unique_ptr<Engine>> there;
  for (const EngineEntry* entry : wanted) {
    std::string why_not;
    EngineInput own = input;
    if (!entry->takes_rtl) own.rtl.clear();
    if (auto engine = entry->make(own, why_not)) {
      r.had.push_back(engine->name() + " (" + engine->what() + ")");
      there.push_back(std::move(engine));
    } else {
      r.had_not.push_back(std::string(entry->name) + " (" + why_not + ")");
    }
  }
  if (there.size() < 2) {
    std::string list;
    for (const std::string& s : r.had_not) list += (list.empty() ? "" : ", ") + s;
    throw Error("--engines: only " + (r.had.empty() ? std::string("none") : r.had[0]) +
                " of the named engines is there" + (list.empty() ? "" : ", not " + list) + ": a check needs two");
  }

  std::uint64_t done = 0;
  std::deque<golden::LayerResult> expected;  // of the first engine, all of the range
  there[0]->run([&](const EngineLayer& layer) {
    expected.push_back(layer.result);
    on_layer(++done);
  });
  if (expected.empty()) throw Error("--layers, --steps: no layer of the trace lies in the range: nothing was compared");
  r.layers = expected.size();
  std::vector<std::string> nothing;  // compared of its RTL: such an engine was not there
  for (std::size_t i = 1; i < there.size(); ++i) {
    Engine& engine = *there[i];
    const bool machine = there[0]->detail() == LayerDetail::machine || engine.detail() == LayerDetail::machine;
    Comparison comparison(there[0]->name(), engine.name());
    std::size_t at = 0;
    const bool ended = engine.run([&](const EngineLayer& layer) {
      if (at < expected.size())
        compare_layer(input.prepared.shape, machine ? LayerDetail::machine : LayerDetail::everything, expected[at],
                      layer.result, comparison);
      ++at;
      on_layer(++done);
    });
    if (!ended)
      comparison.gave_up("ends: its RTL parted from the model (the report is above)");
    else if (at != expected.size())
      throw Error("engine " + engine.name() + ": ends after " + std::to_string(at) + " layers: must run " +
                  std::to_string(expected.size()) + " as " + there[0]->name());
    if (engine.lockstep_empty() && comparison.different() == 0) {
      r.had_not.push_back(engine.name() + " (no choice in this range is made by its RTL: nothing of it was compared)");
      nothing.push_back(r.had[i]);
      continue;
    }
    r.comparisons.push_back(std::move(comparison)), r.lockstep.push_back(engine.lockstep());
    there[i].reset();  // a machine holds its memory's image
  }
  for (const std::string& name : nothing) r.had.erase(std::find(r.had.begin(), r.had.end(), name));
  if (r.comparisons.empty()) throw Error("--engines: nothing was compared: " + r.had_not.back());
  return r;
}

}  // namespace winnow
