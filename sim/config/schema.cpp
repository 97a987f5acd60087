#include "sim/config/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <numeric>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {
namespace {

template <class Number>
bool parse_whole(const std::string& text, Number& number) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc{} && end == text.data() + text.size();
}

// Levenshtein distance.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, swap});
    }
  }
  return row[b.size()];
}

// Text that YAML gives back as it is, in quotes where it must be.
std::string yaml_text(const std::string& text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  };
  const bool word = !text.empty() && std::isalnum(static_cast<unsigned char>(text[0])) && text != "null" &&
                    text != "Null" && text != "NULL" && std::all_of(text.begin(), text.end(), plain);
  if (word) return text;
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string Param::rule_text() const {
  if (const auto* custom = std::get_if<Custom>(&target)) return custom->rule;
  if (std::holds_alternative<bool*>(target)) return "must be true or false";
  if (std::holds_alternative<std::string*>(target))
    return rule.choices.empty() ? "must be a name" : fmt::format("must be one of {}", fmt::join(rule.choices, ", "));
  if (std::holds_alternative<double*>(target)) return fmt::format("must be a number {}..{}", rule.low, rule.high);
  return fmt::format("must be {} {}..{}", rule.power_of_two ? "a power of two" : "an integer",
                     static_cast<long long>(rule.low), static_cast<long long>(rule.high));
}

std::string Param::value_text() const {
  struct Text {
    std::string operator()(const int* v) const { return std::to_string(*v); }
    std::string operator()(const double* v) const { return fmt::format("{}", *v); }
    std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
    std::string operator()(const std::string* v) const { return *v; }
    std::string operator()(const Custom& v) const { return v.get(); }
  };
  return std::visit(Text{}, target);
}

void Param::assign(const std::string& place, const std::string& text) const {
  struct Assign {
    const std::string& text;
    const Rule& rule;
    bool in_range(double v) const { return v >= rule.low && v <= rule.high; }
    bool operator()(int* target) const {
      int v = 0;
      if (!parse_whole(text, v) || !in_range(v) || (rule.power_of_two && (v & (v - 1)) != 0)) return false;
      *target = v;
      return true;
    }
    bool operator()(double* target) const {
      double v = 0;
      if (!parse_whole(text, v) || !std::isfinite(v) || !in_range(v)) return false;
      *target = v;
      return true;
    }
    bool operator()(bool* target) const {
      if (text != "true" && text != "false") return false;
      *target = text == "true";
      return true;
    }
    bool operator()(std::string* target) const {
      const auto& choices = rule.choices;
      if (text.empty() || (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()))
        return false;
      *target = text;
      return true;
    }
    bool operator()(const Custom& target) const { return target.set(text); }
  };
  if (!std::visit(Assign{text, rule}, target))
    throw Error(fmt::format("{}: {}: {}: {}", place, key, in_quotes(text), rule_text()));
}

const Param* find_param(const Schema& schema, const std::string& key) {
  const auto at = std::find_if(schema.begin(), schema.end(), [&](const Param& p) { return p.key == key; });
  return at == schema.end() ? nullptr : &*at;
}

std::string nearest(const std::string& typed, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(3, typed.size() / 2);
  for (const std::string& key : known) {
    // A key typed without its section is near to it.
    const std::string last = key.substr(key.rfind('.') + 1);
    const std::size_t d = std::min(distance(typed, key), distance(typed, last) + 1);
    if (d < least) least = d, best = key;
  }
  return best;
}

std::string show_yaml(const Schema& schema) {
  std::string text;
  std::vector<std::string> open;  // sections of the line before
  for (const Param& param : schema) {
    if (param.shorthand) continue;
    std::string value = param.value_text();
    if (std::holds_alternative<std::string*>(param.target)) value = yaml_text(value);
    std::vector<std::string> path;
    for (std::size_t at = 0, dot; at <= param.key.size(); at = dot + 1) {
      dot = std::min(param.key.find('.', at), param.key.size());
      path.push_back(param.key.substr(at, dot - at));
    }
    const std::string name = path.back();
    path.pop_back();
    std::size_t shared = 0;
    while (shared < std::min(open.size(), path.size()) && open[shared] == path[shared]) ++shared;
    for (std::size_t depth = shared; depth < path.size(); ++depth)
      text += fmt::format("{:{}}{}:\n", "", 2 * depth, path[depth]);
    open = path;
    std::string note = param.unit.empty() ? "" : "[" + param.unit + "] ";
    if (!param.doc.empty()) note += param.doc + "; ";
    note += param.rule_text().substr(std::string_view("must be ").size());
    text += fmt::format("{:<30}# {}\n", fmt::format("{:{}}{}: {}", "", 2 * path.size(), name, value), note);
  }
  return text;
}

}  // namespace winnow
