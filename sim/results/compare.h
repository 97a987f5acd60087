#pragma once
// Runs beside each other.
#include <string>
#include <vector>

#include "sim/results/stored_run.h"

namespace winnow {

// One column a run, one row a statistic of the block `summary`, or of all blocks.
std::string side_by_side(const std::vector<StoredRun>& runs, bool all);

// Settings that differ, then statistics that differ, with difference and percentage; and how many were compared.
std::string difference(const StoredRun& a, const StoredRun& b);

}  // namespace winnow
