#pragma once
// What a block of threads does together: sums, maxima, the cut of a top-k, moving what stays to the front.
// Every function here is called by all threads of the block and gives all of them the same answer.
#include "cuda_ref/kernels/language.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

constexpr u32 kAllLanes = 0xffffffffu;
constexpr u32 kBins = 256;  // radix select looks at 8 bits at a time

// Shared memory of the functions below.
struct BlockScratch {
  u64 warp_value[32];
  u64 result;
  u32 above[32], equal[32];  // of each warp
  u64 bins[kBins];
  u64 left;
  u32 bin;
};

template <class T, class Op>
__device__ __forceinline__ T block_reduce(T x, T none, BlockScratch& s, Op op) {
  const u32 lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  for (u32 step = 16; step; step >>= 1) x = op(x, __shfl_down_sync(kAllLanes, x, step));
  if (lane == 0) s.warp_value[warp] = static_cast<u64>(x);
  __syncthreads();
  if (warp == 0) {
    x = lane < warps ? static_cast<T>(s.warp_value[lane]) : none;
    for (u32 step = 16; step; step >>= 1) x = op(x, __shfl_down_sync(kAllLanes, x, step));
    if (lane == 0) s.result = static_cast<u64>(x);
  }
  __syncthreads();
  // The next call writes `result` behind a barrier that every reader of this one has to reach first.
  return static_cast<T>(s.result);
}

struct Plus {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Larger {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

__device__ __forceinline__ u64 block_sum(u64 x, BlockScratch& s) { return block_reduce<u64>(x, 0, s, Plus()); }
__device__ __forceinline__ i64 block_sum(i64 x, BlockScratch& s) { return block_reduce<i64>(x, 0, s, Plus()); }
__device__ __forceinline__ u64 block_max(u64 x, BlockScratch& s) { return block_reduce<u64>(x, 0, s, Larger()); }
__device__ __forceinline__ i64 block_max(i64 x, BlockScratch& s) {
  return block_reduce<i64>(x, -0x7fffffffffffffffll - 1, s, Larger());
}

// What stays: all above the boundary, and of those equal to it the first `equals` in index order.
struct Cut {
  u64 boundary;
  u32 equals;
};

// Radix select from the top digit down: the value at which the weights of the items, largest first, reach `target`
// (1 <= target <= their sum). Returns that value; `left` is what the items equal to it still have to bring.
template <class Item, class Weight>
__device__ u64 radix_boundary(u32 n, u64 target, int bits, BlockScratch& s, Item item, Weight weight, u64& left) {
  u64 prefix = 0;
  left = target;
  for (int shift = (bits - 1) / 8 * 8; shift >= 0; shift -= 8) {
    for (u32 b = threadIdx.x; b < kBins; b += blockDim.x) s.bins[b] = 0;
    __syncthreads();
    for (u32 j = threadIdx.x; j < n; j += blockDim.x) {
      const u64 x = item(j);
      if ((x >> shift >> 8) == prefix) atomicAdd(&s.bins[(x >> shift) & (kBins - 1)], weight(x));
    }
    if (kFault != Fault::lost_barrier) __syncthreads();
    // One warp walks the bins from the top, eight a lane.
    if (threadIdx.x < 32) {
      constexpr int kEach = kBins / 32;
      const int top = static_cast<int>(kBins) - 1 - kEach * static_cast<int>(threadIdx.x);
      u64 own = 0;
      for (int i = 0; i < kEach; ++i) own += s.bins[top - i];
      u64 through = own;  // of all lanes up to this one
      for (u32 step = 1; step < 32; step <<= 1) {
        const u64 before = __shfl_up_sync(kAllLanes, through, step);
        if (threadIdx.x >= step) through += before;
      }
      u64 above = through - own;
      if (above < left && left <= through) {
        int b = top;
        while (above + s.bins[b] < left) above += s.bins[b--];
        s.bin = static_cast<u32>(b);
        s.left = left - above;
      }
    }
    __syncthreads();
    prefix = prefix << 8 | s.bin;
    left = s.left;
  }
  return prefix;
}

// The k largest of n items below 2^bits.
template <class Item>
__device__ Cut cut_by_count(u32 n, u32 k, int bits, BlockScratch& s, Item item) {
  if (k >= n) return {0, n};
  u64 left;
  const u64 boundary = radix_boundary(n, k, bits, s, item, [](u64) { return u64{1}; }, left);
  return {boundary, static_cast<u32>(left)};
}

// The fewest, from the largest down, whose sum reaches mu16 / 65536 of the sum of all, rounded up.
template <class Item>
__device__ Cut cut_by_mass(u32 n, u32 mu16, int bits, BlockScratch& s, Item item) {
  u64 own = 0;
  for (u32 j = threadIdx.x; j < n; j += blockDim.x) own += item(j);
  const u64 sum = block_sum(own, s);
  // Sums stay below 2^16 * 32 * 2^20 tokens, so that this product fits.
  const u64 target = (mu16 * sum + 65535) >> 16;
  if (target == 0) return {0, 1};
  u64 left;
  const u64 boundary = radix_boundary(n, target, bits, s, item, [](u64 x) { return x; }, left);
  return {boundary, static_cast<u32>((left + boundary - 1) / boundary)};
}

// Moves what stays to the front, in index order; returns how many. `store(to, load(from))`; to <= from, and everything
// a chunk of the block loads is loaded before anything is stored, so source and destination may be the same array.
template <class Item, class Load, class Store>
__device__ u32 keep_in_order(u32 n, Cut cut, BlockScratch& s, Item item, Load load, Store store) {
  const u32 lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  u32 above = 0, equal = 0;  // in the chunks before
  const u32 equals = cut.equals;
  u32 skip = 0;
  if (kFault == Fault::last_equals_first) {
    u64 own = 0;
    for (u32 j = threadIdx.x; j < n; j += blockDim.x) own += item(j) == cut.boundary;
    const u32 all = static_cast<u32>(block_sum(own, s));
    skip = all > equals ? all - equals : 0;
  }
  for (u32 from = 0; from < n; from += blockDim.x) {
    const u32 j = from + threadIdx.x;
    const bool in = j < n;
    const u64 x = in ? item(j) : 0;
    const bool is_above = in && x > cut.boundary, is_equal = in && x == cut.boundary;
    const u32 above_lanes = __ballot_sync(kAllLanes, is_above), equal_lanes = __ballot_sync(kAllLanes, is_equal);
    if (lane == 0) s.above[warp] = __popc(above_lanes), s.equal[warp] = __popc(equal_lanes);
    const auto carried = load(in ? j : 0);
    __syncthreads();
    u32 above_before = above, equal_before = equal;
    for (u32 w = 0; w < warps; ++w) {
      if (w < warp) above_before += s.above[w], equal_before += s.equal[w];
      above += s.above[w], equal += s.equal[w];
    }
    const u32 earlier = (1u << lane) - 1;
    above_before += __popc(above_lanes & earlier), equal_before += __popc(equal_lanes & earlier);
    const u32 taken_before = equal_before < skip ? 0 : equal_before - skip;
    if (is_above || (is_equal && equal_before >= skip && taken_before < equals))
      store(above_before + (taken_before < equals ? taken_before : equals), carried);
    __syncthreads();
  }
  return above + (equal < equals ? equal : equals);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
