#pragma once
// Tables of planted bugs, *.mutants; scripts/rtl/mutants.py plants them.
#include <fstream>
#include <string>
#include <vector>

#include "golden/error.h"

namespace winnow::test {

struct Mutant {
  unsigned number;
  std::string text;
  bool equivalent;  // no input can tell it from the original; its reason stands in the table
};

inline std::vector<Mutant> read_mutants(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(path + ": cannot be read");
  std::vector<Mutant> all;
  bool equivalent = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# =")) equivalent = true;
    if (line.empty() || line[0] == '#') continue;
    all.push_back({static_cast<unsigned>(all.size() + 1), line, equivalent});
    equivalent = false;
  }
  return all;
}

}  // namespace winnow::test
