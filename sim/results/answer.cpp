#include "sim/results/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>

#include "sim/results/writers.h"

namespace winnow {
namespace {

constexpr std::size_t kHeading = 34, kCell = 18;

std::optional<double> value(const StatTree& t, const char* key) {
  const Statistic* one = t.statistic(key);
  return one == nullptr ? std::nullopt : std::optional(one->number());
}

std::string percent(std::optional<double> share) {
  if (!share) return "-";
  const double p = 100 * *share;
  return p != 0 && p < 0.995 ? fmt::format("{:.2f} %", p) : fmt::format("{:.1f} %", p);
}

std::string bytes(std::optional<double> b) {
  return b ? show_short({"", "", Unit::bytes, static_cast<std::uint64_t>(*b)}) : "-";
}

std::string grouped(double count) { return show({"", "", Unit::count, static_cast<std::uint64_t>(std::abs(count))}); }

// Where the time goes: in the order of the rows.
struct Part {
  const char *key, *row, *bound, *longer, *shorter;
};
constexpr std::array kParts = {
    Part{"time_memory", "  waiting for memory",
         "Bound by memory: in {} of the cycles the Q x K multipliers wait for it",
         "it waits {} cycles longer for memory", "it waits {} cycles less for memory"},
    Part{"time_qk", "  multiplying Q x K", "Bound by the multipliers of Q x K: they work in {} of the cycles",
         "Q x K multiplies {} cycles longer", "Q x K multiplies {} cycles less"},
    Part{"time_softmax", "  waiting for softmax",
         "Bound by softmax: in {} of the cycles the Q x K multipliers wait for it",
         "it waits {} cycles longer for softmax", "it waits {} cycles less for softmax"},
    Part{"time_topk", "  waiting for top-k choices", "Bound by top-k: in {} of the cycles Q x K waits for its choice",
         "it waits {} cycles for choices of the top-k engine", "it waits {} cycles less for the top-k engine"},
    Part{"time_drain", "  draining: P x V, layer's end",
         "Bound by draining: in {} of the cycles P x V or a layer's end is awaited",
         "P x V and the ends of layers take {} cycles longer", "P x V and the ends of layers take {} cycles less"}};
constexpr std::array kShortNames = {"memory", "Q x K", "softmax", "top-k", "draining"};

std::optional<double> cycles_of(const StatTree& t, const Part& part) { return value(t, part.key); }

// Of all cycles that were counted; nothing for a run without time.
std::optional<double> share_of(const StatTree& t, const Part& part) {
  double all = value(t, "time_other").value_or(0);
  for (const Part& p : kParts) all += cycles_of(t, p).value_or(0);
  const auto own = cycles_of(t, part);
  return own && all > 0 ? std::optional(*own / all) : std::nullopt;
}

// "3.1 times fewer bytes", "7 % more cycles", "as many bytes".
std::string compared(double mine, double other, const std::string& what) {
  if (other == 0 || mine == 0) return fmt::format("{} {}", mine == other ? "as many" : "not as many", what);
  const bool more = mine > other;
  const double factor = more ? mine / other : other / mine;
  if (factor < 1.005) return "as many " + what;
  const std::string change =
      factor < 1.2 ? fmt::format("{:.0f} %", 100 * std::abs(mine / other - 1)) : fmt::format("{:.1f} times", factor);
  return fmt::format("{} {} {}", change, more ? "more" : "fewer", what);
}

// The same in a cell: "3.10x fewer".
std::string in_a_cell(std::optional<double> mine, std::optional<double> other) {
  if (!mine || !other || *mine == 0 || *other == 0) return "";
  const bool more = *mine > *other;
  const double factor = more ? *mine / *other : *other / *mine;
  return factor < 1.005 ? "the same" : fmt::format("{:.2f}x {}", factor, more ? "more" : "fewer");
}

std::string error_of(const StatTree& t) { return percent(value(t, "output_error_mean")); }

std::string with_error(const StatTree& summary, const std::string& other_name, const StatTree* other) {
  if (!value(summary, "output_error_mean")) return "";
  std::string text = "; its output error is " + error_of(summary);
  if (other != nullptr && value(*other, "output_error_mean"))
    text += fmt::format(" ({}: {})", other_name, error_of(*other));
  return text;
}

}  // namespace

std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t tail = (most - 2) / 2;
  return text.substr(0, most - 2 - tail) + ".." + text.substr(text.size() - tail);
}

std::vector<std::string> answer_rows() {
  std::vector<std::string> rows = {"K and V read from memory", "  of it used", "clock cycles"};
  for (const Part& part : kParts) rows.emplace_back(part.row);
  for (const char* name : {"output error", "tokens kept", "heads kept", "bits a number of K and V"})
    rows.emplace_back(name);
  return rows;
}

std::vector<std::string> answer_cells(const StatTree& t) {
  const auto cycles = value(t, "cycles"), bits = value(t, "bits_read_kept_element");
  std::vector<std::string> cells = {bytes(value(t, "dram_kv_bursts")), bytes(value(t, "dram_kv_useful")),
                                    !cycles           ? "-"
                                    : *cycles >= 1e12 ? fmt::format("{:.4e}", *cycles)  // would not fit a column
                                                      : grouped(*cycles)};
  for (const Part& part : kParts) cells.push_back(percent(share_of(t, part)));
  cells.push_back(error_of(t));
  cells.push_back(percent(value(t, "tokens_kept"))), cells.push_back(percent(value(t, "query_heads_kept")));
  cells.push_back(bits ? fmt::format("{:.2f}", *bits) : "-");
  return cells;
}

std::vector<std::string> dense_cells(const StatTree& t) {
  std::vector<std::string> cells(answer_rows().size(), "-");
  const auto dense = value(t, "dram_kv_dense");
  cells[0] = cells[1] = bytes(dense);
  if (dense) cells[9] = cells[10] = "100.0 %", cells[11] = "12.00";
  return cells;
}

std::string bound_by(const StatTree& t) {
  std::vector<std::pair<double, std::size_t>> shares;
  for (std::size_t i = 0; i < kParts.size(); ++i)
    if (const auto share = share_of(t, kParts[i])) shares.emplace_back(*share, i);
  if (shares.empty()) return "No time was simulated: --engine systemc, the default, gives cycles and what bounds them.";
  std::stable_sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text = fmt::format(fmt::runtime(kParts[shares[0].second].bound), percent(shares[0].first));
  if (shares[0].first < 0.5) text.replace(0, 8, "Bound mostly by");
  if (shares[1].first >= 0.1) text += fmt::format("; next {}", kShortNames[shares[1].second]);
  return text + ".";
}

std::string finding(const StatTree& mine, const std::string& other_name, const StatTree& other) {
  std::string text = fmt::format("reads {}", compared(value(mine, "dram_kv_bursts").value_or(0),
                                                      value(other, "dram_kv_bursts").value_or(0), "bytes of K and V"));
  text += (text.starts_with("reads as many") ? " as " : " than ") + other_name;
  const auto cycles = value(mine, "cycles"), cycles_there = value(other, "cycles");
  if (cycles && cycles_there && *cycles_there > 0) {
    text += " and takes " + compared(*cycles, *cycles_there, "cycles");
    const bool slower = *cycles > *cycles_there;
    // What grew most, or shrank most.
    std::size_t most = 0;
    double by = 0;
    for (std::size_t i = 0; i < kParts.size(); ++i) {
      const double change = cycles_of(mine, kParts[i]).value_or(0) - cycles_of(other, kParts[i]).value_or(0);
      if (slower ? change > by : change < by) by = change, most = i;
    }
    if (std::abs(*cycles / *cycles_there - 1) >= 0.005 && by != 0)
      text +=
          ", because " + fmt::format(fmt::runtime(slower ? kParts[most].longer : kParts[most].shorter), grouped(by));
  }
  return text + with_error(mine, other_name, &other) + ".";
}

std::string finding(const StatTree& t) {
  const auto dense = value(t, "dram_kv_dense"), read = value(t, "dram_kv_bursts");
  std::string text;
  if (dense && read && std::abs(*read / *dense - 1) >= 0.005)
    text = "reads " + compared(*read, *dense, "bytes of K and V") + " than all at 12 bits";
  else
    text = "reads all of K and V at 12 bits";
  std::string why = bound_by(t);
  why[0] = static_cast<char>(std::tolower(why[0]));
  return text + with_error(t, "", nullptr) + "; " + why;
}

void add_comparison(const StatTree& summary, StatTree& other) {
  const auto add = [&](const char* key, const char* label, const char* of) {
    const auto mine = value(summary, of), there = value(other, of);
    if (mine && there && *there > 0) other.ratio(key, label, *mine / *there);
  };
  add("ratio_kv_bursts", "this run's K+V bytes in bursts to its", "dram_kv_bursts");
  add("ratio_kv_useful", "this run's K+V bytes, useful, to its", "dram_kv_useful");
  add("ratio_cycles", "this run's cycles to its", "cycles");
  add("ratio_dram_energy", "this run's DRAM energy to its", "dram_energy");
}

std::string answer_block(const StatTree& result, const Manifest& manifest) {
  static const StatTree kNothing("nothing");
  const StatTree *found = result.find("summary"), *other = result.find("against");
  const StatTree& summary = found ? *found : kNothing;
  const auto stem = [](const std::string& path) { return std::filesystem::path(path).stem().string(); };
  const auto setting = [](const Manifest::Pairs& pairs, const std::string& key) {
    for (const auto& [name, value] : pairs)
      if (name == key) return value;
    return std::string();
  };
  const std::string trace = manifest.trace.starts_with("synthetic:") ? "synthetic" : stem(manifest.trace);
  const std::string against = setting(manifest.options, "against");
  std::vector<std::vector<std::string>> rows = {
      {shortened(trace + " on " + setting(manifest.machine, "name"), kHeading),
       shortened(setting(manifest.policy, "name"), kCell), other ? shortened(stem(against), kCell) : "dense, 12 bit",
       "difference"}};
  const std::vector<std::string> names = answer_rows(), mine = answer_cells(summary),
                                 there = other ? answer_cells(*other) : dense_cells(summary);
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], mine[i], there[i], ""});
  const auto differ = [&](std::size_t row, const char* key, const char* closed_form) {
    rows[row].back() = in_a_cell(value(summary, key), other ? value(*other, key) : value(summary, closed_form));
  };
  differ(1, "dram_kv_bursts", "dram_kv_dense"), differ(2, "dram_kv_useful", "dram_kv_dense");
  if (other)
    differ(3, "cycles", "");
  else if (value(summary, "cycles") && setting(manifest.policy, "name") != "workload")
    rows[3].back() = "add --against dense";
  std::string text;
  for (const std::string& line : lines_of(align(rows)))
    if (!line.starts_with("---")) text += line + "\n";
  return text + bound_by(summary) + "\n";
}

}  // namespace winnow
