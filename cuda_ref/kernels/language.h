#pragma once
// One source, two compilers: nvcc gives the CUDA language, a C++ compiler gets it from the shim. All that the kernels
// define lies in namespace winnow::cuda_ref::WINNOW_BACKEND, so that both builds fit into one program.
//
// WINNOW_PLANTED names a deliberate fault (0 = none); tests compile the kernels with each one and expect the
// comparison with golden to catch it.
#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#define WINNOW_BACKEND gpu_backend
#define WINNOW_DYNAMIC_SHARED(name) extern __shared__ unsigned long long name[]
#else
#include "cuda_ref/shim/cuda_names.h"
#ifndef WINNOW_BACKEND
#define WINNOW_BACKEND shim_backend
#endif
#define WINNOW_DYNAMIC_SHARED(name) \
  unsigned long long* const name = static_cast<unsigned long long*>(::winnow::shim::runner().dynamic_shared())
#endif

#ifndef WINNOW_PLANTED
#define WINNOW_PLANTED 0
#endif

#include "golden/descriptor.h"
#include "golden/num.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

#ifndef __CUDACC__
using namespace winnow::shim;
#endif
using u16 = std::uint16_t;
using i16 = std::int16_t;
using u32 = std::uint32_t;
using i32 = std::int32_t;
using u64 = unsigned long long;  // what CUDA's 64-bit atomics and shuffles take
using i64 = long long;

enum class Fault { none, last_equals_first, lost_barrier, lost_rest, unrounded_weight };
constexpr Fault kFault = static_cast<Fault>(WINNOW_PLANTED);

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
