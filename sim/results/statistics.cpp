#include "sim/results/statistics.h"

#include <cmath>

#include "golden/error.h"

namespace winnow {
namespace {

constexpr struct {
  Unit unit;
  const char *name, *symbol;
} kUnits[] = {{Unit::count, "count", ""},
              {Unit::bytes, "bytes", "B"},
              {Unit::cycles, "cycles", "cycles"},
              {Unit::seconds, "seconds", "s"},
              {Unit::joules, "joules", "J"},
              {Unit::watts, "watts", "W"},
              {Unit::square_micrometres, "square_micrometres", "um2"},
              {Unit::square_millimetres, "square_millimetres", "mm2"},
              {Unit::bytes_per_second, "bytes_per_second", "B/s"},
              {Unit::ratio, "ratio", ""}};

}  // namespace

const char* symbol(Unit unit) { return kUnits[static_cast<std::size_t>(unit)].symbol; }
const char* unit_name(Unit unit) { return kUnits[static_cast<std::size_t>(unit)].name; }

Unit unit_of(const std::string& name) {
  for (const auto& known : kUnits)
    if (name == known.name) return known.unit;
  throw Error("unit: '" + name + "': is none that results use");
}

double Statistic::number() const {
  return std::visit([](auto v) { return static_cast<double>(v); }, value);
}

std::string snake_case(const std::string& text) {
  std::string key;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z', plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper)
      key += static_cast<char>(c - 'A' + 'a');
    else if (plain)
      key += c;
    else if (!key.empty() && key.back() != '_')
      key += '_';
  }
  while (key.ends_with('_')) key.pop_back();
  return key;
}

void StatTree::check_key(const std::string& key) const {
  const bool snake = !key.empty() && key[0] >= 'a' && key[0] <= 'z' &&
                     key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!snake) throw Error("statistic " + key_ + "." + key + ": the key must be snake_case");
  // These say what a part or a statistic of result.json is.
  if (key == "format" || key == "label" || key == "unit" || key == "value")
    throw Error("statistic " + key_ + "." + key + ": the key means something else in result.json");
}

StatTree& StatTree::part(const std::string& key, const std::string& label) {
  for (StatTree& one : children_) {
    if (one.key_ != key) continue;
    if (one.label_ != label)
      throw Error("part " + key_ + "." + key + ": '" + label + "': is called '" + one.label_ + "' already");
    return one;
  }
  check_key(key);
  if (statistic(key) != nullptr) throw Error("part " + key_ + "." + key + ": a statistic has that key");
  return children_.emplace_back(key, label);
}

const StatTree* StatTree::find(const std::string& key) const {
  for (const StatTree& one : children_)
    if (one.key_ == key) return &one;
  return nullptr;
}

const Statistic* StatTree::statistic(const std::string& key) const {
  for (const Statistic& one : statistics_)
    if (one.key == key) return &one;
  return nullptr;
}

void StatTree::add(Statistic statistic) {
  check_key(statistic.key);
  if (this->statistic(statistic.key) != nullptr || find(statistic.key) != nullptr)
    throw Error("statistic " + key_ + "." + statistic.key + ": stands there already");
  if (!std::isfinite(statistic.number())) throw Error("statistic " + key_ + "." + statistic.key + ": must be finite");
  statistics_.push_back(std::move(statistic));
}

}  // namespace winnow
