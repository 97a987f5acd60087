#include "sim/results/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/results/writers.h"

namespace winnow {
namespace {

struct Named {
  std::string name;
  Statistic statistic;
};

void flatten(const std::string& prefix, const StatTree& tree, std::vector<Named>& list) {
  for (const Statistic& one : tree.statistics()) list.push_back({prefix + one.name, one});
  for (const StatTree& child : tree.children()) flatten(prefix + child.name() + ".", child, list);
}

const Statistic* find(const std::vector<Named>& list, const std::string& name) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const Named& n) { return n.name == name; });
  return at == list.end() ? nullptr : &at->statistic;
}

// Names of all lists, each once; one that only a later list has stands after its neighbour there.
std::vector<std::string> merged(const std::vector<std::vector<Named>>& lists) {
  std::vector<std::string> names;
  for (const auto& list : lists) {
    auto at = names.begin();
    for (const Named& one : list) {
      const auto known = std::find(names.begin(), names.end(), one.name);
      at = (known != names.end() ? known : names.insert(at, one.name)) + 1;
    }
  }
  return names;
}

// Of the host or of when it ran, not of what was asked.
bool incidental(const std::string& key) {
  constexpr std::array kKeys = {"command", "started", "finished", "wall_seconds", "kcycles_per_second"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

std::string change(const Statistic& a, const Statistic& b) {
  Statistic delta = a;
  const double difference = b.number() - a.number();
  if (std::holds_alternative<std::uint64_t>(a.value) && std::holds_alternative<std::uint64_t>(b.value)) {
    const auto x = std::get<std::uint64_t>(a.value), y = std::get<std::uint64_t>(b.value);
    delta.value = y > x ? y - x : x - y;
  } else {
    delta.value = std::abs(difference);
  }
  return fmt::format("{}{}", difference < 0 ? "-" : "+", show(delta));
}

std::string percent(const Statistic& a, const Statistic& b) {
  if (a.number() == 0) return "";
  return fmt::format("{:+.2f} %", 100 * (b.number() - a.number()) / a.number());
}

double number(const std::vector<Named>& list, const std::string& name) {
  const Statistic* one = find(list, name);
  return one == nullptr ? 0 : one->number();
}

// A GPU is measured on one layer of one step. Beside it, a run of many layers gets its mean over those that its summary
// counts, under the same names.
void add_one_layer(std::vector<Named>& summary) {
  const double layers = number(summary, "layers run"), cycles = number(summary, "cycles");
  const double all_cycles = number(summary, "cycles, whole run"), seconds = number(summary, "time at the clock");
  if (layers <= 0 || find(summary, "time a layer") != nullptr) return;
  const auto add = [&](const char* name, Unit unit, std::variant<std::uint64_t, double> value) {
    summary.push_back({name, {name, unit, value}});
  };
  if (all_cycles > 0 && seconds > 0) add("time a layer", Unit::seconds, seconds * cycles / all_cycles / layers);
  if (const double bytes = number(summary, "DRAM all, in bursts"); bytes > 0)
    add("DRAM bytes a layer", Unit::bytes, static_cast<std::uint64_t>(bytes / layers));
  // The energy is the whole run's: a layer's share is known when the summary counts all of it.
  if (const double joules = number(summary, "DRAM energy"); joules > 0 && cycles == all_cycles)
    add("energy a layer, DRAM only", Unit::joules, joules / layers);
}

}  // namespace

std::string side_by_side(const std::vector<StoredRun>& runs, bool all) {
  std::vector<std::vector<Named>> lists;
  std::vector<std::vector<std::string>> rows(1, {""});
  for (const StoredRun& run : runs) {
    rows[0].push_back(run.label);
    std::vector<Named>& list = lists.emplace_back();
    if (all) {
      flatten("", run.result, list);
    } else if (const StatTree* summary = run.result.find("summary")) {
      flatten("", *summary, list);
    }
  }
  if (std::any_of(runs.begin(), runs.end(), [](const StoredRun& run) { return run.setting("engine") == "gpu"; }))
    std::for_each(lists.begin(), lists.end(), add_one_layer);
  for (const char* key : {"trace", "machine.name", "policy.name", "options.fastest_dense", "options.fastest_sparse"}) {
    const std::string name = key;
    const bool option = name.starts_with("options.");
    std::vector<std::string> row{option ? name.substr(8) : name};
    for (const StoredRun& run : runs) {
      const std::string value = run.setting(key);
      row.push_back(option ? value : value.substr(value.rfind('/') + 1));
    }
    if (std::any_of(row.begin() + 1, row.end(), [](const std::string& cell) { return !cell.empty(); }))
      rows.push_back(row);
  }
  for (const std::string& name : merged(lists)) {
    std::vector<std::string> row{name};
    for (const auto& list : lists) {
      const Statistic* one = find(list, name);
      row.push_back(one == nullptr ? "-" : show(*one));
    }
    rows.push_back(row);
  }
  return align(rows);
}

std::string difference(const StoredRun& a, const StoredRun& b) {
  std::vector<std::vector<std::string>> rows{{"setting", a.label, b.label}};
  std::vector<std::string> keys;
  for (const StoredRun* run : {&a, &b})
    for (const auto& [key, value] : run->settings)
      if (!incidental(key) && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  for (const std::string& key : keys)
    if (a.setting(key) != b.setting(key)) rows.push_back({key, a.setting(key), b.setting(key)});
  std::string text = rows.size() == 1 ? "settings: all equal\n" : align(rows);

  std::vector<std::vector<Named>> lists(2);
  flatten("", a.result, lists[0]);
  flatten("", b.result, lists[1]);
  rows = {{"statistic", a.label, b.label, "change", ""}};
  const std::vector<std::string> names = merged(lists);
  for (const std::string& name : names) {
    const Statistic *x = find(lists[0], name), *y = find(lists[1], name);
    if (x == nullptr || y == nullptr)
      rows.push_back({name, x == nullptr ? "-" : show(*x), y == nullptr ? "-" : show(*y), "", ""});
    else if (x->value != y->value)
      rows.push_back({name, show(*x), show(*y), change(*x, *y), percent(*x, *y)});
  }
  const std::size_t differ = rows.size() - 1;
  if (differ > 0) text += '\n', text += align(rows);
  return text + fmt::format("\n{} statistics compared, {} differ\n", names.size(), differ);
}

}  // namespace winnow
