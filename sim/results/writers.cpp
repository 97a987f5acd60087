#include "sim/results/writers.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {
namespace {

using Json = nlohmann::ordered_json;

// Thousands apart.
std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

void collect(const StatTree& tree, const std::string& indent, std::vector<std::vector<std::string>>& rows) {
  for (const Statistic& one : tree.statistics()) rows.push_back({indent + one.name, show(one)});
  for (const StatTree& child : tree.children()) {
    rows.push_back({indent + child.name(), ""});
    collect(child, indent + "  ", rows);
  }
}

Json json_of(const StatTree& tree) {
  Json block = Json::object();
  for (const Statistic& one : tree.statistics()) {
    Json& entry = block[one.name];
    std::visit([&](auto value) { entry["value"] = value; }, one.value);
    entry["unit"] = unit_name(one.unit);
  }
  for (const StatTree& child : tree.children()) block[child.name()] = json_of(child);
  return block;
}

void fill(const std::string& file, const std::string& place, const Json& block, StatTree& tree) {
  if (!block.is_object()) throw Error(fmt::format("{}: {}: no object: must hold statistics", file, place));
  for (const auto& [name, entry] : block.items()) {
    const std::string here = place + (place.empty() ? "" : ".") + name;
    if (!entry.is_object() || !entry.contains("unit")) {
      fill(file, here, entry, tree.child(name));
      continue;
    }
    if (!entry["unit"].is_string() || !entry.contains("value") || !entry["value"].is_number())
      throw Error(fmt::format("{}: {}: {}: must be a value with a unit", file, here, in_quotes(entry.dump())));
    Statistic one{name, unit_of(entry["unit"].get<std::string>()), 0.0};
    if (entry["value"].is_number_unsigned())
      one.value = entry["value"].get<std::uint64_t>();
    else
      one.value = entry["value"].get<double>();
    tree.add(std::move(one));
  }
}

}  // namespace

std::string show(const Statistic& statistic) {
  const std::string name = symbol(statistic.unit), unit = name.empty() ? name : fmt::format(" {}", name);
  if (const auto* whole = std::get_if<std::uint64_t>(&statistic.value)) return grouped(*whole) + unit;
  const double value = statistic.number();
  if (statistic.unit == Unit::bytes_per_second) return fmt::format("{:.4g} GB/s", value / 1e9);
  return fmt::format("{:.4g}{}", value, unit);
}

std::string to_table(const StatTree& tree) {
  std::vector<std::vector<std::string>> rows{{tree.name(), ""}};
  collect(tree, "", rows);
  return align(rows);
}

std::string to_json(const StatTree& tree) { return json_of(tree).dump(2) + "\n"; }

StatTree from_json(const std::string& file, const std::string& text) {
  StatTree tree("result");
  try {
    fill(file, "", Json::parse(text), tree);
  } catch (const Json::exception&) {
    throw Error(file + ": file: no JSON: must be a result that winnow wrote");
  }
  return tree;
}

std::string align(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == width.size()) width.push_back(0);
      width[c] = std::max(width[c], row[c].size());
    }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      line += c == 0 ? fmt::format("{:<{}}", rows[r][c], width[c]) : fmt::format("  {:>{}}", rows[r][c], width[c]);
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
    if (r > 0) continue;
    std::size_t total = 0;
    for (std::size_t c = 0; c < width.size(); ++c) total += width[c] + (c == 0 ? 0 : 2);
    text += std::string(total, '-') + "\n";
  }
  return text;
}

}  // namespace winnow
