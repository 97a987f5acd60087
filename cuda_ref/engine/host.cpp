// The shim backend: the kernels as ordinary C++.
#include "cuda_ref/engine/backends.h"
#include "cuda_ref/engine/engine.h"

namespace winnow::cuda_ref {

std::unique_ptr<Model> load_shim(const golden::FloatSource& source, const Options& options) {
  return std::make_unique<shim_backend::DeviceModel>(source, options);
}

}  // namespace winnow::cuda_ref
