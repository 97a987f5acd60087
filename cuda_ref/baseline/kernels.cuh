#pragma once
// Unfused attention as it is written first: one kernel for scores, one for softmax, one for P x V, in FP32 or FP16
// (sums in FP32), and a gather of chosen tokens. Scores and probabilities go through memory. These are the straw man's
// kernels, kept apart and labelled so; the fused ones are cuDNN's (cudnn.h) and PyTorch's (sdpa.py).
//
// Layouts: q, out [batch][heads][rows][D]; k, v [batch][KV heads][keys][D]; s [batch][heads][rows][keys].
// Each KV head may use fewer keys than there are (`used`, gathered tokens).
#include <cstring>

#include "cuda_ref/kernels/language.h"
#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace winnow::cuda_ref::WINNOW_BACKEND {

struct Half {
  u16 bits;
};

// bfloat16: the upper half of a float.
struct Brain {
  u16 bits;
};

__host__ __device__ inline float to_float(float x) { return x; }
__host__ __device__ inline float to_float(Brain x) {
  const u32 bits = static_cast<u32>(x.bits) << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}
// Rounds to nearest even; for numbers, not for NaN.
__host__ __device__ inline void store(Brain* at, float x) {
  u32 bits;
  memcpy(&bits, &x, sizeof bits);
  at->bits = static_cast<u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
__device__ __forceinline__ void store(float* at, float x) { *at = x; }

#ifdef __CUDACC__
__device__ __forceinline__ float to_float(Half x) { return __half2float(__ushort_as_half(x.bits)); }
__device__ __forceinline__ void store(Half* at, float x) { at->bits = __half_as_ushort(__float2half_rn(x)); }
#else
inline float to_float(Half h) {
  const u32 sign = static_cast<u32>(h.bits & 0x8000) << 16, e = (h.bits >> 10) & 31, m = h.bits & 1023;
  const float x = e == 31  ? __int_as_float(static_cast<int>(0x7f800000 | m << 13))
                  : e == 0 ? static_cast<float>(m) * 0x1p-24f
                           : __int_as_float(static_cast<int>((e + 112) << 23 | m << 13));
  return sign ? -x : x;
}
inline void store(Half* at, float x) {
  // Round to nearest even; magnitudes above the largest half become infinite.
  const u16 sign = std::signbit(x) ? 0x8000 : 0;
  const float m = std::fabs(x);
  u32 bits;
  if (m >= 65520.0f) {
    bits = 0x7c00;
  } else if (m < 0x1p-14f) {
    bits = static_cast<u32>(std::nearbyint(m * 0x1p24f));
  } else {
    const u32 f = std::bit_cast<u32>(m);
    bits = ((f + 0xfff + ((f >> 13) & 1)) >> 13) - (112u << 10);
  }
  at->bits = static_cast<u16>(sign | bits);
}
#endif

struct NaiveShape {
  int batch, heads, kv_heads, rows, keys, head_dim;
  bool causal;  // row i sees keys 0 .. first + i
  int first;    // position of row 0
  float scale;
  const u32* used;  // [KV heads] keys in use; null: all
  __host__ __device__ int group() const { return heads / kv_heads; }
};

__device__ __forceinline__ int keys_of(const NaiveShape& s, int head, int row) {
  const int used = s.used ? static_cast<int>(s.used[head / s.group()]) : s.keys;
  const int seen = s.causal ? s.first + row + 1 : used;
  return seen < used ? seen : used;
}

constexpr int kTile = 16;

// s = scale * q k^T. Tiles of 16 x 16 through shared memory. 256 threads; grid: tiles x (batch * heads).
template <class T>
__global__ void naive_scores(NaiveShape a, const T* q, const T* k, T* s) {
  __shared__ float q_tile[kTile][kTile + 1], k_tile[kTile][kTile + 1];
  const int tx = static_cast<int>(threadIdx.x) % kTile, ty = static_cast<int>(threadIdx.x) / kTile;
  const int across = (a.keys + kTile - 1) / kTile;
  const int j0 = static_cast<int>(blockIdx.x) % across * kTile, i0 = static_cast<int>(blockIdx.x) / across * kTile;
  const int head = static_cast<int>(blockIdx.y) % a.heads, batch = static_cast<int>(blockIdx.y) / a.heads;
  const T* q_at = q + (static_cast<u64>(batch) * a.heads + head) * a.rows * a.head_dim;
  const T* k_at = k + (static_cast<u64>(batch) * a.kv_heads + head / a.group()) * a.keys * a.head_dim;
  float sum = 0;
  for (int d0 = 0; d0 < a.head_dim; d0 += kTile) {
    const bool d_in = d0 + tx < a.head_dim;
    q_tile[ty][tx] = d_in && i0 + ty < a.rows ? to_float(q_at[static_cast<u64>(i0 + ty) * a.head_dim + d0 + tx]) : 0;
    k_tile[ty][tx] = d_in && j0 + ty < a.keys ? to_float(k_at[static_cast<u64>(j0 + ty) * a.head_dim + d0 + tx]) : 0;
    __syncthreads();
    for (int d = 0; d < kTile; ++d) sum += q_tile[ty][d] * k_tile[tx][d];
    __syncthreads();
  }
  const int i = i0 + ty, j = j0 + tx;
  if (i < a.rows && j < a.keys)
    store(&s[((static_cast<u64>(batch) * a.heads + head) * a.rows + i) * a.keys + j],
          j < keys_of(a, head, i) ? sum * a.scale : -60000.0f);
}

// One row of queries: a warp a key. Grid: any x (batch * heads).
template <class T>
__global__ void naive_scores_of_one(NaiveShape a, const T* q, const T* k, T* s) {
  const int head = static_cast<int>(blockIdx.y) % a.heads, batch = static_cast<int>(blockIdx.y) / a.heads;
  const int lane = static_cast<int>(threadIdx.x) & 31, warps = static_cast<int>(blockDim.x) / 32;
  const T* q_at = q + (static_cast<u64>(batch) * a.heads + head) * a.head_dim;
  const T* k_at = k + (static_cast<u64>(batch) * a.kv_heads + head / a.group()) * a.keys * a.head_dim;
  const int n = keys_of(a, head, 0);
  for (int j = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / 32; j < a.keys;
       j += static_cast<int>(gridDim.x) * warps) {
    float sum = 0;
    for (int d = lane; d < a.head_dim; d += 32)
      sum += to_float(q_at[d]) * to_float(k_at[static_cast<u64>(j) * a.head_dim + d]);
    for (u32 step = 16; step; step >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, step);
    if (lane == 0)
      store(&s[(static_cast<u64>(batch) * a.heads + head) * a.keys + j], j < n ? sum * a.scale : -60000.0f);
  }
}

template <class Op>
__device__ __forceinline__ float reduce_floats(float x, float none, float* line, Op op) {
  const int lane = static_cast<int>(threadIdx.x) & 31, warp = static_cast<int>(threadIdx.x) >> 5;
  for (u32 step = 16; step; step >>= 1) x = op(x, __shfl_down_sync(0xffffffffu, x, step));
  __syncthreads();
  if (lane == 0) line[warp] = x;
  __syncthreads();
  float all = none;
  for (int w = 0; w < static_cast<int>(blockDim.x >> 5); ++w) all = op(all, line[w]);
  return all;
}

// Rows of s in place. Grid: rows x (batch * heads).
template <class T>
__global__ void naive_softmax(NaiveShape a, T* s) {
  __shared__ float line[32];
  T* row = s + (static_cast<u64>(blockIdx.y) * a.rows + blockIdx.x) * a.keys;
  float top = -1e30f;
  for (int j = static_cast<int>(threadIdx.x); j < a.keys; j += static_cast<int>(blockDim.x)) {
    const float x = to_float(row[j]);
    top = x > top ? x : top;
  }
  top = reduce_floats(top, -1e30f, line, [](float x, float y) { return x > y ? x : y; });
  float sum = 0;
  for (int j = static_cast<int>(threadIdx.x); j < a.keys; j += static_cast<int>(blockDim.x))
    sum += ::expf(to_float(row[j]) - top);
  sum = reduce_floats(sum, 0.0f, line, [](float x, float y) { return x + y; });
  const float inverse = 1 / sum;
  for (int j = static_cast<int>(threadIdx.x); j < a.keys; j += static_cast<int>(blockDim.x))
    store(&row[j], ::expf(to_float(row[j]) - top) * inverse);
}

// out = p v. 256 threads; grid: tiles x (batch * heads).
template <class T>
__global__ void naive_output(NaiveShape a, const T* p, const T* v, T* out) {
  __shared__ float p_tile[kTile][kTile + 1], v_tile[kTile][kTile + 1];
  const int tx = static_cast<int>(threadIdx.x) % kTile, ty = static_cast<int>(threadIdx.x) / kTile;
  const int across = (a.head_dim + kTile - 1) / kTile;
  const int d0 = static_cast<int>(blockIdx.x) % across * kTile, i0 = static_cast<int>(blockIdx.x) / across * kTile;
  const int head = static_cast<int>(blockIdx.y) % a.heads, batch = static_cast<int>(blockIdx.y) / a.heads;
  const T* p_at = p + (static_cast<u64>(batch) * a.heads + head) * a.rows * a.keys;
  const T* v_at = v + (static_cast<u64>(batch) * a.kv_heads + head / a.group()) * a.keys * a.head_dim;
  float sum = 0;
  for (int j0 = 0; j0 < a.keys; j0 += kTile) {
    p_tile[ty][tx] =
        i0 + ty < a.rows && j0 + tx < a.keys ? to_float(p_at[static_cast<u64>(i0 + ty) * a.keys + j0 + tx]) : 0;
    v_tile[ty][tx] =
        j0 + ty < a.keys && d0 + tx < a.head_dim ? to_float(v_at[static_cast<u64>(j0 + ty) * a.head_dim + d0 + tx]) : 0;
    __syncthreads();
    for (int j = 0; j < kTile; ++j) sum += p_tile[ty][j] * v_tile[j][tx];
    __syncthreads();
  }
  const int i = i0 + ty, d = d0 + tx;
  if (i < a.rows && d < a.head_dim)
    store(&out[((static_cast<u64>(batch) * a.heads + head) * a.rows + i) * a.head_dim + d], sum);
}

// One row of queries: threads in groups of D, each its share of the keys. Grid: 1 x (batch * heads); D <= 256 threads.
template <class T>
__global__ void naive_output_of_one(NaiveShape a, const T* p, const T* v, T* out) {
  __shared__ float part[1024];
  const int head = static_cast<int>(blockIdx.y) % a.heads, batch = static_cast<int>(blockIdx.y) / a.heads;
  const int tid = static_cast<int>(threadIdx.x), parts = static_cast<int>(blockDim.x) / a.head_dim;
  const T* p_at = p + (static_cast<u64>(batch) * a.heads + head) * a.keys;
  const T* v_at = v + (static_cast<u64>(batch) * a.kv_heads + head / a.group()) * a.keys * a.head_dim;
  const int d = tid % a.head_dim, n = keys_of(a, head, 0);
  float sum = 0;
  if (tid < parts * a.head_dim)
    for (int j = tid / a.head_dim; j < n; j += parts)
      sum += to_float(p_at[j]) * to_float(v_at[static_cast<u64>(j) * a.head_dim + d]);
  part[tid] = sum;
  __syncthreads();
  if (tid >= a.head_dim) return;
  for (int i = 1; i < parts; ++i) sum += part[i * a.head_dim + d];
  store(&out[(static_cast<u64>(batch) * a.heads + head) * a.head_dim + d], sum);
}

// Rows of the chosen tokens, side by side. Grid: keys x (batch * KV heads).
template <class T>
__global__ void gather_rows(NaiveShape a, int tokens, const u32* chosen, const T* k, const T* v, T* k_out, T* v_out) {
  const int kv = static_cast<int>(blockIdx.y) % a.kv_heads, j = static_cast<int>(blockIdx.x);
  if (j >= static_cast<int>(a.used[kv])) return;
  const u64 from = (static_cast<u64>(blockIdx.y) * tokens + chosen[static_cast<u64>(kv) * a.keys + j]) * a.head_dim;
  const u64 to = (static_cast<u64>(blockIdx.y) * a.keys + j) * a.head_dim;
  for (int d = static_cast<int>(threadIdx.x); d < a.head_dim; d += static_cast<int>(blockDim.x))
    k_out[to + d] = k[from + d], v_out[to + d] = v[from + d];
}

template <class T>
__global__ void convert(const float* from, T* to, u64 n) {
  for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
       i += static_cast<u64>(gridDim.x) * blockDim.x)
    store(&to[i], from[i]);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
