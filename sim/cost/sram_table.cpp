#include "sim/cost/sram_table.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "golden/error.h"

namespace winnow::cost {

SramTable::SramTable(std::string file, const std::string& node) : file_(std::move(file)) {
  std::ifstream stream(file_);
  if (!stream) throw Error(fmt::format("{}: open: cannot be read: must be a table of scripts/cost/sram", file_));
  const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("arrays") || !json["arrays"].is_object())
    throw Error(fmt::format("{}: arrays: missing: must be a table of scripts/cost/sram", file_));
  tool_ = json.value("tool", std::string("no tool named"));
  for (const auto& [name, entry] : json["arrays"].items()) {
    const auto fail = [&](const std::string& key, const std::string& value, const std::string& rule) {
      throw Error(fmt::format("{}: arrays.{}.{}: {}: {}", file_, name, key, value, rule));
    };
    if (!entry.is_object() || !entry.contains("nodes") || !entry["nodes"].contains(node))
      fail("nodes", node, "must have figures of this node");
    const auto& at = entry["nodes"][node];
    SramFigures f;
    for (const auto& [key, into] : {std::pair{"read_pj", &f.read_pj}, std::pair{"write_pj", &f.write_pj},
                                    std::pair{"leakage_uw", &f.leakage_uw}, std::pair{"area_um2", &f.area_um2},
                                    std::pair{"access_ns", &f.access_ns}, std::pair{"cycle_ns", &f.cycle_ns}}) {
      const std::string place = fmt::format("nodes.{}.{}", node, key);
      if (!at.contains(key) || !at[key].is_number()) fail(place, "missing", "must be a number, 0 or above");
      *into = at[key].get<double>();
      if (!(*into >= 0) || !std::isfinite(*into)) fail(place, at[key].dump(), "must be a number, 0 or above");
    }
    f.built_words = entry.value("built_words", std::uint64_t{0}), f.built_bits = entry.value("built_bits", 0);
    arrays_[name] = f;
  }
}

const SramFigures& SramTable::of(const Array& array) const {
  const auto at = arrays_.find(shape_name(array));
  if (at == arrays_.end())
    throw Error(
        fmt::format("{}: arrays.{}: missing ({} of {}): must be added by scripts/cost/sram --cacti PATH "
                    "--machine M, where M is the machine (a YAML file, if --set was used)",
                    file_, shape_name(array), array.name, array.block));
  return at->second;
}

}  // namespace winnow::cost
