#pragma once
// Statistics as a tree of parts. Blocks and the machine fill it through StatSink (models/prim/stat_sink.h); writers
// print it, files keep it.
//
// A statistic and a part each have a key, snake_case, which programs rely on and which stands once in its part; and a
// label, as people read it.
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

// "Fused, cuDNN fp16" -> "fused_cudnn_fp16": a key from names that are not known beforehand.
std::string snake_case(const std::string& text);

struct Statistic {
  std::string key, label;
  Unit unit;
  std::variant<std::uint64_t, double> value;

  double number() const;
};

// One part. Order is the order of adding, so the same run prints the same bytes.
class StatTree final : public StatSink {
 public:
  StatTree(std::string key, std::string label) : key_(std::move(key)), label_(std::move(label)) {}
  explicit StatTree(const std::string& name) : StatTree(name, name) {}

  const std::string& key() const { return key_; }
  const std::string& label() const { return label_; }

  // Throws Error where the part of that key has another label.
  StatTree& part(const std::string& key, const std::string& label) override;
  const StatTree* find(const std::string& key) const;        // a part; nullptr when there is none
  const Statistic* statistic(const std::string& key) const;  // of this part; nullptr when there is none
  // Throws Error where the key stands there already or is not snake_case, or the value is not finite.
  void add(Statistic statistic);

  const std::vector<Statistic>& statistics() const { return statistics_; }
  const std::deque<StatTree>& children() const { return children_; }

 protected:
  void put(const std::string& key, const std::string& label, Unit unit,
           std::variant<std::uint64_t, double> value) override {
    add({key, label, unit, value});
  }

 private:
  void check_key(const std::string& key) const;

  std::string key_, label_;
  std::vector<Statistic> statistics_;
  std::deque<StatTree> children_;
};

}  // namespace winnow
