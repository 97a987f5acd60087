#include "sim/check/check_engines.h"

#include <algorithm>

#include "golden/error.h"

namespace winnow {

bool CheckResult::equal() const {
  return std::all_of(comparisons.begin(), comparisons.end(),
                     [](const LayerComparison& c) { return c.different() == 0; });
}

CheckResult check_engines(const EngineInput& input, const std::vector<const EngineEntry*>& wanted, CheckRange range,
                          const std::function<void(std::uint64_t)>& on_layer) {
  CheckResult r;
  std::vector<Engine> there;
  for (const EngineEntry* entry : wanted) {
    std::string why_not;
    if (auto engine = entry->make(input, why_not)) {
      r.had.push_back(engine->name + " (" + engine->what + ")");
      there.push_back(std::move(*engine));
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
  for (std::size_t i = 1; i < there.size(); ++i) {
    r.names.push_back(there[i].name);
    const bool machine = there[0].detail == LayerDetail::machine || there[i].detail == LayerDetail::machine;
    r.comparisons.emplace_back(there[0].name, there[i].name, machine ? LayerDetail::machine : LayerDetail::everything);
  }

  golden::LayerResult expected, actual;
  std::uint64_t done = 0;
  std::vector<bool> gone(there.size());
  while (there[0].next(expected)) {
    if (expected.step > range.last_step) break;
    const bool compare =
        expected.step >= range.first_step && expected.layer >= range.first_layer && expected.layer <= range.last_layer;
    for (std::size_t i = 1; i < there.size(); ++i) {
      if (gone[i] || (there[i].range_only && !compare)) continue;
      if (there[i].next(actual)) {
        if (compare) r.comparisons[i - 1].compare(expected, actual);
        continue;
      }
      if (const std::string why = there[i].why_ended ? there[i].why_ended() : ""; !why.empty()) {
        r.comparisons[i - 1].gave_up(why);
        gone[i] = true;
      } else {
        throw Error("engine " + there[i].name + ": ends before step " + std::to_string(expected.step) + ", layer " +
                    std::to_string(expected.layer) + ": must run as many layers as " + there[0].name);
      }
    }
    r.layers += compare;
    on_layer(++done);
    if (expected.step == range.last_step && expected.layer == range.last_layer) break;
  }
  // RTL that was asked for nothing has shown nothing: such an engine was not there.
  for (std::size_t i = there.size(); i-- > 1;) {
    r.lockstep.insert(r.lockstep.begin(), there[i].lockstep ? there[i].lockstep() : "");
    if (!there[i].lockstep_empty || !there[i].lockstep_empty() || r.comparisons[i - 1].different()) continue;
    r.had_not.push_back(there[i].name + " (no choice in this range is made by its RTL: nothing of it was compared)");
    const auto at = static_cast<std::ptrdiff_t>(i);
    r.had.erase(r.had.begin() + at), r.names.erase(r.names.begin() + at - 1),
        r.comparisons.erase(r.comparisons.begin() + at - 1);
    r.lockstep.erase(r.lockstep.begin());
  }
  if (r.comparisons.empty()) throw Error("--engines: nothing was compared: " + r.had_not.back());
  for (const LayerComparison& c : r.comparisons)
    if (c.compared() == 0 && c.different() == 0)
      throw Error("--layers, --steps: no layer of the trace lies in the range: nothing was compared");
  return r;
}

}  // namespace winnow
