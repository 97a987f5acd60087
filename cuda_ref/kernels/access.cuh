#pragma once
// Bytes and bursts of a layer, counted from the lists that the kernels made. A fetch of ascending items takes every
// burst that an item touches once: neighbours that meet in one burst share it.
#include "cuda_ref/kernels/block.cuh"
#include "cuda_ref/kernels/image.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

constexpr u32 kBurstBytes = 32;
enum Stream { query_stream, key_stream, value_stream, scale_stream, record_stream, kStreams };
enum Bytes { query_bytes, key_msb_bytes, key_lsb_bytes, value_bytes, scale_bytes, out_bytes, kByteKinds };

// Counters of one layer of one step.
struct LayerCounts {
  u64 useful[kByteKinds];
  u64 bursts[kStreams];
  u64 write_bursts;
  u64 row_heads, flat, row_groups, refetched, keys_seen, survivors, values;
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
