#pragma once
// What `winnow gpu` measured, as a folder of the same form as a run's: result.json, layers.csv (a row a measurement),
// samples.csv (every raw sample).
#include <string>

#include "cuda_ref/baseline/baseline.h"
#include "sim/results/run_folder.h"

namespace winnow {

// `layers`: of the trace; one of them was measured. The manifest gets what the GPU says of itself. Returns the table
// for people.
std::string write_gpu_results(RunFolder& folder, Manifest& manifest, int layers, const cuda_ref::Baseline& baseline);

// A kernel whose output is off is a difference, as one from golden is; what a library refuses is not.
inline int exit_code(const cuda_ref::Baseline& baseline) { return baseline.wrong.empty() ? 0 : 1; }

}  // namespace winnow
