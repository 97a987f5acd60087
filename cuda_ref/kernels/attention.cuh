#pragma once
// Attention of one query position on one KV head and its group of query heads: a block a row.
//
// in   packed query, key digits, value and value scale from the image; live tokens; live heads of the group
// out  12-bit outputs; importance of tokens and heads; in decode steps all that a row decided
//
// Paper: II.A, III.C, III.D (local value, progressive quantization); docs/specification/selection.md.
#include "cuda_ref/kernels/passes.cuh"
#include "cuda_ref/kernels/weigh.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

// Bytes of a decode row: what its lists fetched. `slot_lists`: survivors by stage, then values.
__device__ inline void count_row(Row& r, u32 position, const RowReport& row, const u32* slot_lists,
                                 LayerCounts* counts) {
  const Plan& plan = r.a.plan;
  BlockScratch& s = r.sh.block;
  const u64 v_bytes = golden::packed_bytes(r.D, plan.v_bits);
  const auto digit_bytes = [&plan, &r](u32 i) {
    return static_cast<u64>(golden::packed_bytes(r.D, plan.digits.width[i]));
  };
  const u32 *live = r.live, heads = r.heads;
  const u32 live_heads = static_cast<u32>(__popc(heads));
  const auto all = [live](u32 j) { return static_cast<u64>(live[j]); };
  const u64 first_query = static_cast<u64>(position) * static_cast<u64>(r.group);
  const auto query = [first_query, heads](u32 j) {
    u32 left = heads;
    while (j--) left &= left - 1;
    return first_query + static_cast<u64>(__ffs(static_cast<int>(left)) - 1);
  };
  count_bursts(counts->bursts_of(Stream::query), burst_share(r.planes.query, live_heads, query), s);
  count_bursts(counts->bursts_of(Stream::key), burst_share(r.planes.key[0], r.keys, all), s);
  if (plan.token_scales)
    count_bursts(counts->bursts_of(Stream::value_scale), burst_share(r.planes.value_scale, r.keys, all), s);
  if (row.refetched) count_bursts(counts->bursts_of(Stream::key), burst_share(r.planes.key[1], r.keys, all), s);
  u64 lsb = row.refetched ? r.keys * digit_bytes(1) : 0;
  u64 value = 0;
  if (plan.compensates) {
    const u64 step = step_of(r, position);
    count_bursts(counts->bursts_of(Stream::value), burst_share(r.planes.value_sum, 1, [step](u32) { return step; }), s);
    value += r.planes.value_sum.item_bytes;
  }
  for (u32 i = 0; i < row.stages; ++i) {
    const u32* list = slot_lists + static_cast<u64>(i) * r.tokens;
    const auto token = [live, list](u32 j) { return static_cast<u64>(live[list[j]]); };
    const u32 n = row.survivors[i];
    count_bursts(counts->bursts_of(Stream::record), burst_share(r.planes.key[i + 1], n, token), s);
    lsb += n * digit_bytes(i + 1);
    if (i == row.stages - 1) value += n * v_bytes;
  }
  if (!r.planes.value_in_record) {
    const u32* list = slot_lists + static_cast<u64>(kMaxStages) * r.tokens;
    const auto token = [live, list](u32 j) { return static_cast<u64>(live[list[j]]); };
    count_bursts(counts->bursts_of(Stream::value), burst_share(r.planes.value, row.values, token), s);
    value += row.values * v_bytes;
  }
  if (threadIdx.x != 0) return;
  atomicAdd(counts->useful_of(Kind::query), static_cast<u64>(live_heads) * r.planes.query.item_bytes);
  atomicAdd(counts->useful_of(Kind::key_msb), r.keys * digit_bytes(0));
  atomicAdd(counts->useful_of(Kind::key_lsb), lsb);
  atomicAdd(counts->useful_of(Kind::value), value);
  if (plan.token_scales)
    atomicAdd(counts->useful_of(Kind::value_scale),
              static_cast<u64>(r.keys) * golden::packed_bytes(1, golden::kValueScaleBits));
}

__device__ inline void copy_list(u32* to, const u32* from, u32 n) {
  for (u32 j = threadIdx.x; j < n; j += blockDim.x) to[j] = from[j];
}

__device__ inline void run_row(Row& r, int kv, int index, u32 position) {
  const RowArgs& a = r.a;
  const Plan& plan = a.plan;
  const golden::Digits& digits = plan.digits;
  u32* lists = a.whole ? nullptr : a.row_lists + static_cast<u64>(kv) * (kMaxStages + 1) * r.tokens;
  for (u32 j = threadIdx.x; j < r.keys; j += blockDim.x) r.m.slots[j] = j;
  if (threadIdx.x < kMaxGroup) r.sh.rest[threadIdx.x] = 0, r.sh.denominator[threadIdx.x] = 0;
  load_queries(r, position);

  RowReport row = {};
  row.keys = r.keys;
  if (plan.sigmoid) sum_queries(r);
  __syncthreads();
  if (a.whole || digits.count == 1) {
    // K is loaded once at full width: no refetch, no selection.
    score_pass(r, 0, digits.count, false);
    softmax_pass(r, digits.count - 1, true);
  } else if (plan.decides()) {
    score_pass(r, 0, 1, false);
    softmax_pass(r, 0, true);
    for (int g = 0; g < r.group; ++g) row.flat += r.alive(g) && plan.flat(r.sh.denominator[g]);
    __syncthreads();
    if (row.flat) {
      row.refetched = 1;
      score_pass(r, 1, 2, true);
      softmax_pass(r, 1, true);
    }
  } else {
    for (int i = 0; i < digits.count; ++i) {
      const bool last = i == digits.count - 1;
      // What the first pass left is of no use to an exact query.
      const bool anew = i == 1 && plan.crude_query();
      if (i == 0 && plan.crude_query()) make_crude(r);
      if (anew) load_queries(r, position);
      if (threadIdx.x < kMaxGroup) r.sh.sum_before[threadIdx.x] = i ? r.sh.query_sum[threadIdx.x] : 0;
      __syncthreads();
      if (i == 0 || anew) sum_queries(r);
      score_pass(r, anew ? 0 : i, i + 1, i > 0 && !anew);
      softmax_pass(r, i, last);
      if (last) break;
      select_stage(r, i);
      row.survivors[row.stages++] = r.n;
      if (lists) copy_list(lists + static_cast<u64>(i) * r.tokens, r.m.slots, r.n);
      __syncthreads();
    }
  }

  // Importance takes p before local value pruning.
  sum_heads(r);
  u64* importance = a.importance + static_cast<u64>(kv) * a.importance_stride;
  for (u32 j = threadIdx.x; a.earns && plan.accumulates() && j < r.n; j += blockDim.x)
    if (r.m.items[j]) atomicAdd(&importance[r.token(j)], static_cast<u64>(r.m.items[j]));

  // Local value pruning: one top-k a KV head over the sum of its heads' probabilities.
  u32 chosen = r.n;
  u32* place = r.m.values;
  if (plan.prunes_values(a.whole)) {
    const u32* items = r.m.items;
    const auto item = [items](u32 j) { return static_cast<u64>(items[j]); };
    const Cut cut =
        cut_by_count(r.n, static_cast<u32>(plan.kept_values(static_cast<int>(r.n))), plan.score_bits, r.sh.block, item);
    chosen = keep_in_order(
        r.n, cut, r.sh.block, item, [](u32 j) { return j; }, [place](u32 to, u32 from) { place[to] = from; });
  } else {
    for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) place[j] = j;
  }
  __syncthreads();
  row.values = chosen;
  weigh(r, chosen, position,
        a.out + static_cast<u64>(index) * a.shape.heads * r.D + static_cast<u64>(kv) * r.group * r.D,
        a.head_importance + kv * r.group);

  if (!a.whole) {
    u32* value_list = lists + static_cast<u64>(kMaxStages) * r.tokens;
    for (u32 j = threadIdx.x; j < chosen; j += blockDim.x) value_list[j] = r.m.slots[place[j]];
    for (int g = 0; g < r.group; ++g) {
      u16* p = a.row_p + (static_cast<u64>(kv) * r.group + g) * r.tokens;
      for (u32 j = threadIdx.x; j < r.keys; j += blockDim.x) p[j] = 0;
      __syncthreads();
      if (r.alive(g))
        for (u32 j = threadIdx.x; j < r.n; j += blockDim.x) p[r.m.slots[j]] = r.m.p[static_cast<u64>(g) * r.tokens + j];
    }
    __syncthreads();
    count_row(r, position, row, lists, a.counts);
    if (threadIdx.x == 0) {
      for (int g = 0; g < r.group; ++g) row.denominator[g] = r.alive(g) ? r.sh.denominator[g] : 0;
      a.rows[kv] = row;
    }
  }
  if (threadIdx.x == 0) {
    const u64 live_heads = static_cast<u64>(__popc(r.heads));
    atomicAdd(&a.counts->row_heads, live_heads);
    atomicAdd(a.counts->useful_of(Kind::out), live_heads * a.out_plane.item_bytes);
    atomicAdd(&a.counts->write_bursts, live_heads * (a.out_plane.stride / kBurstBytes));
    atomicAdd(&a.counts->flat, static_cast<u64>(row.flat));
    atomicAdd(&a.counts->row_groups, u64{1});
    atomicAdd(&a.counts->refetched, static_cast<u64>(row.refetched));
    atomicAdd(&a.counts->keys_seen, static_cast<u64>(r.keys));
    atomicAdd(&a.counts->survivors, static_cast<u64>(row.stages ? row.survivors[row.stages - 1] : r.keys));
    atomicAdd(&a.counts->values, static_cast<u64>(row.values));
  }
}

// Blocks stride over (position, KV head); the longest rows of a causal prompt first.
__global__ void __launch_bounds__(1024, 1) attend(RowArgs a) {
  __shared__ RowShared sh;
  WINNOW_DYNAMIC_SHARED(dynamic);
  const int group = a.shape.group, D = a.shape.head_dim;
  const u64 n = static_cast<u64>(a.shape.tokens), g = static_cast<u64>(group);
  std::uint8_t* at = a.scratch + static_cast<u64>(blockIdx.x) * a.scratch_bytes;
  RowScratch m;
  m.s = reinterpret_cast<i32*>(at), at += g * n * 4;
  m.e = reinterpret_cast<u32*>(at), at += g * n * 4;
  m.slots = reinterpret_cast<u32*>(at), at += n * 4;
  m.items = reinterpret_cast<u32*>(at), at += n * 4;
  m.values = reinterpret_cast<u32*>(at), at += n * 4;
  m.p = reinterpret_cast<u16*>(at), at += g * n * 2;
  m.w = reinterpret_cast<i16*>(at);
  for (int i = static_cast<int>(blockIdx.x); i < a.positions * a.shape.kv_heads; i += static_cast<int>(gridDim.x)) {
    const int kv = i % a.shape.kv_heads, index = a.positions - 1 - i / a.shape.kv_heads;
    const u32 heads = a.head_bits[kv];
    if (!heads) continue;
    const u32* live = a.live + static_cast<u64>(kv) * a.live_stride;
    const u32 keys = a.prompt && a.shape.causal ? static_cast<u32>(index) + 1 : live_count(a, kv);
    const u32 position = a.prompt ? a.live[index] : a.first_position;
    Row r{a,
          a.planes[kv],
          a.scales + kv * group,
          live,
          m,
          sh,
          reinterpret_cast<i16*>(dynamic + kHeadsAtOnce * D),
          dynamic,
          heads,
          keys,
          keys,
          static_cast<u32>(n),
          a.prompt ? static_cast<u32>(a.shape.prompt) : a.first_position + 1,
          a.merged ? a.merged[kv] : 0,
          D,
          group};
    run_row(r, kv, index, position);
    __syncthreads();
  }
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
