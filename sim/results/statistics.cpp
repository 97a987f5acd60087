#include "sim/results/statistics.h"

#include <algorithm>
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
              {Unit::square_micrometres, "square_micrometres", "um2"},
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

StatTree& StatTree::child(const std::string& name) {
  for (StatTree& one : children_)
    if (one.name_ == name) return one;
  return children_.emplace_back(name);
}

const StatTree* StatTree::find(const std::string& name) const {
  for (const StatTree& one : children_)
    if (one.name_ == name) return &one;
  return nullptr;
}

void StatTree::add(Statistic statistic) {
  if (std::any_of(statistics_.begin(), statistics_.end(), [&](const Statistic& s) { return s.name == statistic.name; }))
    throw Error("statistic " + name_ + "." + statistic.name + ": stands there already");
  if (!std::isfinite(statistic.number())) throw Error("statistic " + name_ + "." + statistic.name + ": must be finite");
  statistics_.push_back(std::move(statistic));
}

}  // namespace winnow
