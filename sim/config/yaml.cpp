#include "sim/config/yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "golden/error.h"
#include "traces/text.h"

namespace winnow {
namespace {

struct Loader {
  const std::string& path;
  const Schema& schema;
  KeyLines lines;

  [[noreturn]] void fail(int line, const std::string& what) const {
    throw Error(fmt::format("{}: line {}: {}", path, line, what));
  }

  static std::string scalar(const YAML::Node& node) { return node.IsScalar() ? node.Scalar() : ""; }
  static bool is_list_of_words(const YAML::Node& node) {
    return node.IsSequence() && std::all_of(node.begin(), node.end(), [](const auto& item) { return item.IsScalar(); });
  }
  // As --set takes it.
  static std::string list_text(const YAML::Node& node) {
    std::vector<std::string> words;
    for (const auto& item : node) words.push_back(item.Scalar());
    return fmt::format("[{}]", fmt::join(words, ", "));
  }

  void walk(const YAML::Node& map, const std::string& section) {
    for (const auto& entry : map) {
      const int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) fail(line, "key: not a word: keys must be words");
      const std::string key = section + entry.first.Scalar();
      if (entry.second.IsMap()) {
        walk(entry.second, key + ".");
        continue;
      }
      const Param* param = find_param(schema, key);
      if (param == nullptr) {
        std::vector<std::string> known;
        for (const Param& p : schema) known.push_back(p.key);
        const std::string near = nearest(key, known);
        const std::string hint = near.empty() ? "" : ", did you mean " + near + "?";
        fail(line, fmt::format("{}: {}: no such key{}", key, in_quotes(scalar(entry.second)), hint));
      }
      if (param->shorthand)
        fail(line, fmt::format("{}: {}: is for --set alone: {}", key, in_quotes(scalar(entry.second)), param->doc));
      const auto* custom = std::get_if<Param::Custom>(&param->target);
      const bool list = custom && custom->list && is_list_of_words(entry.second);
      if (!entry.second.IsScalar() && !list)
        fail(line, fmt::format("{}: {}: {}", key, entry.second.IsNull() ? "empty" : "a list", param->rule_text()));
      const std::string text = list ? list_text(entry.second) : entry.second.Scalar();
      if (const auto [at, first] = lines.emplace(key, line); !first)
        fail(line, fmt::format("{}: {}: stands on line {} already", key, in_quotes(text), at->second));
      param->assign(fmt::format("{}: line {}", path, line), text);
    }
  }
};

}  // namespace

KeyLines load_yaml(const std::string& path, const Schema& schema) {
  errno = 0;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (errno != 0) throw Error(path + ": open: " + std::strerror(errno));
  YAML::Node root;
  try {
    root = YAML::Load(text.str());
  } catch (const YAML::Exception& e) {
    throw Error(fmt::format("{}: line {}: {}: must be valid YAML", path, e.mark.line + 1, e.msg));
  }
  Loader loader{path, schema, {}};
  if (!root.IsMap()) loader.fail(1, "file: no map: must hold key: value lines");
  loader.walk(root, "");
  for (const Param& param : schema)
    if (!param.shorthand && !loader.lines.contains(param.key))
      throw Error(fmt::format("{}: {}: missing: {}", path, param.key, param.rule_text()));
  return loader.lines;
}

}  // namespace winnow
