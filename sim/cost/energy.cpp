#include "sim/cost/energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace winnow::cost {

double Energy::dynamic_j() const {
  double sum = 0;
  for (const BlockEnergy& b : blocks) sum += b.dynamic_j;
  return sum;
}

double Energy::leakage_j() const {
  double sum = 0;
  for (const BlockEnergy& b : blocks) sum += b.leakage_j;
  return sum;
}

Energy energy_of(const std::vector<Component>& components, const Events& events, std::uint64_t cycles,
                 double clock_ghz) {
  Energy e;
  e.seconds = static_cast<double>(cycles) / (clock_ghz * 1e9);
  for (const Component& c : components) {
    auto at = std::find_if(e.blocks.begin(), e.blocks.end(), [&](const BlockEnergy& b) { return b.block == c.block; });
    if (at == e.blocks.end()) at = e.blocks.insert(e.blocks.end(), BlockEnergy{c.block});
    at->leakage_j += c.leakage_w * e.seconds;
    for (const Action& a : c.actions) {
      const auto event = events.find(a.event);
      if (event == events.end())
        throw std::logic_error(fmt::format("cost: {}.{}: nobody counts {}", c.block, c.name, a.event));
      at->dynamic_j += static_cast<double>(event->second) * a.pj * 1e-12;
    }
  }
  return e;
}

void require_possible(const Events& events, const Limits& limits) {
  for (const std::string& block : limits.blocks) {
    const auto busy = events.find(block + ".busy");
    if (busy != events.end() && busy->second > limits.cycles)
      throw std::logic_error(
          fmt::format("cost: block {} is busy in {} of {} cycles", block, busy->second, limits.cycles));
  }
  const double most = limits.pin_bytes_a_cycle * static_cast<double>(limits.cycles);
  if (static_cast<double>(limits.bytes) > most)
    throw std::logic_error(fmt::format("cost: {} bytes moved, and the memory's pins carry {:.0f} in {} cycles",
                                       limits.bytes, most, limits.cycles));
}

}  // namespace winnow::cost
