#pragma once
// Memory and launches of the shim backend: device memory is host memory, a launch runs at once.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "cuda_ref/kernels/language.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

template <class T>
class Buffer {
 public:
  // Bytes that nothing has written are not zero, as on a device.
  void allocate(std::size_t n) { data_.assign(n * sizeof(T) / sizeof(char), static_cast<char>(0x5a)), n_ = n; }
  T* data() { return reinterpret_cast<T*>(data_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(data_.data()); }
  std::size_t size() const { return n_; }
  void zero() { std::fill(data_.begin(), data_.end(), char{0}); }
  void upload(const T* from, std::size_t n, std::size_t at = 0) { std::memcpy(data() + at, from, n * sizeof(T)); }
  void download(T* to, std::size_t n, std::size_t at = 0) const { std::memcpy(to, data() + at, n * sizeof(T)); }

 private:
  std::vector<char> data_;
  std::size_t n_ = 0;
};

struct Runtime {
  shim::Order order = shim::Order::forward;
  unsigned prompt_threads() const { return 64; }
  unsigned decode_threads() const { return 96; }
  unsigned blocks() const { return 3; }
};

template <class... P, class... A>
void launch(const Runtime& runtime, void (*kernel)(P...), shim::Dim3 grid, unsigned threads, std::size_t shared,
            const A&... arguments) {
  const auto call = [&] { kernel(arguments...); };
  using Call = decltype(call);
  shim::runner().run(grid, threads, shared, runtime.order,
                     {[](const void* self) { (*static_cast<Call*>(self))(); }, &call});
}
using Grid = shim::Dim3;

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
