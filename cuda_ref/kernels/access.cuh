#pragma once
// Bytes and bursts of a layer, counted from the lists that the kernels made. A fetch of ascending items takes every
// burst that an item touches once: neighbours that meet in one burst share it.
#include "cuda_ref/kernels/block.cuh"
#include "cuda_ref/kernels/image.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

using golden::kBurstBytes;
using golden::Kind;
using golden::Stream;

// Counters of one layer of one step.
struct LayerCounts {
  u64 useful[golden::kKinds];
  u64 bursts[golden::kStreams];
  u64 write_bursts;
  u64 row_heads, flat, row_groups, refetched, keys_seen, survivors, values;

  __device__ __forceinline__ u64* useful_of(Kind k) { return &useful[static_cast<int>(k)]; }
  __device__ __forceinline__ u64* bursts_of(Stream s) { return &bursts[static_cast<int>(s)]; }
};

// One thread's share of the bursts of n items; list(j) ascends.
template <class List>
__device__ __forceinline__ u64 burst_share(const Plane& p, u32 n, List list) {
  u64 bursts = 0;
  for (u32 j = threadIdx.x; j < n; j += blockDim.x) {
    const u64 at = p.base + static_cast<u64>(list(j)) * p.stride;
    const u64 first = at / kBurstBytes, last = (at + p.item_bytes - 1) / kBurstBytes;
    bursts += last - first + 1;
    if (j > 0) {
      const u64 before = p.base + static_cast<u64>(list(j - 1)) * p.stride + p.item_bytes - 1;
      bursts -= before / kBurstBytes == first;
    }
  }
  return bursts;
}

// All threads call it; the sum of the shares is added to a counter.
__device__ __forceinline__ void count_bursts(u64* counter, u64 share, BlockScratch& s) {
  const u64 sum = block_sum(share, s);
  if (threadIdx.x == 0) atomicAdd(counter, sum);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
