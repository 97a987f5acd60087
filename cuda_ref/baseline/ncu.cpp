#include "cuda_ref/baseline/ncu.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "golden/error.h"

namespace winnow::cuda_ref {
namespace {

// One CSV record; cells may be quoted and hold commas.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      cells.back() += line[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

double bytes_of(std::string value, const std::string& unit) {
  value.erase(std::remove(value.begin(), value.end(), ','), value.end());  // 1,024
  char* end = nullptr;
  const double x = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != 0) throw Error("ncu: " + value + ": must be a number");
  for (const auto& [name, factor] : {std::pair{"byte", 1e0}, {"Kbyte", 1e3}, {"Mbyte", 1e6}, {"Gbyte", 1e9}})
    if (unit == name) return x * factor;
  throw Error("ncu: " + unit + ": must be byte, Kbyte, Mbyte or Gbyte");
}

[[noreturn]] void refuse(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("ERR_NVGPUCTRPERM") != std::string::npos)
      throw Error("ncu: ERR_NVGPUCTRPERM: this user may not read the GPU's counters");
    if (line.starts_with("==ERROR== ") || line.starts_with("==WARNING== No kernels"))
      throw Error("ncu: " + line.substr(line.find(' ') + 1));
  }
  throw Error("ncu: no table of metrics in what it printed");
}

}  // namespace

std::vector<NcuBytes> parse_ncu(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> header;
  std::vector<NcuBytes> all;
  std::string last_id;
  int marks = 0;
  bool any = false;
  while (std::getline(lines, line)) {
    if (line.empty() || line.front() != '"') continue;  // ncu's own remarks
    const std::vector<std::string> cells = cells_of(line);
    if (cells.front() == "ID") {
      header = cells;
      continue;
    }
    if (cells.size() != header.size())
      throw Error("ncu: a row of " + std::to_string(cells.size()) + " cells: must be " + std::to_string(header.size()));
    const auto cell = [&](const char* name) {
      const auto at = std::find(header.begin(), header.end(), name);
      if (at == header.end()) throw Error(std::string("ncu: ") + name + ": no such column");
      return cells[static_cast<std::size_t>(at - header.begin())];
    };
    const bool next_kernel = cell("ID") != last_id;  // a kernel has a row a metric
    last_id = cell("ID");
    if (cell("Kernel Name").find("measurement_mark") != std::string::npos) {
      if (!next_kernel) continue;
      ++marks;
      if (marks % 2 == 0) all.emplace_back();
      continue;
    }
    if (all.empty()) throw Error("ncu: " + cell("Kernel Name") + ": a kernel before the first mark");
    if (marks > 0) ++all.back().runs;
    marks = 0, any = true;
    const std::string metric = cell("Metric Name");
    if (metric == "dram__bytes_read.sum") all.back().read += bytes_of(cell("Metric Value"), cell("Metric Unit"));
    if (metric == "dram__bytes_write.sum") all.back().write += bytes_of(cell("Metric Value"), cell("Metric Unit"));
  }
  if (!any) refuse(text);
  return all;
}

std::vector<std::string> ncu_arguments(const std::string& log) {
  // Caches and clocks stay as the program leaves them: it makes L2 cold itself. Both counters fit one pass, so that no
  // kernel is replayed.
  return {"--csv",
          "--page",
          "details",
          "--print-units",
          "base",
          "--metrics",
          "dram__bytes_read.sum,dram__bytes_write.sum",
          "--profile-from-start",
          "off",
          "--cache-control",
          "none",
          "--clock-control",
          "none",
          "--target-processes",
          "all",
          "--log-file",
          log};
}

}  // namespace winnow::cuda_ref
