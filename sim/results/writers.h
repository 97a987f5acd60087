#pragma once
// What statistics look like: a table for people, JSON with units for programs.
#include <string>
#include <vector>

#include "sim/results/statistics.h"

namespace winnow {

// "1,234,567 B", "0.1235", "12.3 GB/s".
std::string show(const Statistic& statistic);

// Names left, values right, blocks as headings.
std::string to_table(const StatTree& tree);

// {"fetcher": {"busy": {"value": 12, "unit": "cycles"}, ...}, ...}, two spaces deep, a newline at the end.
std::string to_json(const StatTree& tree);
// Throws Error `file: place: value: rule`.
StatTree from_json(const std::string& file, const std::string& text);

// Columns padded to their widest cell, the first left, the others right; the first row is ruled off.
std::string align(const std::vector<std::vector<std::string>>& rows);

}  // namespace winnow
