#include "sim/cost/tables.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <stdexcept>

namespace winnow::cost {

std::string with_prefix(double value, const std::string& unit) {
  constexpr std::array<std::pair<double, const char*>, 7> kPrefixes = {
      {{1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}, {1e-15, "f"}}};
  if (value == 0) return "0 " + unit;
  for (const auto& [factor, prefix] : kPrefixes)
    if (std::abs(value) >= factor * 0.99995) return fmt::format("{:.4g} {}{}", value / factor, prefix, unit);
  return fmt::format("{:.3g} {}", value, unit);
}

std::vector<std::vector<std::string>> cost_rows(const std::vector<BlockCost>& blocks) {
  std::vector<std::vector<std::string>> rows{{"block", "mm2", "of it estimated", "leakage", "peak power"}};
  BlockCost all{"all"};
  const auto row = [](const BlockCost& b) {
    return std::vector<std::string>{b.block, fmt::format("{:.3f}", b.area_mm2), fmt::format("{:.3f}", b.estimated_mm2),
                                    with_prefix(b.leakage_w, "W"), with_prefix(b.peak_w, "W")};
  };
  for (const BlockCost& b : blocks) {
    rows.push_back(row(b));
    all.area_mm2 += b.area_mm2, all.estimated_mm2 += b.estimated_mm2;
    all.leakage_w += b.leakage_w, all.peak_w += b.peak_w;
  }
  rows.push_back(row(all));
  return rows;
}

std::vector<std::vector<std::string>> energy_rows(const Energy& energy, const std::vector<BlockEnergy>& parts,
                                                  const BlockEnergy& memory) {
  std::vector<std::vector<std::string>> rows{{"block", "dynamic", "leakage", "energy", "power"}};
  const auto row = [&](const BlockEnergy& b) {
    const double watts = energy.seconds > 0 ? b.total_j() / energy.seconds : 0;
    return std::vector<std::string>{b.block, with_prefix(b.dynamic_j, "J"), with_prefix(b.leakage_j, "J"),
                                    with_prefix(b.total_j(), "J"), with_prefix(watts, "W")};
  };
  for (const BlockEnergy& b : energy.blocks) rows.push_back(row(b));
  const BlockEnergy chip{"chip", energy.dynamic_j(), energy.leakage_j()};
  rows.push_back(row(chip));
  for (const BlockEnergy& part : parts) rows.push_back(row(part));
  rows.push_back(row(memory));
  rows.push_back(row({"all", chip.dynamic_j + memory.dynamic_j, chip.leakage_j + memory.leakage_j}));
  return rows;
}

std::vector<std::vector<std::string>> source_rows(const std::vector<Component>& components) {
  std::vector<std::vector<std::string>> rows{{"block", "component", "how many", "um2", "an action", "", "source"}};
  for (const Component& c : components) {
    std::string actions;
    for (const Action& a : c.actions)
      if (a.pj > 0) actions += fmt::format("{}{} {:.4g} pJ", actions.empty() ? "" : ", ", a.what, a.pj);
    rows.push_back({c.block, c.name + (c.kind == "logic" ? "" : " (" + c.kind + ")"), std::to_string(c.count),
                    fmt::format("{:.0f}", c.area_um2), actions, c.estimate ? "estimate" : "", c.source});
  }
  return rows;
}

std::string accelergy_counts(const std::string& machine, const std::vector<Component>& components,
                             const Events& events) {
  std::string text = "action_counts:\n  version: 0.4\n  local:\n";
  for (const Component& c : components) {
    text += fmt::format("  - name: {}.{}.{}\n    action_counts:\n", machine, c.block, c.name);
    for (const Action& a : c.actions) {
      const auto event = events.find(a.event);
      if (event == events.end())
        throw std::logic_error(fmt::format("cost: {}.{}: nobody counts {}", c.block, c.name, a.event));
      text += fmt::format("    - name: {}\n      counts: {}\n", a.what, event->second);
    }
  }
  return text;
}

}  // namespace winnow::cost
