#pragma once
// The part of the CUDA language that the kernels use, for a C++ compiler. Threads are fibers (fibers.h).
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda_ref/shim/fibers.h"

#define __global__
#define __host__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)

namespace winnow::shim {

enum Operation { op_syncwarp, op_shuffle, op_ballot };

inline void __syncthreads() { runner().sync_block(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { runner().exchange(mask, op_syncwarp, 0); }

template <class T>
std::uint64_t to_slot(T x) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t slot = 0;
  std::memcpy(&slot, &x, sizeof x);
  return slot;
}
template <class T>
T from_slot(std::uint64_t slot) {
  T x;
  std::memcpy(&x, &slot, sizeof x);
  return x;
}

template <class T>
T __shfl_sync(unsigned mask, T x, int lane) {
  return from_slot<T>(runner().exchange(mask, op_shuffle, to_slot(x))[lane & 31]);
}
template <class T>
T __shfl_down_sync(unsigned mask, T x, unsigned delta) {
  const unsigned lane = threadIdx.x & 31;
  const std::uint64_t* row = runner().exchange(mask, op_shuffle, to_slot(x));
  return lane + delta < 32 ? from_slot<T>(row[lane + delta]) : x;
}
template <class T>
T __shfl_up_sync(unsigned mask, T x, unsigned delta) {
  const unsigned lane = threadIdx.x & 31;
  const std::uint64_t* row = runner().exchange(mask, op_shuffle, to_slot(x));
  return lane >= delta ? from_slot<T>(row[lane - delta]) : x;
}
template <class T>
T __shfl_xor_sync(unsigned mask, T x, int lanes) {
  const unsigned lane = threadIdx.x & 31;
  return from_slot<T>(runner().exchange(mask, op_shuffle, to_slot(x))[lane ^ static_cast<unsigned>(lanes)]);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const std::uint64_t* row = runner().exchange(mask, op_ballot, predicate != 0);
  unsigned bits = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if ((mask >> lane) & 1) bits |= static_cast<unsigned>(row[lane]) << lane;
  return bits;
}

template <class T>
T atomicAdd(T* at, T x) {
  const T before = *at;
  *at = before + x;
  return before;
}
template <class T>
T atomicMax(T* at, T x) {
  const T before = *at;
  if (x > before) *at = x;
  return before;
}

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __ffs(int x) { return x ? std::countr_zero(static_cast<unsigned>(x)) + 1 : 0; }
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>(((static_cast<std::uint64_t>(high) << 32) | low) >> (shift & 31));
}
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
template <class T>
T __ldg(const T* at) {
  return *at;
}

}  // namespace winnow::shim
