#pragma once
// Float attention of the unpruned model, operation for operation what golden/reference.h defines: outputs are
// calibrated on it and errors measured against it. Sums run in index order, one rounding an operation (nvcc:
// --fmad=false).
#include "cuda_ref/kernels/quantize.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

struct ReferenceArgs {
  ShapeArgs shape;
  int layer;
  const float *q, *k, *v;  // [layers][heads or KV heads][tokens][D]
  float* out;              // [layers][heads][tokens][D]
  u32* prompt_max;         // [layers][heads], float bits
  float* scratch;          // [blocks][tokens]
};

// exp(x) for x <= 0.
__device__ inline float exp_below(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float k = ::floorf(x * 1.44269504f + 0.5f);
  const float r = (x - k * 0.693145752f) - k * 1.42860677e-6f;
  float y = 1.0f / 5040;
  y = y * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  return y * __int_as_float((static_cast<int>(k) + 127) << 23);
}

// Blocks stride over (position, head) of one layer.
__global__ void float_attention(ReferenceArgs a) {
  __shared__ BlockScratch sh;
  __shared__ float inverse;
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, tid = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  float* s = a.scratch + static_cast<u64>(blockIdx.x) * h.tokens;
  const float scale = static_cast<float>(h.attention_scale);
  for (int row = static_cast<int>(blockIdx.x); row < h.tokens * h.heads; row += static_cast<int>(gridDim.x)) {
    const int i = row / h.heads, head = row % h.heads, keys = h.causal ? i + 1 : h.tokens;
    const u64 all = static_cast<u64>(h.tokens) * D;
    const float* q = a.q + static_cast<u64>(a.layer * h.heads + head) * all + static_cast<u64>(i) * D;
    const float* k = a.k + static_cast<u64>(a.layer * h.kv_heads + head / h.group) * all;
    const float* v = a.v + static_cast<u64>(a.layer * h.kv_heads + head / h.group) * all;
    // Scores order as 64-bit integers once a negative one's bits are turned round.
    i64 top = -0x7fffffffffffffffll - 1;
    for (int j = tid; j < keys; j += threads) {
      float x = 0;
      for (int d = 0; d < D; ++d) x += q[d] * scale * k[static_cast<u64>(j) * D + d];
      s[j] = x;
      i32 bits;
      memcpy(&bits, &x, sizeof bits);
      top = Larger()(top, static_cast<i64>(bits < 0 ? bits ^ 0x7fffffff : bits));
    }
    top = block_max(top, sh);
    const i32 bits = static_cast<i32>(top);
    const float largest = __int_as_float(bits < 0 ? bits ^ 0x7fffffff : bits);
    for (int j = tid; j < keys; j += threads) s[j] = exp_below(s[j] - largest);
    __syncthreads();
    if (tid == 0) {
      double sum = 0;
      for (int j = 0; j < keys; ++j) sum += s[j];
      inverse = static_cast<float>(1 / sum);
    }
    __syncthreads();
    float* out = a.out + static_cast<u64>(a.layer * h.heads + head) * all + static_cast<u64>(i) * D;
    u64 most = 0;
    for (int d = tid; d < D; d += threads) {
      float y = 0;
      for (int j = 0; j < keys; ++j) y += s[j] * v[static_cast<u64>(j) * D + d];
      y *= inverse;
      out[d] = y;
      const float m = ::fabsf(y);
      u32 m_bits;
      memcpy(&m_bits, &m, sizeof m_bits);
      most = Larger()(most, static_cast<u64>(m_bits));
    }
    most = block_max(most, sh);
    if (tid == 0 && i < h.prompt) atomicMax(&a.prompt_max[a.layer * h.heads + head], static_cast<u32>(most));
  }
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
