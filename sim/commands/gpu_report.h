#pragma once
// What `winnow gpu` measured, as a folder of the same form as a run's: result.json, layers.csv (a row a measurement),
// samples.csv (every raw sample).
#include <string>
#include <vector>

#include "cuda_ref/baseline/baseline.h"
#include "sim/results/run_folder.h"

namespace winnow {

// `layers`: of the trace; one of them was measured. The manifest gets what the GPU says of itself, and each of
// `to_come`, what is still to be measured, as "not finished"; with none the run is finished. May be called again when
// there is more: each file is replaced whole. Returns the table for people.
std::string write_gpu_results(RunFolder& folder, Manifest manifest, int layers, const cuda_ref::Baseline& baseline,
                              const std::vector<std::string>& to_come = {});

// A kernel whose output is off is a difference, as one from golden is; what a library refuses is not.
inline int exit_code(const cuda_ref::Baseline& baseline) { return baseline.wrong.empty() ? 0 : 1; }

}  // namespace winnow
