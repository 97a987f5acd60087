#pragma once
// Cascade state between layers: who lives, what tokens and heads have earned, and the bytes that a prompt layer loads.
// Paper: III.A, III.B. Lists stay on the device and ascend.
#include "cuda_ref/kernels/attention.cuh"
#include "golden/policies/schedule.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

struct CascadeArgs {
  ShapeArgs shape;
  int step, layer, tokens;  // tokens so far
  u32 live_count;           // before
  u32 first_new;            // begin_step: tokens from here on join
  bool restarts;            // begin_step: all tokens and heads live again
  bool normalised, shared_scope, importance_per_head;
  int decay_shift;           // 0: no decay
  bool renews;               // begin_step: importance begins anew
  golden::TokenChoice next;  // tokens of the next layer
  u32 keep_heads;            // of the next layer
  u64* importance;           // [tokens] or [layers][KV heads][tokens]
  u64 importance_size;
  u64 *chances, *head_importance;      // [tokens], [heads]
  u32* live;                           // [tokens]
  u32* live_heads;                     // [heads], then how many
  u32* head_bits;                      // [KV heads]
  u32* lists;                          // scope kv_head: [layers][KV heads][tokens]
  const golden::TokenChoice* choices;  // scope kv_head: [layers][KV heads]
};

// Blocks stride over all elements. Everybody lives again where the schedule says so; importance fades.
__global__ void begin_step(CascadeArgs a) {
  const u64 at = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x,
            all = static_cast<u64>(gridDim.x) * blockDim.x;
  const u32 n = static_cast<u32>(a.tokens);
  for (u64 t = a.first_new + at; t < n; t += all) a.live[a.live_count + t - a.first_new] = static_cast<u32>(t);
  if (a.restarts) {
    for (u64 h = at; h < static_cast<u64>(a.shape.heads); h += all) a.live_heads[h] = static_cast<u32>(h);
    if (at == 0) a.live_heads[a.shape.heads] = static_cast<u32>(a.shape.heads);
    const u32 group = static_cast<u32>(a.shape.group), group_bits = group == 32 ? kAllLanes : (1u << group) - 1;
    for (u64 kv = at; kv < static_cast<u64>(a.shape.kv_heads); kv += all) a.head_bits[kv] = group_bits;
  }
  if (a.renews)
    for (u64 t = at; t < a.importance_size; t += all) a.importance[t] = 0;
  if (a.decay_shift && a.step > 0)
    for (u64 t = at; t < a.importance_size; t += all) a.importance[t] = golden::decayed(a.importance[t], a.decay_shift);
}

// Tokens of `from` that stay, written to `to` (may be the same list).
__device__ inline void choose_tokens(const CascadeArgs& a, const golden::TokenChoice& choice, const u32* from, u32 n,
                                     const u64* importance, u32* to, BlockScratch& s) {
  const auto item = [&a, &choice, from, importance](u32 j) {
    const u32 t = from[j];
    const u64 earned = choice.earned(importance, t, static_cast<u32>(a.tokens));
    return static_cast<u64>(choice.item(t, earned, choice.normalised ? a.chances[t] : 0));
  };
  const Cut cut = cut_by_count(n, choice.keep, golden::kImportanceBits, s, item);
  keep_in_order(n, cut, s, item, [from](u32 j) { return from[j]; }, [to](u32 at, u32 token) { to[at] = token; });
}

// Scope kv_head: each layer and KV head chooses for the whole step. Grid: KV heads x layers.
__global__ void choose_lists(CascadeArgs a) {
  __shared__ BlockScratch s;
  const u64 list = static_cast<u64>(blockIdx.y) * a.shape.kv_heads + blockIdx.x;
  const u64 at = list * a.shape.tokens;
  choose_tokens(a, a.choices[list], a.live, a.live_count, a.importance + (a.importance_per_head ? at : 0), a.lists + at,
                s);
}

// After a layer, one block: chances of the tokens that were live, then who lives in the next layer.
__global__ void end_layer(CascadeArgs a) {
  __shared__ BlockScratch s;
  if (a.normalised)
    for (u32 j = threadIdx.x; j < a.live_count; j += blockDim.x)
      a.chances[a.live[j]] += golden::rows_seen(j, a.live_count, a.step == 0, a.shape.causal);
  __syncthreads();
  if (a.layer + 1 >= a.shape.layers) return;
  if (a.shared_scope && a.next.keep < a.live_count)
    choose_tokens(a, a.next, a.live, a.live_count, a.importance, a.live, s);
  const u32 heads = a.live_heads[a.shape.heads];
  __syncthreads();
  if (a.keep_heads >= heads) return;
  const auto item = [&a](u32 j) { return a.head_importance[a.live_heads[j]]; };
  const Cut cut = cut_by_count(heads, a.keep_heads, golden::kHeadImportanceBits, s, item);
  u32* live_heads = a.live_heads;
  const u32 kept = keep_in_order(
      heads, cut, s, item, [live_heads](u32 j) { return live_heads[j]; },
      [live_heads](u32 at, u32 head) { live_heads[at] = head; });
  for (u32 kv = threadIdx.x; kv < static_cast<u32>(a.shape.kv_heads); kv += blockDim.x) {
    u32 bits = 0;
    for (u32 j = 0; j < kept; ++j)
      if (live_heads[j] / static_cast<u32>(a.shape.group) == kv)
        bits |= 1u << (live_heads[j] % static_cast<u32>(a.shape.group));
    a.head_bits[kv] = bits;
  }
  if (threadIdx.x == 0) a.live_heads[a.shape.heads] = kept;
}

// Where nothing is selected a layer loads K and V of all live tokens once a KV head, at full width, and queries a few
// positions at a time.
// Grid: KV heads.
__global__ void count_whole(RowArgs a, int query_chunk) {
  __shared__ BlockScratch s;
  const int kv = static_cast<int>(blockIdx.x);
  const u32 heads = a.head_bits[kv], n = live_count(a, kv);
  if (!heads) return;
  const HeadPlanes& planes = a.planes[kv];
  const Plan& plan = a.plan;
  const int D = a.shape.head_dim;
  const u64 live_heads = static_cast<u64>(__popc(heads));
  const u32* live = a.live + static_cast<u64>(kv) * a.live_stride;
  const auto all = [live](u32 j) { return static_cast<u64>(live[j]); };
  u64 lsb = 0;
  for (int i = 0; i < plan.digits.count; ++i) {
    const Stream stream = planes.value_in_record && i > 0 ? Stream::record : Stream::key;
    count_bursts(a.counts->bursts_of(stream), burst_share(planes.key[i], n, all), s);
    if (i > 0) lsb += static_cast<u64>(n) * golden::packed_bytes(D, plan.digits.width[i]);
  }
  if (!planes.value_in_record) count_bursts(a.counts->bursts_of(Stream::value), burst_share(planes.value, n, all), s);
  if (plan.token_scales)
    count_bursts(a.counts->bursts_of(Stream::value_scale), burst_share(planes.value_scale, n, all), s);
  // A chunk of positions is one fetch; a thread walks one chunk.
  const u32 queries = static_cast<u32>(a.positions);
  u64 share = 0;
  for (u32 from = threadIdx.x * static_cast<u32>(query_chunk); from < queries;
       from += blockDim.x * static_cast<u32>(query_chunk)) {
    u64 last = ~u64{0};
    for (u32 j = from; j < queries && j < from + static_cast<u32>(query_chunk); ++j)
      for (u32 left = heads; left; left &= left - 1) {
        const u64 item = static_cast<u64>(a.prompt ? live[j] : a.first_position) * a.shape.group +
                         static_cast<u64>(__ffs(static_cast<int>(left)) - 1);
        const u64 at = planes.query.base + item * planes.query.stride;
        const u64 first = at / kBurstBytes, end = (at + planes.query.item_bytes - 1) / kBurstBytes;
        share += end - first + (first != last);
        last = end;
      }
  }
  count_bursts(a.counts->bursts_of(Stream::query), share, s);
  if (threadIdx.x != 0) return;
  atomicAdd(a.counts->useful_of(Kind::key_msb), static_cast<u64>(n) * golden::packed_bytes(D, plan.digits.width[0]));
  atomicAdd(a.counts->useful_of(Kind::key_lsb), lsb);
  atomicAdd(a.counts->useful_of(Kind::value), static_cast<u64>(n) * golden::packed_bytes(D, plan.v_bits));
  if (plan.token_scales)
    atomicAdd(a.counts->useful_of(Kind::value_scale),
              static_cast<u64>(n) * golden::packed_bytes(1, golden::kValueScaleBits));
  atomicAdd(a.counts->useful_of(Kind::query), queries * live_heads * planes.query.item_bytes);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
