#include "sim/results/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/results/answer.h"
#include "sim/results/writers.h"

namespace winnow {
namespace {

// A statistic by its path of keys, and the same path as people read it.
struct Named {
  std::string key, label;
  Statistic statistic;
};

void flatten(const std::string& keys, const std::string& labels, const StatTree& tree, std::vector<Named>& list) {
  for (const Statistic& one : tree.statistics()) list.push_back({keys + one.key, labels + one.label, one});
  for (const StatTree& child : tree.children())
    flatten(keys + child.key() + ".", labels + child.label() + ".", child, list);
}

const Statistic* find(const std::vector<Named>& list, const std::string& key) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const Named& n) { return n.key == key; });
  return at == list.end() ? nullptr : &at->statistic;
}

// Those of all lists, each once; one that only a later list has stands after its neighbour there.
std::vector<Named> merged(const std::vector<std::vector<Named>>& lists) {
  std::vector<Named> all;
  for (const auto& list : lists) {
    auto at = all.begin();
    for (const Named& one : list) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const Named& n) { return n.key == one.key; });
      at = (known != all.end() ? known : all.insert(at, one)) + 1;
    }
  }
  return all;
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

double number(const std::vector<Named>& list, const std::string& key) {
  const Statistic* one = find(list, key);
  return one == nullptr ? 0 : one->number();
}

// A GPU is measured on one layer of one step. Beside it, a run of many layers gets its mean over those that its summary
// counts, under the same keys.
void add_one_layer(std::vector<Named>& summary) {
  const double layers = number(summary, "layers_run"), cycles = number(summary, "cycles");
  const double all_cycles = number(summary, "cycles_whole_run"), seconds = number(summary, "time_at_the_clock");
  if (layers <= 0 || find(summary, "time_a_layer") != nullptr) return;
  const auto add = [&](const char* key, const char* label, Unit unit, std::variant<std::uint64_t, double> value) {
    summary.push_back({key, label, {key, label, unit, value}});
  };
  if (all_cycles > 0 && seconds > 0)
    add("time_a_layer", "time a layer", Unit::seconds, seconds * cycles / all_cycles / layers);
  if (const double bytes = number(summary, "dram_all_bursts"); bytes > 0)
    add("dram_bytes_a_layer", "DRAM bytes a layer", Unit::bytes, static_cast<std::uint64_t>(bytes / layers));
  // The energy is the whole run's: a layer's share is known when the summary counts all of it.
  if (const double joules = number(summary, "dram_energy"); joules > 0 && cycles == all_cycles)
    add("energy_a_layer_dram", "energy a layer, DRAM only", Unit::joules, joules / layers);
}

}  // namespace

namespace {

std::string stem(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Every statistic of every run.
std::string every_statistic(const std::vector<StoredRun>& runs) {
  std::vector<std::vector<Named>> lists;
  std::vector<std::vector<std::string>> rows(1, {""});
  for (const StoredRun& run : runs) {
    rows[0].push_back(run.label);
    flatten("", "", run.result, lists.emplace_back());
  }
  for (const char* key : {"trace", "machine.name", "policy.name"}) {
    std::vector<std::string> row{key};
    for (const StoredRun& run : runs) row.push_back(stem(run.setting(key)));
    rows.push_back(row);
  }
  for (const Named& named : merged(lists)) {
    std::vector<std::string> row{named.label};
    for (const auto& list : lists) {
      const Statistic* one = find(list, named.key);
      row.push_back(one == nullptr ? "-" : show(*one));
    }
    rows.push_back(row);
  }
  return align(rows);
}

bool is_gpu(const StoredRun& run) { return run.setting("engine") == "gpu"; }

// One block: at most kAbreast runs.
constexpr std::size_t kAbreast = 4, kColumn = 15;

std::string one_block(const std::vector<StoredRun>& runs, bool with_gpu) {
  static const StatTree kNothing("nothing");
  std::vector<std::vector<std::string>> rows(1, {""});
  for (const StoredRun& run : runs) rows[0].push_back(shortened(run.label, kColumn));
  for (const auto& [name, key] :
       {std::pair{"trace", "trace"}, {"machine", "machine.name"}, {"policy", "policy.name"}}) {
    std::vector<std::string> row{name};
    for (const StoredRun& run : runs) row.push_back(shortened(stem(run.setting(key)), kColumn));
    rows.push_back(row);
  }
  const std::vector<std::string> names = answer_rows();
  const std::size_t first = rows.size();
  for (const std::string& name : names) rows.push_back({name});
  std::vector<std::vector<Named>> lists;
  for (const StoredRun& run : runs) {
    const StatTree* summary = run.result.find("summary");
    flatten("", "", summary ? *summary : kNothing, lists.emplace_back());
    const std::vector<std::string> cells =
        is_gpu(run) ? std::vector<std::string>(names.size(), "-") : answer_cells(summary ? *summary : kNothing);
    for (std::size_t i = 0; i < names.size(); ++i) rows[first + i].push_back(cells[i]);
  }
  if (with_gpu) {
    std::for_each(lists.begin(), lists.end(), add_one_layer);
    for (const char* key : {"time_a_layer", "dram_bytes_a_layer", "energy_a_layer_gpu", "energy_a_layer_dram"}) {
      std::vector<std::string> row{""};
      for (const auto& list : lists) {
        const Statistic* one = find(list, key);
        if (one != nullptr) row[0] = one->label;
        row.push_back(one == nullptr ? "-" : show_short(*one));
      }
      if (!row[0].empty()) rows.push_back(row);
    }
  }
  return align(rows);
}

// What was run: two runs that differ in policy alone can be compared.
bool same_but_policy(const StoredRun& a, const StoredRun& b) {
  for (const auto* list : {&a.settings, &b.settings})
    for (const auto& [key, value] : *list)
      if ((key == "trace_sha256" || key == "seed" || key == "engine" || key.starts_with("machine.") ||
           key == "options.layers" || key == "options.steps") &&
          a.setting(key) != b.setting(key))
        return false;
  return true;
}

}  // namespace

std::string side_by_side(const std::vector<StoredRun>& runs, bool all) {
  if (all) return every_statistic(runs);
  const bool with_gpu = std::any_of(runs.begin(), runs.end(), is_gpu);
  std::string text;
  for (std::size_t at = 0; at < runs.size(); at += kAbreast) {
    const auto from = runs.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to = runs.begin() + static_cast<std::ptrdiff_t>(std::min(at + kAbreast, runs.size()));
    text += (text.empty() ? "" : "\n") + one_block({from, to}, with_gpu);
  }
  return text;
}

std::string findings(const std::vector<StoredRun>& runs) {
  std::string text;
  for (const StoredRun& run : runs) {
    const StatTree* summary = run.result.find("summary");
    if (summary == nullptr) continue;
    std::string line;
    if (is_gpu(run)) {
      const std::string dense = run.setting("options.fastest_dense");
      line = dense.empty() ? "measured on a GPU." : "measured on a GPU; its fastest dense kernel is " + dense + ".";
    } else if (const StatTree* other = run.result.find("against")) {
      line = finding(*summary, run.setting("options.against"), *other);
    } else {
      const auto beside = std::find_if(runs.begin(), runs.end(), [&](const StoredRun& r) {
        return &r != &run && r.setting("policy.name") == "dense" && same_but_policy(run, r) &&
               r.result.find("summary") != nullptr;
      });
      const bool has = beside != runs.end() && run.setting("policy.name") != "dense";
      line = has ? finding(*summary, beside->label, *beside->result.find("summary")) : finding(*summary);
    }
    text += wrapped(run.label + ": " + line, kLine);
  }
  return text;
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
  flatten("", "", a.result, lists[0]);
  flatten("", "", b.result, lists[1]);
  rows = {{"statistic", a.label, b.label, "change", ""}};
  const std::vector<Named> all = merged(lists);
  for (const Named& named : all) {
    const std::string& name = named.label;
    const Statistic *x = find(lists[0], named.key), *y = find(lists[1], named.key);
    if (x == nullptr || y == nullptr)
      rows.push_back({name, x == nullptr ? "-" : show(*x), y == nullptr ? "-" : show(*y), "", ""});
    else if (x->value != y->value)
      rows.push_back({name, show(*x), show(*y), change(*x, *y), percent(*x, *y)});
  }
  const std::size_t differ = rows.size() - 1;
  if (differ > 0) text += '\n', text += align(rows);
  return text + fmt::format("\n{} statistics compared, {} differ\n", all.size(), differ);
}

}  // namespace winnow
