#include "sim/results/writers.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

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
  for (const Statistic& one : tree.statistics()) rows.push_back({indent + one.label, show(one)});
  for (const StatTree& child : tree.children()) {
    rows.push_back({indent + child.label(), ""});
    collect(child, indent + "  ", rows);
  }
}

Json json_of(const StatTree& tree) {
  Json part = Json::object();
  part["label"] = tree.label();
  for (const Statistic& one : tree.statistics()) {
    Json& entry = part[one.key];
    std::visit([&](auto value) { entry["value"] = value; }, one.value);
    entry["unit"] = unit_name(one.unit);
    entry["label"] = one.label;
  }
  for (const StatTree& child : tree.children()) part[child.key()] = json_of(child);
  return part;
}

// Another version's names mean other things: it is not read at all.
void require_format(const std::string& file, const Json& json) {
  const std::string rule = fmt::format(
      "this winnow reads {} alone: run again, or use the winnow that manifest.json beside it names", kResultFormat);
  if (!json.is_object()) throw Error(file + ": file: no object: must be a result that winnow wrote");
  if (!json.contains("format"))
    throw Error(fmt::format("{}: format: '': a result of version 1, which had none: {}", file, rule));
  const Json& format = json["format"];
  if (format != kResultFormat)
    throw Error(fmt::format("{}: format: {}: another version: {}", file,
                            in_quotes(format.is_string() ? format.get<std::string>() : format.dump()), rule));
}

void fill(const std::string& file, const std::string& place, const Json& part, StatTree& tree) {
  for (const auto& [key, entry] : part.items()) {
    if (key == "label" || (place.empty() && key == "format")) continue;
    const std::string here = place + (place.empty() ? "" : ".") + key;
    if (!entry.is_object() || !entry.contains("label") || !entry["label"].is_string())
      throw Error(
          fmt::format("{}: {}: {}: must be a part or a statistic, with a label", file, here, in_quotes(entry.dump())));
    const auto label = entry["label"].get<std::string>();
    if (!entry.contains("unit")) {
      fill(file, here, entry, tree.part(key, label));
      continue;
    }
    if (!entry["unit"].is_string() || !entry.contains("value") || !entry["value"].is_number())
      throw Error(fmt::format("{}: {}: {}: must be a value with a unit", file, here, in_quotes(entry.dump())));
    Statistic one{key, label, unit_of(entry["unit"].get<std::string>()), 0.0};
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

std::string show_short(const Statistic& statistic) {
  const Unit unit = statistic.unit;
  if (unit != Unit::bytes && unit != Unit::seconds && unit != Unit::joules && unit != Unit::watts &&
      unit != Unit::bytes_per_second)
    return show(statistic);
  constexpr std::pair<double, const char*> kPrefixes[] = {{1e12, "T"}, {1e9, "G"},  {1e6, "M"},  {1e3, "k"},
                                                          {1, ""},     {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}};
  const double value = statistic.number();
  for (const auto& [factor, prefix] : kPrefixes) {
    if (unit == Unit::bytes && factor < 1) break;
    // 999.96 would be printed as 1000.
    if (std::abs(value) >= factor * 0.99995) return fmt::format("{:.4g} {}{}", value / factor, prefix, symbol(unit));
  }
  return fmt::format("{:.4g} {}", value, symbol(unit));
}

std::string wrapped(const std::string& text, std::size_t most) {
  std::string lines, line;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > most)
      lines += line + "\n", line = "  " + word;
    else
      line += (line.empty() ? "" : " ") + word;
  }
  return lines + line + "\n";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string to_table(const StatTree& tree) {
  std::vector<std::vector<std::string>> rows{{tree.label(), ""}};
  collect(tree, "", rows);
  return align(rows);
}

std::string to_json(const StatTree& tree) {
  Json json = Json::object();
  json["format"] = kResultFormat;
  json.update(json_of(tree));
  return json.dump(2) + "\n";
}

StatTree from_json(const std::string& file, const std::string& text) {
  StatTree tree("result");
  try {
    const Json json = Json::parse(text);
    require_format(file, json);
    fill(file, "", json, tree);
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
