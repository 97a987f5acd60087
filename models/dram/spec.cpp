#include "models/dram/spec.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <bit>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "golden/error.h"

namespace winnow::dram {
namespace {

constexpr std::array<const char*, kCommands> kCommandNames = {"ACT", "PRE", "PREA", "RD", "WR", "REF"};
constexpr std::array<const char*, kCommands> kRoles = {"activate", "precharge", "precharge_all",
                                                       "read",     "write",     "refresh"};
constexpr int kMaxCycles = 1'000'000;

// Reads one file; every complaint names file, line, key, value and rule.
class Reader {
 public:
  Reader(const std::string& text, std::string file) : file_(std::move(file)) {
    try {
      root_ = YAML::Load(text);
    } catch (const YAML::Exception& e) {
      throw Error(fmt::format("{}:{}: not YAML: {}", file_, e.mark.line + 1, e.msg));
    }
    if (!root_.IsMap()) throw Error(fmt::format("{}:1: the file must be a map of sections", file_));
  }

  YAML::Node section(const char* key) const { return at(root_, key, "the file"); }

  YAML::Node at(const YAML::Node& map, const char* key, const std::string& where) const {
    if (!map.IsMap()) fail(map, where, "must be a map");
    YAML::Node n = map[key];
    if (!n) fail(map, where, fmt::format("key '{}' is missing", key));
    return n;
  }

  int integer(const YAML::Node& map, const char* key, const std::string& where, int low, int high) const {
    const YAML::Node n = at(map, key, where);
    int v = 0;
    if (!n.IsScalar() || !YAML::convert<int>::decode(n, v) || v < low || v > high)
      fail(n, where + "." + key, fmt::format("'{}' must be a whole number in {}..{}", text(n), low, high));
    return v;
  }

  double real(const YAML::Node& map, const char* key, const std::string& where) const {
    const YAML::Node n = at(map, key, where);
    double v = 0;
    if (!n.IsScalar() || !YAML::convert<double>::decode(n, v) || !(v >= 0 && v < 1e9))
      fail(n, where + "." + key, fmt::format("'{}' must be a number in 0..1e9", text(n)));
    return v;
  }

  std::string word(const YAML::Node& map, const char* key, const std::string& where) const {
    const YAML::Node n = at(map, key, where);
    if (!n.IsScalar() || n.Scalar().empty()) fail(n, where + "." + key, "must be a word");
    return n.Scalar();
  }

  // A key of `sources`, returned as its text.
  std::string source(const YAML::Node& map, const std::string& where) const {
    const std::string key = word(map, "source", where);
    const YAML::Node n = section("sources")[key];
    if (!n) fail(map["source"], where + ".source", fmt::format("'{}' is not listed under sources", key));
    return n.Scalar();
  }

  void known(const YAML::Node& map, const std::string& where, std::initializer_list<const char*> keys) const {
    if (!map.IsMap()) fail(map, where, "must be a map");
    for (const auto& kv : map) {
      const std::string k = kv.first.Scalar();
      bool found = false;
      for (const char* key : keys) found |= k == key;
      if (!found) fail(kv.first, where, fmt::format("unknown key '{}'", k));
    }
  }

  template <class Names>
  int index(const YAML::Node& n, const std::string& where, const Names& names) const {
    const std::string w = n.IsScalar() ? n.Scalar() : "";
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (w == names[i]) return static_cast<int>(i);
      list += (i ? ", " : "") + std::string(names[i]);
    }
    fail(n, where, fmt::format("'{}' must be one of {}", w, list));
  }

  [[noreturn]] void fail(const YAML::Node& n, const std::string& where, const std::string& rule) const {
    throw Error(fmt::format("{}:{}: {}: {}", file_, n.Mark().line + 1, where, rule));
  }

 private:
  static std::string text(const YAML::Node& n) { return n.IsScalar() ? n.Scalar() : "(not a scalar)"; }
  std::string file_;
  YAML::Node root_;
};

void read_levels(const Reader& r, Spec& s) {
  const YAML::Node list = r.section("levels");
  if (!list.IsSequence() || list.size() != kLevels)
    r.fail(list, "levels", fmt::format("must be a list of {} names, from the channel down", kLevels));
  for (std::size_t i = 0; i < kLevels; ++i) s.level_names[i] = list[i].as<std::string>("");
  if (std::set<std::string>(s.level_names.begin(), s.level_names.end()).size() != kLevels)
    r.fail(list, "levels", "must be different names");
}

void read_organization(const Reader& r, Spec& s) {
  const YAML::Node o = r.section("organization");
  r.known(o, "organization", {"bank_groups", "banks", "rows", "columns", "burst_bytes", "clock_ps"});
  const auto count = [&](const char* key, int high, bool power) {
    const std::string where = std::string("organization.") + key;
    const YAML::Node n = r.at(o, key, "organization");
    r.source(n, where);
    const int v = r.integer(n, "count", where, 1, high);
    if (power && !std::has_single_bit(static_cast<unsigned>(v)))
      r.fail(n["count"], where, fmt::format("'{}' must be a power of two", v));
    return v;
  };
  s.bank_groups = count("bank_groups", 8, true);
  s.banks = count("banks", 32, true);
  s.rows = count("rows", 1 << 20, true);
  s.columns = count("columns", 1 << 10, true);
  s.burst_bytes = count("burst_bytes", 32, true);
  if (s.burst_bytes != 32) r.fail(o["burst_bytes"], "organization.burst_bytes", "must be 32");
  s.clock_ps = count("clock_ps", 100'000, false);
}

void read_timing(const Reader& r, Spec& s) {
  const YAML::Node t = r.section("timing");
  if (!t.IsMap()) r.fail(t, "timing", "must be a map");
  for (const auto& kv : t) {
    const std::string where = "timing." + kv.first.Scalar();
    TimingParameter p;
    p.name = kv.first.Scalar();
    r.known(kv.second, where, {"cycles", "source", "others"});
    p.cycles = r.integer(kv.second, "cycles", where, 0, kMaxCycles);
    p.source = r.source(kv.second, where);
    if (const YAML::Node others = kv.second["others"])
      for (const auto& o : others)
        p.others.emplace_back(r.integer(o, "cycles", where, 0, kMaxCycles), r.source(o, where));
    s.timing.push_back(std::move(p));
  }
}

void read_controller(const Reader& r, Spec& s) {
  const YAML::Node c = r.section("controller");
  r.known(c, "controller", {"read_latency", "burst_cycles", "refresh_interval", "refresh_cycles"});
  const auto expression = [&](const char* key) {
    std::string text = r.word(c, key, "controller");
    int cycles = 0;
    try {
      cycles = s.evaluate(text);
    } catch (const Error& e) {
      r.fail(c[key], std::string("controller.") + key, e.what());
    }
    if (cycles < 1) r.fail(c[key], std::string("controller.") + key, fmt::format("{}: must be at least 1", cycles));
    return text;
  };
  s.read_latency = expression("read_latency");
  s.burst_cycles = expression("burst_cycles");
  s.refresh_cycles = expression("refresh_cycles");
  s.refresh_interval = expression("refresh_interval");
  if (s.evaluate(s.refresh_interval) <= s.evaluate(s.refresh_cycles))
    r.fail(c["refresh_interval"], "controller.refresh_interval",
           fmt::format("{} must be larger than {}", s.refresh_interval, s.refresh_cycles));
}

void read_commands(const Reader& r, Spec& s) {
  const YAML::Node c = r.section("commands");
  if (!c.IsMap()) r.fail(c, "commands", "must be a map");
  for (const auto& kv : c) {
    const std::string where = "commands." + kv.first.Scalar();
    const YAML::Node n = kv.second;
    r.known(n, where, {"does", "bus", "cycles"});
    const auto k = static_cast<std::size_t>(r.index(r.at(n, "does", where), where + ".does", kRoles));
    if (!s.command_names[k].empty())
      r.fail(n["does"], where + ".does", fmt::format("'{}' is what {} does", kRoles[k], s.command_names[k]));
    s.command_names[k] = kv.first.Scalar();
    s.on_row_bus[k] = r.index(r.at(n, "bus", where), where + ".bus", std::array<const char*, 2>{"column", "row"}) == 1;
    s.bus_cycles[k] = r.integer(n, "cycles", where, 1, 8);
    const bool column = k == static_cast<std::size_t>(Command::read) || k == static_cast<std::size_t>(Command::write);
    if (column == s.on_row_bus[k]) r.fail(n, where, "reads and writes use the column bus, all others the row bus");
  }
  for (std::size_t k = 0; k < kCommands; ++k)
    if (s.command_names[k].empty()) r.fail(c, "commands", fmt::format("no command does '{}'", kRoles[k]));
}

void read_constraints(const Reader& r, Spec& s) {
  const YAML::Node list = r.section("constraints");
  if (!list.IsSequence() || list.size() == 0) r.fail(list, "constraints", "must be a list with at least one entry");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("constraints[{}]", i);
    const YAML::Node n = list[i];
    r.known(n, where, {"level", "preceding", "following", "latency", "window"});
    Constraint c;
    c.level = static_cast<Level>(r.index(r.at(n, "level", where), where + ".level", s.level_names));
    for (const auto& p : r.at(n, "preceding", where))
      c.preceding.push_back(static_cast<Command>(r.index(p, where + ".preceding", s.command_names)));
    for (const auto& f : r.at(n, "following", where))
      c.following.push_back(static_cast<Command>(r.index(f, where + ".following", s.command_names)));
    if (c.preceding.empty() || c.following.empty())
      r.fail(n, where, "preceding and following must name a command each");
    c.latency = r.word(n, "latency", where);
    c.window = n["window"] ? r.integer(n, "window", where, 1, 16) : 1;
    try {
      s.evaluate(c.latency);
    } catch (const Error& e) {
      r.fail(n["latency"], where + ".latency", e.what());
    }
    s.constraints.push_back(std::move(c));
  }
}

void read_mappings(const Reader& r, Spec& s) {
  // In the order of Field.
  const std::array<std::string, 4> fields = {"column", s.level_names[static_cast<std::size_t>(Level::bank_group)],
                                             s.level_names[static_cast<std::size_t>(Level::bank)], "row"};
  for (const auto& kv : r.section("mappings")) {
    const std::string where = "mappings." + kv.first.Scalar();
    std::array<Field, 4> order{};
    std::set<int> seen;
    if (kv.second.IsSequence() && kv.second.size() == 4)
      for (std::size_t i = 0; i < 4; ++i) {
        const int f = r.index(kv.second[i], where, fields);
        order[i] = static_cast<Field>(f);
        seen.insert(f);
      }
    if (seen.size() != 4)
      r.fail(kv.second, where, fmt::format("must name column, {}, {} and row once each", fields[1], fields[2]));
    s.mappings.emplace_back(kv.first.Scalar(), order);
  }
}

void read_controllers(const Reader& r, Spec& s) {
  for (const auto& kv : r.section("controllers")) {
    const std::string where = "controllers." + kv.first.Scalar();
    const YAML::Node n = kv.second;
    r.known(
        n, where,
        {"pseudo_channels", "read_queue", "write_queue", "high_watermark", "low_watermark", "row_hit_guard", "offers"});
    ControllerPreset p;
    p.pseudo_channels = r.integer(n, "pseudo_channels", where, 1, 2);
    p.read_queue = r.integer(n, "read_queue", where, 1, 1024);
    p.write_queue = r.integer(n, "write_queue", where, 1, 1024);
    p.high_watermark = r.integer(n, "high_watermark", where, 0, 999);
    p.low_watermark = r.integer(n, "low_watermark", where, 0, p.high_watermark);
    p.row_hit_guard = r.index(r.at(n, "row_hit_guard", where), where + ".row_hit_guard",
                              std::array<const char*, 2>{"false", "true"}) == 1;
    p.offers = r.integer(n, "offers", where, 1, 8);
    s.controllers.emplace_back(kv.first.Scalar(), p);
  }
}

void read_energy(const Reader& r, Spec& s) {
  const YAML::Node e = r.section("energy");
  s.default_energy = r.word(e, "default", "energy");
  for (const auto& kv : e) {
    const std::string name = kv.first.Scalar(), where = "energy." + name;
    if (name == "default") continue;
    const YAML::Node n = kv.second;
    r.known(n, where,
            {"activate", "read_core", "io", "write_core_over_read", "refresh", "background_open", "background_closed"});
    EnergyPreset p;
    const auto value = [&](const char* key, const char* unit) {
      const YAML::Node v = r.at(n, key, where);
      r.source(v, where + "." + key);
      return r.real(v, unit, where + "." + key);
    };
    p.activate = value("activate", "pj");
    p.read_core_bit = value("read_core", "pj_per_bit");
    p.io_bit = value("io", "pj_per_bit");
    p.write_core_over_read = value("write_core_over_read", "ratio");
    p.refresh = value("refresh", "pj");
    p.background_open = value("background_open", "pj");
    p.background_closed = value("background_closed", "pj");
    p.source = r.source(n["activate"], where);
    s.energy.emplace_back(name, p);
  }
  for (const auto& [name, preset] : s.energy)
    if (name == s.default_energy) return;
  r.fail(e["default"], "energy.default", fmt::format("'{}' is not one of the presets below it", s.default_energy));
}

template <class List>
const auto& find(const List& list, const std::string& name, const char* what) {
  std::string known;
  for (const auto& [key, value] : list) {
    if (key == name) return value;
    known += (known.empty() ? "" : ", ") + key;
  }
  throw Error(fmt::format("{} '{}' is unknown; it must be one of {}", what, name, known));
}

template <class List>
std::vector<std::string> names(const List& list) {
  std::vector<std::string> all;
  for (const auto& [key, value] : list) all.push_back(key);
  return all;
}

// The files beside this one, by type.
constexpr std::pair<const char*, const char*> kFiles[] = {
#include "memory_types.inc"
};

}  // namespace

const char* name(Command c) { return kCommandNames[static_cast<std::size_t>(c)]; }

int Spec::cycles(const std::string& timing_name) const {
  for (const TimingParameter& p : timing)
    if (p.name == timing_name) return p.cycles;
  throw Error(fmt::format("timing '{}' is unknown; {}.yaml lists them under timing", timing_name, type));
}

Spec Spec::with(const std::string& timing_name, int value) const {
  cycles(timing_name);
  if (value < 0 || value > kMaxCycles)
    throw Error(fmt::format("timing {}: '{}' must be in 0..{}", timing_name, value, kMaxCycles));
  Spec s = *this;
  for (TimingParameter& p : s.timing)
    if (p.name == timing_name) p.cycles = value;
  return s;
}

int Spec::evaluate(const std::string& latency) const {
  int sum = 0, sign = 1;
  bool want_term = true;
  for (std::size_t i = 0; i < latency.size();) {
    const auto c = static_cast<unsigned char>(latency[i]);
    if (std::isspace(c)) {
      ++i;
    } else if (want_term && std::isalnum(c)) {
      std::size_t end = i;
      while (end < latency.size() && std::isalnum(static_cast<unsigned char>(latency[end]))) ++end;
      const std::string term = latency.substr(i, end - i);
      const bool number = term.find_first_not_of("0123456789") == std::string::npos && term.size() <= 6;
      sum += sign * (number ? std::stoi(term) : cycles(term));
      want_term = false;
      i = end;
    } else if (!want_term && (c == '+' || c == '-')) {
      sign = c == '+' ? 1 : -1;
      want_term = true;
      ++i;
    } else {
      break;
    }
    if (i == latency.size() && !want_term) return sum;
  }
  throw Error(fmt::format("'{}' must be a sum or difference of timing names and numbers", latency));
}

const std::array<Field, 4>& Spec::mapping(const std::string& name) const { return find(mappings, name, "mapping"); }
const ControllerPreset& Spec::controller(const std::string& name) const {
  return find(controllers, name, "memory preset");
}
const EnergyPreset& Spec::energy_preset(const std::string& name) const {
  return find(energy, name.empty() ? default_energy : name, "energy preset");
}

std::vector<std::string> Spec::mapping_names() const { return names(mappings); }
std::vector<std::string> Spec::energy_names() const { return names(energy); }

std::uint64_t Spec::channel_bytes(int pseudo_channels) const {
  return std::uint64_t{1} * static_cast<unsigned>(pseudo_channels * bank_groups * banks * columns * burst_bytes) *
         static_cast<unsigned>(rows);
}

Spec parse_spec(const std::string& text, const std::string& file_name) {
  const Reader r(text, file_name);
  Spec s;
  s.type = std::filesystem::path(file_name).stem().string();
  read_levels(r, s);
  read_organization(r, s);
  read_timing(r, s);
  read_controller(r, s);
  read_commands(r, s);
  read_constraints(r, s);
  read_mappings(r, s);
  read_controllers(r, s);
  read_energy(r, s);
  return s;
}

Spec load_spec(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(fmt::format("{}: cannot be read", path));
  std::ostringstream text;
  text << in.rdbuf();
  return parse_spec(text.str(), path);
}

std::vector<std::string> memory_types() {
  std::vector<std::string> types;
  for (const auto& [type, text] : kFiles) types.emplace_back(type);
  return types;
}

const Spec& memory_spec(const std::string& type) {
  static const std::map<std::string, Spec> specs = [] {
    std::map<std::string, Spec> all;
    for (const auto& [name, text] : kFiles)
      all.emplace(name, parse_spec(text, fmt::format("models/dram/{}.yaml", name)));
    return all;
  }();
  const auto found = specs.find(type);
  if (found == specs.end())
    throw Error(
        fmt::format("memory type '{}' is unknown; it must be one of {}", type, fmt::join(memory_types(), ", ")));
  return found->second;
}

const Spec& default_spec() { return memory_spec("hbm2"); }

}  // namespace winnow::dram
