#pragma once
// A run for a program that wants its figures and no folder: what `winnow run` does, without printing or writing.
//
// in    the options of `winnow run`; `output`, `force` and `details` are not looked at
// out   the statistics of result.json, the rows of layers.csv, the manifest
// SystemC's kernel is one a process, so only one run of engine systemc may be on its way in it.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/results/run_folder.h"
#include "sim/results/statistics.h"
#include "sim/run.h"

namespace winnow {

struct RunOutcome {
  StatTree result{"result"};
  Manifest manifest;
  std::vector<std::string> columns;              // of layers.csv
  std::vector<std::vector<std::string>> layers;  // its rows
  std::uint64_t compared = 0, different = 0;     // values held against golden
  std::string first_difference;                  // empty: none
};

// `on_progress` is called now and then from the thread that runs; what it throws ends the run. Throws Error on bad
// input.
RunOutcome run_in_memory(const RunOptions& options, const std::function<void()>& on_progress = {});

}  // namespace winnow
