#include "cuda_ref/walk.h"

#include "cuda_ref/engine/backends.h"
#include "golden/error.h"

namespace winnow::cuda_ref {

std::string gpu_name(std::string* why_not) {
  std::string why = "built without the CUDA toolkit", name;
#ifdef WINNOW_CUDA
  name = probe_gpu(why);
#endif
  if (why_not) *why_not = name.empty() ? why : "";
  return name;
}

Backend best_backend() { return gpu_name().empty() ? Backend::shim : Backend::gpu; }

std::string describe(Backend backend) {
  if (backend == Backend::gpu) return "cuda on " + gpu_name();
  std::string why;
  const std::string name = gpu_name(&why);
  return "cuda kernels in the host shim" + (name.empty() ? ", no GPU: " + why : "");
}

std::unique_ptr<Model> load(Backend backend, const golden::FloatSource& source, const Options& options) {
  if (backend == Backend::shim) return load_shim(source, options);
  std::string why;
  if (gpu_name(&why).empty()) throw Error("cuda: no GPU: " + why);
#ifdef WINNOW_CUDA
  return load_gpu(source, options);
#else
  throw Error("cuda: no GPU: " + why);
#endif
}

}  // namespace winnow::cuda_ref
