#pragma once
// What statistics look like: a table for people, JSON with units for programs.
#include <string>
#include <vector>

#include "sim/results/statistics.h"

namespace winnow {

// "1,234,567 B", "0.1235", "12.3 GB/s".
std::string show(const Statistic& statistic);

// The same in at most four digits: "1.235 MB", "8 us", "2.4 mJ"; counts and cycles whole.
std::string show_short(const Statistic& statistic);

// Labels left, values right, parts as headings.
std::string to_table(const StatTree& tree);

// Of result.json; another one is another version.
inline constexpr const char* kResultFormat = "winnow-result-2";

// {"format": "winnow-result-2", "label": "result",
//  "fetcher": {"label": "fetcher", "busy": {"value": 12, "unit": "cycles", "label": "busy"}, ...}, ...},
// two spaces deep, a newline at the end. What has a unit is a statistic, what has only a label is a part.
std::string to_json(const StatTree& tree);
// Throws Error `file: place: value: rule`; for a file of another version too.
StatTree from_json(const std::string& file, const std::string& text);

// Columns padded to their widest cell, the first left, the others right; the first row is ruled off.
std::string align(const std::vector<std::vector<std::string>>& rows);
// Broken between words into lines of at most `most` characters; those after the first are indented by two.
std::string wrapped(const std::string& text, std::size_t most);
std::vector<std::string> lines_of(const std::string& text);

}  // namespace winnow
