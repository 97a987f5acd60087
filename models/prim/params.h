#pragma once
// How a block says its parameters: a struct with defaults (the paper's), and
//   template <class P, class V> static void visit(P& p, V&& v) { v("width", p.width, "unit", power(1, 256), "doc"); ...
//   }
// which calls v for each in the order of the YAML's section. sim/config makes files, --set, --show and errors of it.
#include <string>
#include <vector>

namespace winnow {

// What a value has to be.
struct Rule {
  double low = 0, high = 0;  // numbers: both included
  bool power_of_two = false;
  std::vector<std::string> choices;  // text: one of these; none listed: anything not empty
};

namespace param {
inline Rule range(double low, double high) { return {low, high, false, {}}; }
inline Rule power(double low, double high) { return {low, high, true, {}}; }
inline Rule one_of(std::vector<std::string> choices) { return {0, 0, false, std::move(choices)}; }
inline Rule any_text() { return {}; }
inline Rule latency() { return range(1, 64); }
}  // namespace param

}  // namespace winnow
