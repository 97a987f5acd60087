// The gpu backend: the kernels by nvcc.
#include <cuda_runtime.h>

#include "cuda_ref/engine/backends.h"
#include "cuda_ref/engine/engine.h"

namespace winnow::cuda_ref {

std::unique_ptr<Model> load_gpu(const golden::FloatSource& source, const Options& options) {
  return std::make_unique<gpu_backend::DeviceModel>(source, options);
}

std::string probe_gpu(std::string& why_not) {
  int devices = 0;
  cudaDeviceProp properties{};
  // Any error means that there is no device to use: no driver, a driver too old, none visible.
  cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaSuccess && devices > 0) error = cudaGetDeviceProperties(&properties, 0);
  if (error != cudaSuccess || devices == 0) {
    why_not = error != cudaSuccess ? cudaGetErrorString(error) : "no CUDA device";
    cudaGetLastError();
    return {};
  }
  return properties.name;
}

}  // namespace winnow::cuda_ref
