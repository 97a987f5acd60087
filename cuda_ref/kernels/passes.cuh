#pragma once
// Passes over a row's keys: scores on the digits that are there, softmax, a selection stage.
// Paper: II.A, III.D; docs/specification/selection.md. Every sum is an integer sum, so the order in
// which threads add does not matter.
#include "cuda_ref/kernels/row.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

__device__ inline void load_queries(Row& r, u32 position) {
  const Plane& plane = r.planes.query;
  const int padded = (r.group + 3) / 4 * 4;
  for (int i = static_cast<int>(threadIdx.x); i < padded * r.D; i += static_cast<int>(blockDim.x)) {
    const int g = i / r.D, d = i % r.D;
    i32 x = 0;
    if (g < r.group && r.alive(g))
      x = load_signed(
          r.a.image,
          first_bit(plane, static_cast<u64>(position) * r.group + g) + static_cast<u64>(d) * golden::kWordBits,
          golden::kWordBits);
    r.q[i] = static_cast<i16>(x);
  }
  __syncthreads();
}

// The queries of a selection's first pass in the place of the exact ones, shifted back to their unit.
__device__ inline void make_crude(Row& r) {
  const int bits = r.a.plan.first_q_bits;
  for (int g = 0; g < r.group; ++g) {
    i16* q = r.q + g * r.D;
    u64 largest = 0;
    for (int d = static_cast<int>(threadIdx.x); d < r.D; d += static_cast<int>(blockDim.x))
      largest = Larger()(largest, static_cast<u64>(q[d] < 0 ? -q[d] : q[d]));
    const int shift = golden::crude_shift(static_cast<u32>(block_max(largest, r.sh.block)), bits);
    for (int d = static_cast<int>(threadIdx.x); d < r.D; d += static_cast<int>(blockDim.x))
      q[d] = static_cast<i16>(golden::crude_query(q[d], shift, bits) * (1 << shift));
  }
  __syncthreads();
}

// One thread a head.
__device__ inline void sum_queries(Row& r) {
  for (int g = static_cast<int>(threadIdx.x); g < r.group; g += static_cast<int>(blockDim.x)) {
    i64 sum = 0, size = 0;
    for (int d = 0; d < r.D; ++d) {
      const i32 x = r.q[g * r.D + d];
      sum += x, size += x < 0 ? -x : x;
    }
    r.sh.query_sum[g] = sum, r.sh.query_size[g] = size;
  }
}

// Scores of the digits from..to-1, added to what earlier passes left (`add`).
__device__ inline void score_pass(Row& r, int from, int to, bool add) {
  const golden::Digits& digits = r.a.plan.digits;
  const bool lower_signed = r.a.plan.msb == golden::MsbRule::round;
  for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) {
    const u32 token = r.token(j);
    for (int g0 = 0; g0 < r.group; g0 += kHeadsAtOnce) {
      i32 sum[kHeadsAtOnce] = {};
      for (int i = from; i < to; ++i) {
        const int width = digits.width[i], below = digits.below(i);
        u64 bit = first_bit(r.planes.key[i], token);
        const bool is_signed = i == 0 || lower_signed;
        for (int d = 0; d < r.D; ++d, bit += static_cast<u64>(width)) {
          const i32 digit = is_signed ? load_signed(r.a.image, bit, width) : load_unsigned(r.a.image, bit, width);
          const i32 k = digit * (1 << below);
          for (int g = 0; g < kHeadsAtOnce; ++g) sum[g] += r.q[(g0 + g) * r.D + d] * k;
        }
      }
      for (int g = 0; g < kHeadsAtOnce; ++g)
        if (g0 + g < r.group) {
          i32& s = r.m.s[static_cast<u64>(g0 + g) * r.tokens + j];
          s = add ? s + sum[g] : sum[g];
        }
    }
  }
  __syncthreads();
}

// Softmax of every live head over the slots that are in. `last`: the rest joins the denominator.
__device__ inline void softmax_pass(Row& r, int digit, bool last) {
  const Plan& plan = r.a.plan;
  for (int g = 0; g < r.group; ++g) {
    if (!r.alive(g)) continue;
    const golden::Scale to_log2 = r.scales[g].to_log2;
    const i32* s = r.m.s + static_cast<u64>(g) * r.tokens;
    u32* e = r.m.e + static_cast<u64>(g) * r.tokens;
    u16* p = r.m.p + static_cast<u64>(g) * r.tokens;
    const golden::ScoreRule rule = golden::score_rule(plan, to_log2, false, digit, last, r.sh.query_sum[g],
                                                      r.sh.query_size[g], static_cast<int>(r.sentence));
    const bool anchored = rule.kind == golden::ScoreRule::Kind::anchor;
    i64 top = -0x7fffffffffffffffll - 1;
    for (u32 j = threadIdx.x; j < r.n; j += blockDim.x)
      if (!anchored || plan.protects(r.token(j), r.keys)) top = Larger()(top, static_cast<i64>(s[j]));
    top = block_max(top, r.sh.block);
    u64 sum = 0;
    for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) {
      e[j] = rule.weight(top, s[j]);
      const u64 counts = r.merged && j + 1 == r.n ? r.merged : 1;
      sum = plan.sigmoid ? Larger()(sum, static_cast<u64>(e[j])) : sum + counts * e[j];
    }
    if (plan.sigmoid) {
      sum = block_max(sum, r.sh.block);
      if (threadIdx.x == 0) r.sh.denominator[g] = sum;
      for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) p[j] = static_cast<u16>(e[j]);
      __syncthreads();
      continue;
    }
    sum = block_sum(sum, r.sh.block);
    if (threadIdx.x == 0) {
      u64 rest = r.sh.rest[g];
      if (rest) {
        // Twice the maxima, midpoint constants included; one more bit of shift takes the factor back.
        const i64 before =
            2 * r.sh.top[g] + golden::midpoint_twice(r.sh.sum_before[g], plan.digits, digit - 1, plan.msb);
        const i64 now = 2 * top + golden::midpoint_twice(r.sh.query_sum[g], plan.digits, digit, plan.msb);
        rest = golden::rescale_rest(rest, golden::mul_scale(before - now, {to_log2.mantissa, to_log2.shift + 1}));
        r.sh.rest[g] = rest;
      }
      r.sh.top[g] = top;
      r.sh.denominator[g] = golden::saturating_denominator(last && kFault != Fault::lost_rest ? sum + rest : sum);
    }
    __syncthreads();
    const u64 reciprocal = golden::reciprocal(r.sh.denominator[g]);
    for (u32 j = threadIdx.x; j < r.n; j += blockDim.x)
      p[j] = static_cast<u16>(golden::skips_value(e[j], r.sh.denominator[g], plan.skip16) ? 0
                              : plan.lazy                                                 ? golden::lazy_weight(e[j])
                              : r.merged && j + 1 == r.n ? golden::probability_of_many(e[j], r.merged, reciprocal)
                                                         : golden::probability(e[j], reciprocal));
  }
  __syncthreads();
}

__device__ inline void sum_heads(Row& r) {
  for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) {
    u32 sum = 0;
    for (int g = 0; g < r.group; ++g)
      if (r.alive(g)) sum += r.m.p[static_cast<u64>(g) * r.tokens + j];
    r.m.items[j] = sum;
  }
  __syncthreads();
}

__device__ inline void mark_who_stays(Row& r) {
  for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) {
    u32 marked = 0;
    for (int g = 0; g < r.group; ++g) marked |= r.alive(g) && r.m.e[static_cast<u64>(g) * r.tokens + j] != 0;
    if (r.a.plan.anchors()) marked |= r.a.plan.protects(r.token(j), r.keys);
    r.m.items[j] = marked;
  }
  __syncthreads();
}

__device__ inline void largest_of_heads(Row& r) {
  for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) {
    u32 most = 0;
    for (int g = 0; g < r.group; ++g)
      if (r.alive(g)) most = Larger()(most, static_cast<u32>(r.m.p[static_cast<u64>(g) * r.tokens + j]));
    r.m.items[j] = most;
  }
  __syncthreads();
}

// One selection stage: who stays, the rest of who goes, lists compacted over the survivors.
__device__ inline void select_stage(Row& r, int stage) {
  const Plan& plan = r.a.plan;
  const u32* items = r.m.items;
  const auto item = [items](u32 j) { return static_cast<u64>(items[j]); };
  if (plan.bounds || plan.anchors())
    mark_who_stays(r);
  else if (plan.largest)
    largest_of_heads(r);
  else
    sum_heads(r);
  const golden::SelectionStage& rule = plan.stage[stage];
  const Cut cut = rule.by_mass ? cut_by_mass(r.n, rule.mu16, plan.score_bits, r.sh.block, item)
                               : cut_by_count(r.n, static_cast<u32>(rule.count(static_cast<int>(r.n))), plan.score_bits,
                                              r.sh.block, item);
  // Places of the survivors first; scores, slots and exponentials follow them.
  u32* place = r.m.values;
  const u32 kept = keep_in_order(
      r.n, cut, r.sh.block, item, [](u32 j) { return j; }, [place](u32 to, u32 from) { place[to] = from; });
  for (int g = 0; g < r.group; ++g) {
    if (!r.alive(g)) continue;
    i32* s = r.m.s + static_cast<u64>(g) * r.tokens;
    const u32* e = r.m.e + static_cast<u64>(g) * r.tokens;
    if (plan.rest) {
      u64 left_out = 0;
      for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) left_out += e[j];
      for (u32 j = threadIdx.x; j < kept; j += blockDim.x) left_out -= e[place[j]];
      left_out = block_sum(left_out, r.sh.block);  // shares may wrap, their sum does not
      if (threadIdx.x == 0) r.sh.rest[g] = golden::saturating_denominator(r.sh.rest[g] + left_out);
    }
    for (u32 from = 0; from < kept; from += blockDim.x) {
      const u32 j = from + threadIdx.x;
      const i32 x = j < kept ? s[place[j]] : 0;
      __syncthreads();
      if (j < kept) s[j] = x;
      __syncthreads();
    }
  }
  for (u32 from = 0; from < kept; from += blockDim.x) {
    const u32 j = from + threadIdx.x;
    const u32 slot = j < kept ? r.m.slots[place[j]] : 0;
    __syncthreads();
    if (j < kept) r.m.slots[j] = slot;
    __syncthreads();
  }
  r.n = kept;
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
