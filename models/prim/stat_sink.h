#pragma once
// Where a block puts what it counted: StatSink. A statistic has a key that programs rely on (snake_case, never changed
// without a new version of result.json), a label for people, and a unit. Blocks declare them in report(StatSink&);
// sim/results has the sink that keeps them as a tree.
#include <cstdint>
#include <string>
#include <variant>

namespace winnow {

enum class Unit {
  count,
  bytes,
  cycles,
  seconds,
  joules,
  watts,
  square_micrometres,
  square_millimetres,
  bytes_per_second,
  ratio
};

class StatSink {
 public:
  virtual ~StatSink() = default;

  // The part of that key, made when there is none. References stay good.
  virtual StatSink& part(const std::string& key, const std::string& label) = 0;

  // Counted things are integers, derived ones are doubles, which must be finite. A key stands once in a part.
  void count(const std::string& key, const std::string& label, std::uint64_t v) { put(key, label, Unit::count, v); }
  void bytes(const std::string& key, const std::string& label, std::uint64_t v) { put(key, label, Unit::bytes, v); }
  void cycles(const std::string& key, const std::string& label, std::uint64_t v) { put(key, label, Unit::cycles, v); }
  void seconds(const std::string& key, const std::string& label, double v) { put(key, label, Unit::seconds, v); }
  void joules(const std::string& key, const std::string& label, double v) { put(key, label, Unit::joules, v); }
  void watts(const std::string& key, const std::string& label, double v) { put(key, label, Unit::watts, v); }
  void square_millimetres(const std::string& key, const std::string& label, double v) {
    put(key, label, Unit::square_millimetres, v);
  }
  void square_micrometres(const std::string& key, const std::string& label, double v) {
    put(key, label, Unit::square_micrometres, v);
  }
  void bytes_per_second(const std::string& key, const std::string& label, double v) {
    put(key, label, Unit::bytes_per_second, v);
  }
  void ratio(const std::string& key, const std::string& label, double v) { put(key, label, Unit::ratio, v); }

 protected:
  virtual void put(const std::string& key, const std::string& label, Unit unit,
                   std::variant<std::uint64_t, double> value) = 0;
};

}  // namespace winnow
