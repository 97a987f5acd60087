#pragma once
// A run read back from its folder.
#include <map>
#include <string>
#include <vector>

#include "sim/results/statistics.h"

namespace winnow {

struct StoredRun {
  std::string path, label;  // label: the folder's name
  StatTree result{"result"};
  std::vector<std::pair<std::string, std::string>> settings;  // of the manifest: "machine.hbm2.channels" -> "16"
  std::string setting(const std::string& key) const;          // "" when there is none
};

// Throws Error when the folder holds no finished run.
StoredRun load_run(const std::string& folder);

}  // namespace winnow
