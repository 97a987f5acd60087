#pragma once
// Statistics: named values with a unit, in a tree of blocks. Blocks and the machine fill it; writers print it.
#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "models/prim/stat_sink.h"

namespace winnow {

const char* symbol(Unit unit);          // "B", "cycles", ...; "" for count and ratio
Unit unit_of(const std::string& name);  // of a name that unit_name gave; throws Error
const char* unit_name(Unit unit);       // "bytes", as result.json has it

struct Statistic {
  std::string name;
  Unit unit;
  std::variant<std::uint64_t, double> value;

  double number() const;
};

// One block. Order is the order of adding, so the same run prints the same bytes.
class StatTree {
 public:
  explicit StatTree(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  // The child of that name, made when there is none. References stay good.
  StatTree& child(const std::string& name);
  const StatTree* find(const std::string& name) const;

  // Counted things are integers, derived ones are doubles, which must be finite. Throws Error on a name
  // that the block has already.
  void count(const std::string& name, std::uint64_t value) { add({name, Unit::count, value}); }
  void bytes(const std::string& name, std::uint64_t value) { add({name, Unit::bytes, value}); }
  void cycles(const std::string& name, std::uint64_t value) { add({name, Unit::cycles, value}); }
  void seconds(const std::string& name, double value) { add({name, Unit::seconds, value}); }
  void joules(const std::string& name, double value) { add({name, Unit::joules, value}); }
  void square_micrometres(const std::string& name, double value) { add({name, Unit::square_micrometres, value}); }
  void bytes_per_second(const std::string& name, double value) { add({name, Unit::bytes_per_second, value}); }
  void ratio(const std::string& name, double value) { add({name, Unit::ratio, value}); }
  void add(Statistic statistic);

  const std::vector<Statistic>& statistics() const { return statistics_; }
  const std::deque<StatTree>& children() const { return children_; }

 private:
  std::string name_;
  std::vector<Statistic> statistics_;
  std::deque<StatTree> children_;
};

}  // namespace winnow
