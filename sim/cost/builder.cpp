#include "sim/cost/builder.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace winnow::cost {
namespace {

// `n` of what takes so much area and leakage each.
Component of_many(const std::string& block, const std::string& name, const char* kind, std::uint64_t n, double um2,
                  double leakage_uw, const std::string& source) {
  const auto many = static_cast<double>(n);
  return {block, name, kind, n, many * um2, many * leakage_uw * 1e-6, {}, source, false};
}

}  // namespace

Component& Builder::add(const std::string& block, const std::string& unit, double count, const std::string& event,
                        double per_event, double most_cycle, const std::string& what) {
  const auto n = static_cast<std::uint64_t>(std::ceil(count));
  if (n == 0) throw std::logic_error("cost: none of unit " + unit + " in block " + block);
  const Unit& u = t_.unit(unit);
  Component c = of_many(block, unit, "logic", n, u.area_um2.value, u.leakage_uw.value, u.busy_pj.source);
  const double factor = t_.wires_and_clock_tree.value;
  // The clock of a unit without work is gated; what is left of it is paid in every cycle, with work or without, and so
  // is not in the work's energy a second time.
  const double idle = u.idle_pj.value * t_.idle_clock.value * factor;
  const double busy = std::max(0.0, u.busy_pj.value * factor - idle);
  c.actions.push_back({event, what, busy * per_event, most_cycle});
  c.actions.push_back({block + ".ticks", "clock", idle * static_cast<double>(n), 1});
  all_.push_back(std::move(c));
  return all_.back();
}

void Builder::add_multiplexers(const std::string& block, const std::string& name, int inputs, int outputs, int bits,
                               const std::string& event) {
  const BitCost bit = t_.multiplexer_bit();
  const auto n = static_cast<std::uint64_t>(outputs) * static_cast<std::uint64_t>(std::max(0, inputs - 1)) *
                 static_cast<std::uint64_t>(bits);
  if (n == 0) return;
  Component c = of_many(block, name, "multiplexers", n, bit.area_um2.value, bit.leakage_uw.value, bit.area_um2.source);
  c.estimate = true;
  const double stages = std::log2(std::max(2, inputs));
  c.actions.push_back({event, "transfer", stages * bits * bit.read_pj.value * t_.wires_and_clock_tree.value,
                       static_cast<double>(outputs)});
  all_.push_back(std::move(c));
}

}  // namespace winnow::cost
