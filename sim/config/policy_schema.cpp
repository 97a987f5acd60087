#include "sim/config/policy_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <type_traits>

#include "golden/error.h"
#include "sim/config/yaml.h"
#include "traces/text.h"

namespace winnow {
namespace {

template <class Number>
bool parse_number(std::string_view text, const golden::Range& range, Number& number) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc{} && end == text.data() + text.size() && number >= range.min && number <= range.max;
}

// "4,4" or "[4, 4]"; "none" or "[]" for an empty list.
template <class Number>
Param::Custom list_target(std::vector<Number>& list, const golden::Range& range) {
  const auto set = [&list, range](const std::string& text) {
    std::string_view rest = text;
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    std::vector<Number> parsed;
    while (rest != "none" && text != "[]") {
      while (rest.starts_with(' ')) rest.remove_prefix(1);
      const std::size_t comma = std::min(rest.find(','), rest.size());
      Number number{};
      if (!parse_number(rest.substr(0, comma), range, number)) return false;
      parsed.push_back(number);
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
    list = parsed;
    return true;
  };
  return {[&list] { return list.empty() ? "none" : fmt::format("[{}]", fmt::join(list, ", ")); }, set,
          fmt::format("must be a list of numbers {}..{} with commas, or none", range.min, range.max), true};
}

template <class E>
Param::Custom enum_target(E& member, const golden::Names<E>& names) {
  const std::vector<std::string> list(names.names.begin(), names.names.end());
  const auto set = [&member, list](const std::string& text) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] != text) continue;
      member = static_cast<E>(i);
      return true;
    }
    return false;
  };
  return {[&member, list] { return list[static_cast<std::size_t>(member)]; }, set,
          fmt::format("must be one of {}", fmt::join(list, ", "))};
}

Param::Custom average_target(golden::KeepSchedule& schedule, golden::KeepSchedule (*from_average)(double)) {
  const auto set = [&schedule, from_average](const std::string& text) {
    double average = 0;
    if (!parse_number(text, {0.5, 1}, average)) return false;
    schedule = from_average(average);
    return true;
  };
  return {[] { return std::string(); }, set, "must be a number 0.5..1"};
}

struct Collector {
  Schema schema;

  template <class Number>
  void operator()(const char* key, Number& member, const golden::Range& range, const char* doc) {
    if constexpr (std::is_same_v<Number, int> || std::is_same_v<Number, double>)
      schema.push_back({key, "", &member, {range.min, range.max, false, {}}, doc});
    else
      schema.push_back({key, "", list_target(member, range), {}, doc});
  }
  template <class E>
  void operator()(const char* key, E& member, const golden::Names<E>& names, const char* doc) {
    schema.push_back({key, "", enum_target(member, names), {}, doc});
  }
  void operator()(const char* key, bool& member, const char* doc) { schema.push_back({key, "", &member, {}, doc}); }
};

}  // namespace

Schema policy_schema(golden::Policy& policy) {
  Collector collector;
  golden::visit_policy(policy, collector);
  Schema schema = std::move(collector.schema);
  schema.push_back({"tokens.avg",
                    "",
                    average_target(policy.tokens, golden::tokens_from_average),
                    {},
                    "cascade: average share of tokens, sets tokens.start and tokens.end",
                    true});
  schema.push_back({"heads.avg",
                    "",
                    average_target(policy.heads, golden::heads_from_average),
                    {},
                    "cascade: average share of heads, sets heads.start and heads.end",
                    true});
  return schema;
}

Schema policy_file_schema(golden::Policy& policy) {
  Schema schema = policy_schema(policy);
  schema.insert(schema.begin(), {"name", "", &policy.name, {}, "what results call this policy"});
  return schema;
}

golden::Policy load_policy(const std::string& name_or_path) {
  if (std::filesystem::path(name_or_path).extension() != ".yaml") {
    std::vector<std::string> names;
    for (const golden::PolicyEntry& entry : golden::policies()) names.push_back(entry.name);
    if (std::find(names.begin(), names.end(), name_or_path) == names.end())
      throw Error(fmt::format("--policy: {}: no such policy: must be one of {}, or a .yaml file",
                              in_quotes(name_or_path), fmt::join(names, ", ")));
    return golden::make_policy(name_or_path);
  }
  golden::Policy policy;
  const KeyLines lines = load_yaml(name_or_path, policy_file_schema(policy));
  if (const auto bad = golden::find_violation(policy))
    throw Error(
        fmt::format("{}: line {}: {}: {}: {}", name_or_path, lines.at(bad->key), bad->key, bad->value, bad->rule));
  return policy;
}

}  // namespace winnow
