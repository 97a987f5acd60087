#pragma once
// Memory and launches of the gpu backend. Every call is checked; an error names the call and CUDA's reason.
#include <cuda_runtime.h>

#include <string>

#include "cuda_ref/kernels/language.h"
#include "cuda_ref/shim/order.h"
#include "golden/error.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) throw Error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(error));
}

template <class T>
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { cudaFree(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  void allocate(std::size_t n) {
    cudaFree(data_);
    data_ = nullptr, n_ = n;
    check(cudaMalloc(reinterpret_cast<void**>(&data_), n ? n * sizeof(T) : 1), "cudaMalloc");
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return n_; }
  void zero() { check(cudaMemsetAsync(data_, 0, n_ * sizeof(T)), "cudaMemset"); }
  void upload(const T* from, std::size_t n, std::size_t at = 0) {
    check(cudaMemcpy(data_ + at, from, n * sizeof(T), cudaMemcpyHostToDevice), "copy to the device");
  }
  void download(T* to, std::size_t n, std::size_t at = 0) const {
    check(cudaMemcpy(to, data_ + at, n * sizeof(T), cudaMemcpyDeviceToHost), "copy from the device");
  }

 private:
  T* data_ = nullptr;
  std::size_t n_ = 0;
};

struct Runtime {
  shim::Order order = shim::Order::forward;  // no meaning here
  int processors = 0;
  Runtime() { check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "device attributes"); }
  // A prompt has many rows, a decode step one a KV head.
  unsigned prompt_threads() const { return 256; }
  unsigned decode_threads() const { return 1024; }
  unsigned blocks() const { return static_cast<unsigned>(processors) * 8; }
};

template <class... P, class... A>
void launch(const Runtime&, void (*kernel)(P...), dim3 grid, unsigned threads, std::size_t shared,
            const A&... arguments) {
  kernel<<<grid, threads, shared>>>(arguments...);
  check(cudaGetLastError(), "kernel launch");
}
using Grid = dim3;

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
