#pragma once
// The page stage of a step: a block a KV head scores the keys of its pages, keeps the best, and writes out the tokens
// that the row then reads. The rule: golden/pages.h.
//
// in   packed queries and keys of pages from the image; live heads; which pages are in question
// out  the tokens, a list a KV head, where attend() finds its live ones; bytes and bursts of what was read
#include "cuda_ref/kernels/row.cuh"

namespace winnow::cuda_ref::WINNOW_BACKEND {

// Keys of pages: from K's codes over each complete page. Grid: KV heads x layers; threads stride over bytes.
__global__ void pack_pages(QuantizeArgs a) {
  const ShapeArgs& h = a.shape;
  const golden::PageKeys& keys = a.pages;
  const int D = h.head_dim, head = static_cast<int>(blockIdx.y) * h.kv_heads + static_cast<int>(blockIdx.x);
  const Plane plane = a.planes[head].page;
  const float* k = a.k + static_cast<u64>(head) * h.tokens * D;
  const double* k_unit = a.k_unit + static_cast<u64>(head) * D;
  const int width = keys.word_bits(), dropped = keys.dropped(a.digits.bits());
  int log2_size = 0;
  while (1 << log2_size < keys.size) ++log2_size;
  const u32 bytes = static_cast<u32>(D * width / 8), pages = static_cast<u32>(keys.complete(h.tokens));
  for (u32 i = threadIdx.x; i < bytes * pages; i += blockDim.x) {
    const u32 page = i / bytes, b = i % bytes;
    const float* rows = k + static_cast<u64>(page) * keys.size * D;
    a.image[plane.base + static_cast<u64>(page) * plane.stride + b] = packed_byte(b, width, [&](int d) {
      i32 sum = 0, code = 0, low = 0, high = 0;
      for (int t = 0; t < keys.size; ++t) {
        code = to_code(rows[t * D + d], k_unit[d], a.k_limit);
        sum += code;
        low = t == 0 || code < low ? code : low, high = t == 0 || code > high ? code : high;
      }
      return keys.bounds     ? golden::page_bounds(low, high, dropped, keys.bits)
             : keys.landmark ? golden::page_mean(code, 0, dropped, keys.bits)
                             : golden::page_mean(sum, log2_size, dropped, keys.bits);
    });
  }
}

struct PageArgs {
  RowArgs row;
  golden::PageChoice choice;
  u32 tokens;   // so far
  u32* places;  // [KV heads][tokens] room for the pages kept
  u32* lists;   // [KV heads][tokens]
};

// Grid: KV heads.
__global__ void choose_pages(PageArgs a) {
  __shared__ BlockScratch s;
  const RowArgs& row = a.row;
  const golden::PageKeys& keys = row.plan.pages;
  const int D = row.shape.head_dim, group = row.shape.group, kv = static_cast<int>(blockIdx.x);
  const u32 heads = row.head_bits[kv], n = a.choice.scored();
  const u64 stride = static_cast<u64>(row.shape.tokens);
  if (!heads) return;
  std::uint8_t* scratch = row.scratch + static_cast<u64>(kv) * row.scratch_bytes;
  i32* score = reinterpret_cast<i32*>(scratch);
  u32* items = reinterpret_cast<u32*>(scratch + stride * 4);
  const HeadPlanes& planes = row.planes[kv];
  const int dropped = keys.dropped(row.plan.digits.bits());
  for (u32 j = threadIdx.x; j < n; j += blockDim.x) items[j] = 0;
  for (int g = 0; g < group; ++g) {
    if (!((heads >> g) & 1)) continue;
    const u64 query = first_bit(planes.query, static_cast<u64>(row.first_position) * static_cast<u64>(group) + g);
    i64 top = -0x7fffffffffffffffll - 1;
    for (u32 j = threadIdx.x; j < n; j += blockDim.x) {
      const u64 page = first_bit(planes.page, a.choice.first + j);
      i32 sum = 0;
      for (int d = 0; d < D; ++d) {
        const i32 q = load_signed(row.image, query + static_cast<u64>(d * golden::kWordBits), golden::kWordBits);
        const i32 word = load_signed(row.image, page + static_cast<u64>(d * keys.word_bits()), keys.word_bits());
        sum += q * (keys.bounds ? golden::page_bound(word, q, keys.bits) : word);
      }
      score[j] = sum * (1 << dropped);
      top = Larger()(top, static_cast<i64>(score[j]));
    }
    top = block_max(top, s);
    const golden::ScoreRule rule =
        golden::score_rule(row.plan, row.scales[kv * group + g].to_log2, true, 0, false, 0, 0, 0);
    u64 sum = 0;
    for (u32 j = threadIdx.x; j < n; j += blockDim.x) sum += rule.weight(top, score[j]);
    const u64 reciprocal = golden::reciprocal(golden::saturating_denominator(block_sum(sum, s)));
    for (u32 j = threadIdx.x; j < n; j += blockDim.x)
      items[j] = Larger()(items[j], golden::probability(rule.weight(top, score[j]), reciprocal));
    __syncthreads();
  }
  const auto item = [items](u32 j) { return static_cast<u64>(items[j]); };
  const Cut cut = cut_by_count(n, a.choice.keep, golden::kProbabilityBits, s, item);
  u32* place = a.places + static_cast<u64>(kv) * stride;
  keep_in_order(n, cut, s, item, [](u32 j) { return j; }, [place](u32 to, u32 from) { place[to] = from; });
  __syncthreads();
  // Tokens in front of the first page in question, of the pages kept, behind the last in question.
  const u32 size = a.choice.size, before = a.choice.first * size, chosen = a.choice.keep * size;
  const u32 all = a.choice.tokens(a.tokens);
  u32* list = a.lists + static_cast<u64>(kv) * stride;
  for (u32 j = threadIdx.x; j < all; j += blockDim.x)
    list[j] = j < before            ? j
              : j < before + chosen ? (a.choice.first + place[(j - before) / size]) * size + (j - before) % size
                                    : j + (n - a.choice.keep) * size;
  const u32 first = a.choice.first;
  count_bursts(row.counts->bursts_of(Stream::key),
               burst_share(planes.page, n, [first](u32 j) { return static_cast<u64>(first + j); }), s);
  if (threadIdx.x == 0) atomicAdd(row.counts->useful_of(Kind::key_msb), static_cast<u64>(n) * planes.page.item_bytes);
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
