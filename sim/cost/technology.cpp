#include "sim/cost/technology.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden/error.h"
#include "sim/config/schema.h"

namespace winnow::cost {
namespace {

std::string folder() { return WINNOW_SOURCE_DIR "/sim/technology"; }

// Reads one file; every complaint names file, line, key, value and rule.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {
    std::ifstream stream(file_);
    if (!stream) throw Error(fmt::format("{}: open: cannot be read: must be a technology", file_));
    std::stringstream text;
    text << stream.rdbuf();
    try {
      root_ = YAML::Load(text.str());
    } catch (const YAML::Exception& e) {
      throw Error(fmt::format("{}: line {}: {}: must be valid YAML", file_, e.mark.line + 1, e.msg));
    }
    if (!root_.IsMap()) fail(root_, "file", "no map", "must hold key: value lines");
  }

  const YAML::Node& root() const { return root_; }
  const std::string& file() const { return file_; }
  YAML::Node get(const YAML::Node& map, const std::string& key) const {
    return map && map.IsMap() ? map[key] : YAML::Node(YAML::NodeType::Undefined);
  }

  [[noreturn]] void fail(const YAML::Node& n, const std::string& key, const std::string& value,
                         const std::string& rule) const {
    const int line = n.IsDefined() ? n.Mark().line + 1 : 1;
    throw Error(fmt::format("{}: line {}: {}: {}: {}", file_, line, key, value, rule));
  }

  void known(const YAML::Node& map, const std::string& where, const std::vector<std::string>& keys) const {
    if (!map.IsMap()) fail(map, where, "no map", "must hold key: value lines");
    for (const auto& entry : map) {
      const std::string key = entry.first.Scalar();
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      const std::string near = nearest(key, keys);
      fail(entry.first, where.empty() ? key : where + "." + key, "no such key",
           near.empty() ? fmt::format("must be one of {}", fmt::join(keys, ", "))
                        : fmt::format("did you mean {}?", near));
    }
  }

  std::string word(const YAML::Node& map, const std::string& key) const {
    const YAML::Node n = get(map, key);
    if (!n || !n.IsScalar() || n.Scalar().empty())
      fail(n ? n : root_, key, n ? "no word" : "missing", "must be a word");
    return n.Scalar();
  }

  // `{UNIT: number, source: KEY}` of that key; the unit must be the one that fits.
  Figure figure(const YAML::Node& map, const std::string& where, const std::string& key,
                const std::string& unit) const {
    const std::string place = where.empty() ? key : where + "." + key;
    const YAML::Node n = get(map, key);
    if (!n) fail(map, place, "missing", fmt::format("must be {{{}: NUMBER, source: NAME}}", unit));
    if (!n.IsMap()) fail(n, place, "no map", fmt::format("must be {{{}: NUMBER, source: NAME}}", unit));
    for (const auto& entry : n)
      if (const std::string said = entry.first.Scalar(); said != unit && said != "source")
        fail(entry.first, place, said, fmt::format("must be in {}", unit));
    const YAML::Node value = n[unit];
    Figure f;
    if (!value) fail(n, place, "missing", fmt::format("must be in {}", unit));
    if (!value.IsScalar() || !YAML::convert<double>::decode(value, f.value) || !std::isfinite(f.value) || f.value < 0)
      fail(value, place + "." + unit, value.IsScalar() ? value.Scalar() : "no number", "must be a number, 0 or above");
    f.source = source(n, place);
    return f;
  }

  // The text that `sources` has of the key that the figure names.
  std::string source(const YAML::Node& map, const std::string& where) const {
    const YAML::Node n = get(map, "source");
    if (!n || !n.IsScalar()) fail(n ? n : map, where + ".source", "missing", "must be a key of sources");
    const YAML::Node text = get(root_["sources"], n.Scalar());
    if (!text || !text.IsScalar()) fail(n, where + ".source", n.Scalar(), "must be a key of sources");
    return text.Scalar();
  }

 private:
  std::string file_;
  YAML::Node root_;
};

// A number of the file that scripts/cost/technology writes.
double generated(const Reader& r, const YAML::Node& unit, const std::string& name, const std::string& key) {
  const YAML::Node n = r.get(unit, key);
  double v = 0;
  if (!n) r.fail(unit, "units." + name + "." + key, "missing", "must be a number, 0 or above");
  if (!n.IsScalar() || !YAML::convert<double>::decode(n, v) || !std::isfinite(v) || v < 0)
    r.fail(n, "units." + name + "." + key, n.IsScalar() ? n.Scalar() : "no number", "must be a number, 0 or above");
  return v;
}

// Of a unit that somebody names: one that a machine may have, or that the base has.
void require_unit(const Reader& r, const YAML::Node& at, const std::string& name, const Technology& base) {
  std::vector<std::string> names = unit_names();
  for (const auto& known : base.units) names.push_back(known.first);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const std::string near = nearest(name, names);
  r.fail(
      at, "units." + name, "no such unit",
      near.empty() ? fmt::format("must be one of {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near));
}

void read_generated(const std::string& file, Technology& t) {
  const Reader r(file);
  r.known(r.root(), "", {"library", "tool", "date", "command", "stated_activity", "units"});
  const std::string from = fmt::format("{} on {} ({})", r.word(r.root(), "tool"), r.word(r.root(), "library"),
                                       std::filesystem::path(file).filename().string());
  const YAML::Node units = r.get(r.root(), "units");
  if (!units || !units.IsMap()) r.fail(r.root(), "units", "missing", "must be a map of units");
  for (const auto& entry : units) {
    const std::string name = entry.first.Scalar();
    const std::string activity = r.get(entry.second, "activity") ? r.word(entry.second, "activity") : "stated";
    const std::string cells = from + ", unit " + name, toggles = cells + ", activity " + activity;
    Unit u;
    u.area_um2 = {generated(r, entry.second, name, "area_um2"), cells};
    u.leakage_uw = {generated(r, entry.second, name, "leakage_uw"), cells};
    u.busy_pj = {generated(r, entry.second, name, "busy_pj"), toggles};
    u.idle_pj = {generated(r, entry.second, name, "idle_pj"), cells + ", clock alone"};
    t.units[name] = u;
  }
}

void scale(Figure& f, const Figure& by) {
  f.value *= by.value;
  f.source += fmt::format("; x {:.4g}: {}", by.value, by.source);
}

Technology load(const std::string& name_or_path, int depth) {
  std::string file = name_or_path;
  if (!file.ends_with(".yaml")) {
    file = folder() + "/" + name_or_path + ".yaml";
    const std::vector<std::string> names = technology_names();
    if (std::find(names.begin(), names.end(), name_or_path) == names.end())
      throw Error(fmt::format("--technology: {}: no such technology: must be one of {}, or a .yaml file", name_or_path,
                              fmt::join(names, ", ")));
  }
  const Reader r(file);
  const YAML::Node& root = r.root();
  r.known(root, "",
          {"name", "sources", "base", "node", "scale", "units_file", "units", "sram", "wires_and_clock_tree",
           "idle_clock"});
  Technology t;
  const bool based = root["base"].IsDefined();
  if (based && depth >= 4) r.fail(root["base"], "base", r.word(root, "base"), "must not go round in a circle");
  if (based) {
    std::string base = r.word(root, "base");
    if (base.ends_with(".yaml")) base = (std::filesystem::path(file).parent_path() / base).string();
    t = load(base, depth + 1);
  }
  t.name = r.word(root, "name"), t.file = file;
  if (!root["sources"] || !root["sources"].IsMap()) r.fail(root, "sources", "missing", "must be a map of texts");
  const auto beside = [&](const std::string& name) {
    return (std::filesystem::path(file).parent_path() / name).string();
  };

  if (const YAML::Node s = root["scale"]) {
    if (!based) r.fail(s, "scale", "no base", "must go with base, which it scales");
    r.known(s, "scale", {"area", "energy", "leakage"});
    const Figure area = r.figure(s, "scale", "area", "ratio"), energy = r.figure(s, "scale", "energy", "ratio"),
                 leakage = r.figure(s, "scale", "leakage", "ratio");
    for (auto& [name, u] : t.units)
      scale(u.area_um2, area), scale(u.leakage_uw, leakage), scale(u.busy_pj, energy), scale(u.idle_pj, energy);
  }
  const auto said = [&](const char* key) { return !based || root[key].IsDefined(); };
  if (said("node")) t.node_nm = r.figure(root, "", "node", "nm");
  if (said("wires_and_clock_tree")) t.wires_and_clock_tree = r.figure(root, "", "wires_and_clock_tree", "ratio");
  if (said("idle_clock")) t.idle_clock = r.figure(root, "", "idle_clock", "ratio");
  if (t.idle_clock.value > 1)
    r.fail(root["idle_clock"], "idle_clock.ratio", fmt::format("{}", t.idle_clock.value), "must be at most 1");
  if (said("units_file")) read_generated(beside(r.word(root, "units_file")), t);
  if (const YAML::Node units = root["units"]) {
    if (!units.IsMap()) r.fail(units, "units", "no map", "must be a map of units");
    for (const auto& entry : units) {
      const std::string name = entry.first.Scalar(), where = "units." + name;
      require_unit(r, entry.first, name, t);
      r.known(entry.second, where, {"area", "leakage", "busy", "idle"});
      t.units[name] = {r.figure(entry.second, where, "area", "um2"), r.figure(entry.second, where, "leakage", "uw"),
                       r.figure(entry.second, where, "busy", "pj"), r.figure(entry.second, where, "idle", "pj")};
    }
  }
  if (said("sram")) {
    const YAML::Node s = r.get(root, "sram");
    if (!s) r.fail(root, "sram", "missing", "must be a map");
    r.known(s, "sram", {"table", "least_words", "widest"});
    const auto whole = [&](const char* key, const char* unit) {
      const Figure f = r.figure(s, "sram", key, unit);
      if (f.value < 1 || f.value > 1e6 || f.value != std::floor(f.value))
        r.fail(s[key], fmt::format("sram.{}.{}", key, unit), fmt::format("{}", f.value),
               "must be a whole number, 1..1000000");
      return f;
    };
    const Figure least = whole("least_words", "words"), widest = whole("widest", "bits");
    t.arrays = {static_cast<std::uint64_t>(least.value), static_cast<int>(widest.value)};
    t.arrays_source = least.source;
    t.sram = SramTable(beside(r.word(s, "table")), fmt::format("{}", t.node_nm.value));
  } else if (root["node"].IsDefined()) {
    t.sram = SramTable(t.sram.file(), fmt::format("{}", t.node_nm.value));
  }
  return t;
}

}  // namespace

const Unit& Technology::unit(const std::string& unit_name) const {
  const auto at = units.find(unit_name);
  if (at == units.end())
    throw Error(
        fmt::format("{}: units.{}: missing: must be given, or measured by scripts/cost/technology --liberty "
                    "FILE --only {}",
                    file, unit_name, unit_name));
  return at->second;
}

BitCost Technology::register_bit() const {
  constexpr double kFifoBits = 32 * 16, kWord = 32;
  const Unit &fifo = unit("fifo"), &word = unit("register");
  const auto of = [](double value, const Unit& u, const char* what) { return Figure{value, u.area_um2.source + what}; };
  // What moves in a FIFO beyond its clock and the word that is written: the choice of the word that is read.
  const double read = (fifo.busy_pj.value - fifo.idle_pj.value) - (word.busy_pj.value - word.idle_pj.value);
  return {of(fifo.area_um2.value / kFifoBits, fifo, ", a bit of 16 words of 32"),
          of(fifo.leakage_uw.value / kFifoBits, fifo, ", a bit of 16 words of 32"),
          of(std::max(0.0, read) / kWord, fifo, ", a bit read"),
          of(word.busy_pj.value / kWord, word, ", a bit written; the clocks of other words stand still")};
}

BitCost Technology::multiplexer_bit() const {
  constexpr double kTwoInputs = 15, kStages = 4;
  const Unit& u = unit("select16");
  const std::string source = u.area_um2.source + ", of two inputs";
  // A bit that goes through four of them turns about that many.
  return {{u.area_um2.value / kTwoInputs, source},
          {u.leakage_uw.value / kTwoInputs, source},
          {u.busy_pj.value / kStages, source},
          {0, source}};
}

Technology load_technology(const std::string& name_or_path) { return load(name_or_path, 0); }

std::vector<std::string> technology_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder()))
    if (entry.path().extension() == ".yaml" && !entry.path().stem().string().ends_with("-units"))
      names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace winnow::cost
