#pragma once
// Runs beside each other.
#include <string>
#include <vector>

#include "sim/results/stored_run.h"

namespace winnow {

// One column a run. The rows of sim/results/answer.h in at most 100 columns, more than four runs in blocks below each
// other; where one is a GPU's, a layer's time, bytes and energy as well. With `all`: every statistic, as wide as it is.
std::string side_by_side(const std::vector<StoredRun>& runs, bool all);

// What each run found, a sentence each, in lines of at most 100 columns: against the run of --against, or a dense one
// among `runs` that differs in its policy alone, or else against what dense would read.
std::string findings(const std::vector<StoredRun>& runs);

// Settings that differ, then statistics that differ, with difference and percentage; and how many were compared.
std::string difference(const StoredRun& a, const StoredRun& b);

}  // namespace winnow
