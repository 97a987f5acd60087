#pragma once
// A row's output: weights under one exponent, over the mean of what was left out where the policy compensates, sum over
// the chosen V, requantized to 12 bits (paper, II.A, III.C).
#include "cuda_ref/kernels/row.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

__device__ inline u32 value_scale(const Row& r, u32 token) {
  if (!r.a.plan.token_scales) return 65536;
  const Plane& p = r.planes.value_scale;
  return static_cast<u32>(load_unsigned(r.a.image, first_bit(p, token), golden::kValueScaleBits));
}

// Behind the codes of the query.
__device__ inline u32 head_weight(const Row& r, u32 position, int g) {
  const u64 bit = first_bit(r.planes.query, static_cast<u64>(position) * r.group + g);
  return static_cast<u32>(
      load_unsigned(r.a.image, bit + static_cast<u64>(r.D) * golden::kWordBits, golden::kHeadWeightBits));
}

// Weighted sum of the chosen V, requantized; |out| joins head importance. `position`: of the query, whose step's sum of
// V compensates.
__device__ inline void weigh(Row& r, u32 chosen, u32 position, i16* out, u64* head_importance) {
  const Plan& plan = r.a.plan;
  const u32* place = r.m.values;
  const bool compensated = plan.compensates && !r.a.whole;
  const int tid = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  for (int g0 = 0; g0 < r.group; g0 += kHeadsAtOnce) {
    if (!((r.heads >> g0) & ((1u << kHeadsAtOnce) - 1))) continue;
    int exponent[kHeadsAtOnce] = {};
    u64 kept[kHeadsAtOnce] = {}, mean[kHeadsAtOnce] = {};
    for (int i = 0; i < kHeadsAtOnce; ++i) {
      i16* w = r.m.w + static_cast<u64>(i) * r.tokens;
      if (g0 + i >= r.group || !r.alive(g0 + i)) {
        for (u32 j = threadIdx.x; j < chosen; j += blockDim.x) w[j] = 0;
        continue;
      }
      const u16* p = r.m.p + static_cast<u64>(g0 + i) * r.tokens;
      if (compensated) {
        mean[i] = golden::mean_left_out(r.sh.rest[g0 + i], golden::reciprocal(r.sh.denominator[g0 + i]), r.keys - r.n);
        u64 largest = 0;
        const auto over = [&](u32 j) {
          return golden::wide_weight_over(p[place[j]], mean[i], value_scale(r, r.token(place[j])));
        };
        for (u32 j = threadIdx.x; j < chosen; j += blockDim.x) {
          const i64 x = over(j);
          largest = Larger()(largest, static_cast<u64>(x < 0 ? -x : x));
        }
        exponent[i] = golden::signed_exponent(block_max(largest, r.sh.block), mean[i]);
        for (u32 j = threadIdx.x; j < chosen; j += blockDim.x)
          w[j] = static_cast<i16>(golden::signed_weight12(over(j), exponent[i]));
        continue;
      }
      u64 largest = 0, sum = 0;
      for (u32 j = threadIdx.x; j < chosen; j += blockDim.x) {
        largest =
            Larger()(largest, static_cast<u64>(golden::wide_weight(p[place[j]], value_scale(r, r.token(place[j])))));
        sum += p[place[j]];
      }
      exponent[i] = golden::weight_exponent(block_max(largest, r.sh.block));
      kept[i] = block_sum(sum, r.sh.block);
      for (u32 j = threadIdx.x; j < chosen; j += blockDim.x) {
        const u64 wide = golden::wide_weight(p[place[j]], value_scale(r, r.token(place[j])));
        w[j] = static_cast<i16>(kFault == Fault::unrounded_weight && (wide >> exponent[i]) <= 4095
                                    ? wide >> exponent[i]
                                    : golden::weight12(wide, exponent[i]));
      }
    }
    for (int at = tid; at < kHeadsAtOnce * r.D; at += threads) {
      r.acc[at] = 0;
      if (!compensated) continue;
      const int i = at / r.D, d = at % r.D;
      const u64 bit = first_bit(r.planes.value_sum, step_of(r, position)) + static_cast<u64>(d) * golden::kValueSumBits;
      r.acc[at] = static_cast<u64>(golden::mul_scale(load_signed(r.a.image, bit, golden::kValueSumBits),
                                                     golden::sum_scale(mean[i], plan.v_bits, exponent[i])));
    }
    __syncthreads();
    // Threads in groups of D, each group its share of the tokens; a group reads whole rows of V.
    const int parts = threads >= r.D ? threads / r.D : 1;
    for (int at = tid; at < parts * r.D; at += threads) {
      const int d = at % r.D;
      i64 sum[kHeadsAtOnce] = {};
      for (u32 j = static_cast<u32>(at / r.D); j < chosen; j += static_cast<u32>(parts)) {
        const u64 bit =
            first_bit(r.planes.value, r.token(place[j])) + static_cast<u64>(d) * static_cast<u64>(plan.v_bits);
        const i32 v = load_signed(r.a.image, bit, plan.v_bits);
        for (int i = 0; i < kHeadsAtOnce; ++i) sum[i] += r.m.w[static_cast<u64>(i) * r.tokens + j] * v;
      }
      for (int i = 0; i < kHeadsAtOnce; ++i) atomicAdd(&r.acc[i * r.D + d], static_cast<u64>(sum[i]));
    }
    __syncthreads();
    for (int i = 0; i < kHeadsAtOnce && g0 + i < r.group; ++i) {
      const int g = g0 + i;
      if (!r.alive(g)) continue;
      const golden::Scale to_out = r.scales[g].to_out;
      golden::Scale scale = plan.lazy          ? golden::mul(to_out, golden::lazy_scale(r.sh.denominator[g]))
                            : plan.renormalise ? golden::mul(to_out, golden::renormaliser(kept[i]))
                                               : to_out;
      if (plan.weighs_heads) scale = golden::mul(scale, golden::head_scale(head_weight(r, position, g)));
      u64 magnitude = 0;
      for (int d = tid; d < r.D; d += threads) {
        const i16 y = golden::requantize_out(static_cast<i64>(r.acc[i * r.D + d]), scale, exponent[i]);
        out[g * r.D + d] = y;
        magnitude += static_cast<u64>(y < 0 ? -y : y);
      }
      magnitude = block_sum(magnitude, r.sh.block);
      if (tid == 0) atomicAdd(&head_importance[g], magnitude * r.scales[g].out16);
    }
    __syncthreads();
  }
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
