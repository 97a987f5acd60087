#pragma once
// Floats to the memory image: scales from the prompt, codes, digits, packed planes. Float64 throughout, one rounding an
// operation (nvcc: --fmad=false), so that every machine gets the same codes.
//
// Grids: x walks KV heads (or query heads), y layers; threads stride over the rest.
#include "cuda_ref/kernels/block.cuh"
#include "cuda_ref/kernels/image.cuh"
#include "golden/policies/decisions.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

struct ShapeArgs {
  int layers, heads, kv_heads, group, head_dim, tokens, prompt;
  bool causal;
  double attention_scale;
};

// What a query head's scores and outputs are multiplied with.
struct HeadScales {
  golden::Scale to_log2, to_out;
  u32 out16;
  double out_unit;
};

struct QuantizeArgs {
  ShapeArgs shape;
  golden::Digits digits;
  golden::MsbRule msb;
  golden::PageKeys pages;
  bool channel_scales, token_scales, out_by_value;
  int v_bits;
  i32 k_limit, v_limit;
  double q_headroom, k_headroom, out_headroom;  // over the prompt's largest; k: with channel scales
  const float *q, *k, *v;                       // [layers][heads or KV heads][tokens][D]
  const u32* prompt_max;                        // [layers][heads] largest |out| of the float reference, float bits
  double* k_unit;                               // [layers][KV heads][D]
  double* v_unit;                               // [layers][KV heads]
  u32* v16;                                     // [layers][KV heads][tokens], with token scales
  double* q_unit;                               // [layers][heads]
  HeadScales* scales;                           // [layers][heads]
  const HeadPlanes* planes;                     // [layers][KV heads]
  u32 protect_first;                            // policies that merge: tokens below, and from newest_from[step] on,
  const u32* newest_from;                       // are protected
  const u16* head_weights;                      // [layers][heads][tokens], 16 bits; null: none lie behind the queries
  std::uint8_t* image;
};

__device__ __forceinline__ float bits_to_float(u32 bits) { return __int_as_float(static_cast<int>(bits)); }

// Round half away from zero, clamped. A zero unit stands for a tensor of zeros.
__device__ __forceinline__ i32 to_code(double x, double unit, i32 limit) {
  if (unit == 0) return 0;
  const double r = ::round(x / unit);
  return r > limit ? limit : r < -limit ? -limit : static_cast<i32>(r);
}

// A positive real as a scale: mantissa rounded to 16 bits.
__device__ inline golden::Scale as_scale(double x) {
  golden::Scale s;
  if (!(x > 0)) return s;
  int exponent = 0;
  double mantissa = ::round(::frexp(x, &exponent) * 65536);
  if (mantissa > 65535) mantissa = 32768, ++exponent;
  s.mantissa = static_cast<u32>(mantissa);
  s.shift = 16 - exponent;
  return s;
}

// Magnitudes compare as their bits.
__device__ __forceinline__ u64 magnitude(double x) {
  const double m = ::fabs(x);
  u64 bits;
  memcpy(&bits, &m, sizeof bits);
  return bits;
}
__device__ __forceinline__ double from_magnitude(u64 bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Units of K and V, and V's token scales. Grid: KV heads x layers.
__global__ void units_of_kv(QuantizeArgs a) {
  __shared__ BlockScratch s;
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, head = static_cast<int>(blockIdx.y) * h.kv_heads + static_cast<int>(blockIdx.x);
  const u64 base = static_cast<u64>(head) * h.tokens * D;
  const float *k = a.k + base, *v = a.v + base;
  const int tid = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int in_prompt = h.prompt * D;

  u64 k_max = 0, v_max = 0;
  for (int i = tid; i < in_prompt; i += threads) {
    k_max = Larger()(k_max, magnitude(k[i]));
    v_max = Larger()(v_max, magnitude(v[i]));
  }
  k_max = block_max(k_max, s);
  v_max = block_max(v_max, s);
  const double v_unit = from_magnitude(v_max) / a.v_limit;
  if (tid == 0) a.v_unit[head] = v_unit;
  for (int d = tid; d < D; d += threads) {
    u64 m = k_max;
    double headroom = 1;
    if (a.channel_scales) {
      m = 0, headroom = a.k_headroom;
      for (int t = 0; t < h.prompt; ++t) m = Larger()(m, magnitude(k[static_cast<u64>(t) * D + d]));
    }
    a.k_unit[static_cast<u64>(head) * D + d] = headroom * from_magnitude(m) / a.k_limit;
  }
  if (!a.token_scales) return;
  const int lane = tid & 31;
  for (int t = tid >> 5; t < h.tokens; t += threads >> 5) {
    u64 m = 0;
    for (int d = lane; d < D; d += 32) m = Larger()(m, magnitude(v[static_cast<u64>(t) * D + d]));
    for (int step = 16; step; step >>= 1) m = Larger()(m, __shfl_xor_sync(kAllLanes, m, step));
    if (lane != 0) continue;
    const double own = from_magnitude(m) / a.v_limit;
    const double ratio = v_unit > 0 ? ::ceil(65536 * own / v_unit) : 0;
    a.v16[static_cast<u64>(head) * h.tokens + t] = static_cast<u32>(ratio < 65535 ? ratio : 65535);
  }
}

__device__ __forceinline__ double folded(const QuantizeArgs& a, const double* k_unit, double q, int d) {
  return a.channel_scales ? q * k_unit[d] : q;
}

// Largest output that a head's scale allows for: of float attention on the prompt, or V's own largest.
__device__ __forceinline__ double out_max_of(const QuantizeArgs& a, int layer, int head) {
  return a.out_by_value ? a.v_unit[layer * a.shape.kv_heads + head / a.shape.group] * a.v_limit
                        : static_cast<double>(bits_to_float(a.prompt_max[layer * a.shape.heads + head]));
}

// Units and scales of queries and outputs. Grid: query heads x layers.
__global__ void scales_of_heads(QuantizeArgs a) {
  __shared__ BlockScratch s;
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, layer = static_cast<int>(blockIdx.y), head = layer * h.heads + static_cast<int>(blockIdx.x);
  const int kv = layer * h.kv_heads + static_cast<int>(blockIdx.x) / h.group;
  const float* q = a.q + static_cast<u64>(head) * h.tokens * D;
  const double* k_unit = a.k_unit + static_cast<u64>(kv) * D;
  const int in_prompt = h.prompt * D, all_heads = h.layers * h.heads;
  u64 m = 0, out_bits = 0;
  for (int i = static_cast<int>(threadIdx.x); i < in_prompt; i += static_cast<int>(blockDim.x))
    m = Larger()(m, magnitude(folded(a, k_unit, q[i], i % D)));
  for (int i = static_cast<int>(threadIdx.x); i < all_heads; i += static_cast<int>(blockDim.x))
    out_bits = Larger()(out_bits, magnitude(out_max_of(a, i / h.heads, i % h.heads)));
  m = block_max(m, s);
  out_bits = block_max(out_bits, s);
  if (threadIdx.x != 0) return;
  const double q_unit = a.q_headroom * from_magnitude(m) / golden::kQueryMax;
  const double out_max = out_max_of(a, layer, static_cast<int>(blockIdx.x));
  const double out_largest = from_magnitude(out_bits);
  a.q_unit[head] = q_unit;
  HeadScales r;
  const double score_unit = q_unit * (a.channel_scales ? 1.0 : k_unit[0]) * h.attention_scale;
  r.to_log2 = as_scale(score_unit * 1.4426950408889634 * (1 << golden::kLogFraction));
  r.out_unit = a.out_headroom * out_max / golden::kOutMax;
  if (out_max > 0) r.to_out = as_scale(a.v_unit[kv] / r.out_unit / 4294967296.0);
  const double fraction = out_largest > 0 ? ::round(65536 * out_max / out_largest) : 0;
  r.out16 = static_cast<u32>(fraction < 65535 ? fraction : 65535);
  a.scales[head] = r;
  const u64 word = golden::pack_descriptor({r.to_log2, r.to_out, static_cast<std::uint16_t>(r.out16)});
  const Plane plane = a.planes[kv].descriptor;
  std::uint8_t* to = a.image + plane.base + static_cast<u64>(static_cast<int>(blockIdx.x) % h.group) * plane.stride;
  for (int b = 0; b < 8; ++b) to[b] = static_cast<std::uint8_t>(word >> (8 * b));
}

// Digit planes of K, V and its scales. Grid: KV heads x layers; z-less, threads stride over bytes.
__global__ void pack_kv(QuantizeArgs a) {
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, head = static_cast<int>(blockIdx.y) * h.kv_heads + static_cast<int>(blockIdx.x);
  const HeadPlanes& planes = a.planes[head];
  const float *k = a.k + static_cast<u64>(head) * h.tokens * D, *v = a.v + static_cast<u64>(head) * h.tokens * D;
  const double* k_unit = a.k_unit + static_cast<u64>(head) * D;
  for (int digit = 0; digit < a.digits.count; ++digit) {
    const int width = a.digits.width[digit];
    const u32 bytes = static_cast<u32>(D * width / 8);
    for (u32 i = threadIdx.x; i < bytes * static_cast<u32>(h.tokens); i += blockDim.x) {
      const u32 t = i / bytes, b = i % bytes;
      const float* row = k + static_cast<u64>(t) * D;
      a.image[planes.key[digit].base + static_cast<u64>(t) * planes.key[digit].stride + b] =
          packed_byte(b, width, [&](int d) {
            i32 digits[golden::kMaxDigits] = {};
            golden::split(to_code(row[d], k_unit[d], a.k_limit), a.digits, a.msb, digits);
            return digits[digit];
          });
    }
  }
  const u32 bytes = static_cast<u32>(D * a.v_bits / 8);
  const u32* v16 = a.token_scales ? a.v16 + static_cast<u64>(head) * h.tokens : nullptr;
  for (u32 i = threadIdx.x; i < bytes * static_cast<u32>(h.tokens); i += blockDim.x) {
    const u32 t = i / bytes, b = i % bytes;
    const float* row = v + static_cast<u64>(t) * D;
    const double unit = v16 ? a.v_unit[head] * v16[t] / 65536 : a.v_unit[head];
    a.image[planes.value.base + static_cast<u64>(t) * planes.value.stride + b] =
        packed_byte(b, a.v_bits, [&](int d) { return to_code(row[d], unit, a.v_limit); });
  }
  if (v16)
    for (u32 i = threadIdx.x; i < 2 * static_cast<u32>(h.tokens); i += blockDim.x)
      a.image[planes.value_scale.base + i] = static_cast<std::uint8_t>(v16[i / 2] >> (i % 2 * 8));
}

// V's sum as each step finds it. Grid: KV heads x layers; a thread a channel.
__global__ void pack_sums(QuantizeArgs a) {
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, head = static_cast<int>(blockIdx.y) * h.kv_heads + static_cast<int>(blockIdx.x);
  const Plane plane = a.planes[head].value_sum;
  const float* v = a.v + static_cast<u64>(head) * h.tokens * D;
  const u32* v16 = a.token_scales ? a.v16 + static_cast<u64>(head) * h.tokens : nullptr;
  for (int d = static_cast<int>(threadIdx.x); d < D; d += static_cast<int>(blockDim.x)) {
    i32 sum = 0;
    for (int t = 0; t < h.tokens; ++t) {
      const double unit = v16 ? a.v_unit[head] * v16[t] / 65536 : a.v_unit[head];
      sum += golden::sum_term(to_code(v[static_cast<u64>(t) * D + d], unit, a.v_limit), v16 ? v16[t] : 65536, a.v_bits);
      if (t + 1 < h.prompt) continue;
      std::uint8_t* to = a.image + plane.base + static_cast<u64>(t + 1 - h.prompt) * plane.stride + 3 * d;
      for (int b = 0; b < 3; ++b) to[b] = static_cast<std::uint8_t>(static_cast<u32>(sum) >> (8 * b));
    }
  }
}

// Merged tokens, a step each: means of the keys and values of those that places leave out. Grid: KV heads x layers.
__global__ void pack_merged(QuantizeArgs a) {
  __shared__ BlockScratch s;
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, head = static_cast<int>(blockIdx.y) * h.kv_heads + static_cast<int>(blockIdx.x);
  const HeadPlanes& planes = a.planes[head];
  const float *k = a.k + static_cast<u64>(head) * h.tokens * D, *v = a.v + static_cast<u64>(head) * h.tokens * D;
  const double* k_unit = a.k_unit + static_cast<u64>(head) * D;
  const u32* v16 = a.token_scales ? a.v16 + static_cast<u64>(head) * h.tokens : nullptr;
  const u32 k_bytes = static_cast<u32>(D * a.digits.width[0] / 8), v_bytes = static_cast<u32>(D * a.v_bits / 8);
  for (int step = 1; step <= h.tokens - h.prompt; ++step) {
    const int first = static_cast<int>(a.protect_first), end = static_cast<int>(a.newest_from[step]);
    const u64 item = static_cast<u64>(h.tokens + step);
    if (end <= first) continue;
    const i64 count = end - first;
    const auto v_sum = [&](int d) {
      i64 sum = 0;
      for (int t = first; t < end; ++t) {
        const double unit = v16 ? a.v_unit[head] * v16[t] / 65536 : a.v_unit[head];
        sum += static_cast<i64>(to_code(v[static_cast<u64>(t) * D + d], unit, a.v_limit)) * (v16 ? v16[t] : 65536);
      }
      return sum;
    };
    u64 largest = 0;
    for (int d = static_cast<int>(threadIdx.x); d < D; d += static_cast<int>(blockDim.x)) {
      const i64 sum = v_sum(d);
      largest = Larger()(largest, static_cast<u64>(sum < 0 ? -sum : sum));
    }
    largest = block_max(largest, s);
    const i64 scale = v16 ? golden::merged_scale(static_cast<i64>(largest), count, a.v_limit) : 65536;
    for (u32 b = threadIdx.x; b < k_bytes; b += blockDim.x)
      a.image[planes.key[0].base + item * planes.key[0].stride + b] = packed_byte(b, a.digits.width[0], [&](int d) {
        i64 sum = 0;
        for (int t = first; t < end; ++t) sum += to_code(k[static_cast<u64>(t) * D + d], k_unit[d], a.k_limit);
        return static_cast<i32>(golden::nearest_quotient(sum, count));
      });
    for (u32 b = threadIdx.x; b < v_bytes; b += blockDim.x)
      a.image[planes.value.base + item * planes.value.stride + b] = packed_byte(b, a.v_bits, [&](int d) {
        return static_cast<i32>(golden::merged_value(v_sum(d), count, scale, a.v_limit));
      });
    if (v16 && threadIdx.x < 2)
      a.image[planes.value_scale.base + item * 2 + threadIdx.x] = static_cast<std::uint8_t>(scale >> (threadIdx.x * 8));
    __syncthreads();
  }
}

// Queries, kWordBits wide. Grid: query heads x layers.
__global__ void pack_queries(QuantizeArgs a) {
  const ShapeArgs& h = a.shape;
  const int D = h.head_dim, layer = static_cast<int>(blockIdx.y), q_head = static_cast<int>(blockIdx.x);
  const int head = layer * h.heads + q_head, kv = layer * h.kv_heads + q_head / h.group;
  const float* q = a.q + static_cast<u64>(head) * h.tokens * D;
  const double* k_unit = a.k_unit + static_cast<u64>(kv) * D;
  const Plane plane = a.planes[kv].query;
  const u32 bytes = golden::packed_bytes(D, golden::kWordBits);
  for (u32 i = threadIdx.x; i < bytes * static_cast<u32>(h.tokens); i += blockDim.x) {
    const u32 t = i / bytes, b = i % bytes;
    const u64 item = static_cast<u64>(t) * h.group + q_head % h.group;
    a.image[plane.base + item * plane.stride + b] = packed_byte(b, golden::kWordBits, [&](int d) {
      return to_code(folded(a, k_unit, q[static_cast<u64>(t) * D + d], d), a.q_unit[head], golden::kQueryMax);
    });
  }
  if (!a.head_weights) return;
  for (u32 i = threadIdx.x; i < 2 * static_cast<u32>(h.tokens); i += blockDim.x) {
    const u64 item = static_cast<u64>(i / 2) * h.group + q_head % h.group;
    const u32 weight = a.head_weights[static_cast<u64>(head) * h.tokens + i / 2];
    a.image[plane.base + item * plane.stride + bytes + i % 2] = static_cast<std::uint8_t>(weight >> (i % 2 * 8));
  }
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
