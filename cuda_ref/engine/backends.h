#pragma once
// What each backend's translation unit offers.
#include "cuda_ref/walk.h"

namespace winnow::cuda_ref {

std::unique_ptr<Model> load_shim(const golden::FloatSource& source, const Options& options);
// With WINNOW_CUDA only.
std::unique_ptr<Model> load_gpu(const golden::FloatSource& source, const Options& options);
std::string probe_gpu(std::string& why_not);

}  // namespace winnow::cuda_ref
