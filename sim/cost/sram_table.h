#pragma once
// What CACTI says of SRAM arrays: sim/technology/sram.json, made by scripts/cost/sram. An array is looked up exactly.
#include <map>
#include <string>

#include "sim/cost/arrays.h"

namespace winnow::cost {

// Of one array: energy of an access of all its bits, leakage while nothing happens, area, and how fast it is.
struct SramFigures {
  double read_pj = 0, write_pj = 0, leakage_uw = 0, area_um2 = 0, access_ns = 0, cycle_ns = 0;
  std::uint64_t built_words = 0;  // of what CACTI was asked, which may be larger
  int built_bits = 0;
};

class SramTable {
 public:
  SramTable() = default;
  // The file's arrays at a node, "40" or "45". Throws Error `file: place: value: rule`.
  SramTable(std::string file, const std::string& node);

  // Throws Error with the command that adds the array, where the table has none such.
  const SramFigures& of(const Array& array) const;
  bool has(const Array& array) const { return arrays_.contains(shape_name(array)); }
  std::size_t size() const { return arrays_.size(); }
  const std::string& tool() const { return tool_; }
  const std::string& file() const { return file_; }

 private:
  std::string file_, tool_;
  std::map<std::string, SramFigures> arrays_;
};

}  // namespace winnow::cost
