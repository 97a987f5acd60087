#pragma once
// One table of parameters serves loading from a file, `--set key=value`, `--show` and every error message.
// A Schema is bound to the object whose members it names, and must not outlive it.
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "models/prim/params.h"

namespace winnow {

struct Param {
  // A value of another kind: a list, an enumeration, a shorthand for several members.
  struct Custom {
    std::function<std::string()> get;
    std::function<bool(const std::string& text)> set;  // false and no change: the rule is broken
    std::string rule;                                  // "must be ..."
    bool list = false;                                 // in a file a YAML list
  };
  using Target = std::variant<int*, double*, bool*, std::string*, Custom>;
  std::string key;   // dotted, the YAML section first: "hbm2.channels"
  std::string unit;  // "" for a pure number
  Target target;
  Rule rule;
  std::string doc;
  bool shorthand = false;  // sets other parameters: for --set alone, no file has it

  std::string rule_text() const;   // "must be a power of two, 1..64"
  std::string value_text() const;  // as the file would have it
  // Throws Error `{place}: {key}: {text}: {rule}` and leaves the target as it was when the rule is broken.
  void assign(const std::string& place, const std::string& text) const;
};
using Schema = std::vector<Param>;

const Param* find_param(const Schema& schema, const std::string& key);
// The key of the list that differs least from what was typed; empty when none is near.
std::string nearest(const std::string& typed, const std::vector<std::string>& known);

// The values as a file that loads again, with units, rules and docs as comments.
std::string show_yaml(const Schema& schema);

// A rule between several parameters that does not hold.
struct Violation {
  std::string key, value, rule;
};

}  // namespace winnow
