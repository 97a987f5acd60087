// The kernels once more, with the fault that WINNOW_PLANTED names built in.
#include "cuda_ref/engine/engine.h"
#include "cuda_ref/engine/runtime_shim.h"

#define WINNOW_NAME(n) load_planted_##n
#define WINNOW_EXPAND(n) WINNOW_NAME(n)

namespace winnow::cuda_ref {

std::unique_ptr<Model> WINNOW_EXPAND(WINNOW_PLANTED)(const golden::FloatSource& source, const Options& options) {
  return std::make_unique<WINNOW_BACKEND::DeviceModel>(source, options);
}

}  // namespace winnow::cuda_ref
