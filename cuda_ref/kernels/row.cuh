#pragma once
// A row: one query position on one KV head and its group of query heads. What its block of threads gets, holds and
// reports.
#include "cuda_ref/kernels/access.cuh"
#include "cuda_ref/kernels/quantize.cuh"
#include "golden/policies/decisions.h"
#include "golden/score_rule.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

using golden::kMaxGroup;
using golden::kMaxStages;
constexpr int kHeadsAtOnce = 4;  // query heads that share one unpacked word

using Plan = golden::Decisions;

// What a decode row decided. Lists stand behind it, each of `tokens` entries.
struct RowReport {
  u32 keys, refetched, flat, stages, survivors[kMaxStages], values;
  u64 denominator[kMaxGroup];
};

struct RowArgs {
  ShapeArgs shape;
  Plan plan;
  int layer, positions;
  bool prompt, whole;  // whole: K and V at full width, nothing is selected
  const u32* image;
  const HeadPlanes* planes;     // [KV heads] of this layer
  const HeadScales* scales;     // [heads] of this layer
  const u32* live;              // [KV heads or 1][tokens]
  u32 live_stride, live_count;  // stride 0: one list for all KV heads
  const u32* live_counts;       // [KV heads], where each has a list of its own
  const u32* merged;            // [KV heads] tokens that the last of a list stands for; null: none does
  u32 first_position;           // decode: the step's position
  const u32* head_bits;         // [KV heads] live heads, a bit each
  u64* importance;              // [KV heads or 1][tokens] of this layer
  u64 importance_stride;
  bool earns;            // this step's probabilities are added to it
  u64* head_importance;  // [heads]
  i16* out;              // [positions][heads][D]
  Plane out_plane;
  LayerCounts* counts;
  RowReport* rows;        // [KV heads], decode
  u16* row_p;             // [KV heads][group][tokens], decode
  u32* row_lists;         // [KV heads][kMaxStages + 1][tokens], decode: survivors by stage, values
  std::uint8_t* scratch;  // [blocks] of scratch_bytes
  u64 scratch_bytes;
};

__device__ __forceinline__ u32 live_count(const RowArgs& a, int kv) {
  return a.live_counts ? a.live_counts[kv] : a.live_count;
}

// Scratch of one block, all lists compact over the slots that are still in.
struct RowScratch {
  i32* s;       // [group][tokens] partial scores in full-width units; |q k D| < 2^31
  u32* e;       // [group][tokens]
  u32* slots;   // [tokens]
  u32* items;   // [tokens] what a top-k compares
  u32* values;  // [tokens] places in the compact lists
  u16* p;       // [group][tokens]
  i16* w;       // [kHeadsAtOnce][tokens] weights, unsigned or signed 12 bits
};

__host__ __device__ inline u64 row_scratch_bytes(int group, int tokens) {
  const u64 n = static_cast<u64>(tokens), g = static_cast<u64>(group);
  return (g * n * 10 + n * 12 + kHeadsAtOnce * n * 2 + 15) / 8 * 8;
}
__host__ __device__ inline u64 row_shared_bytes(int group, int head_dim) {
  return static_cast<u64>(head_dim) * (kHeadsAtOnce * 8 + static_cast<u64>((group + 3) / 4 * 4) * 2);
}

struct RowShared {
  BlockScratch block;
  u64 rest[kMaxGroup], denominator[kMaxGroup];
  // Sums of a query's codes, as the pass at hand and the one before it saw them.
  i64 top[kMaxGroup], query_sum[kMaxGroup], sum_before[kMaxGroup];
  i64 query_size[kMaxGroup];  // sums of their sizes
};

// One row's state, the same in every thread.
struct Row {
  const RowArgs& a;
  const HeadPlanes& planes;
  const HeadScales* scales;  // of the group
  const u32* live;
  RowScratch m;
  RowShared& sh;
  i16* q;        // shared, [group, rounded up to 4][D]; zero for dead heads
  u64* acc;      // shared, [kHeadsAtOnce][D]
  u32 heads;     // a bit each
  u32 keys;      // slots the query sees
  u32 n;         // of them still in
  u32 tokens;    // stride of the lists
  u32 sentence;  // tokens of the sentence so far
  u32 merged;    // tokens that the last slot stands for; 0: one
  int D, group;

  __device__ __forceinline__ bool alive(int g) const { return (heads >> g) & 1; }
  __device__ __forceinline__ u32 token(u32 j) const { return live[m.slots[j]]; }
};

// Where a step's sum of V lies; the prompt's is the first.
__device__ __forceinline__ u64 step_of(const Row& r, u32 position) {
  return static_cast<u64>(position) + 1 - static_cast<u64>(r.a.shape.prompt);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
