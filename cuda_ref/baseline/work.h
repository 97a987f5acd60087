#pragma once
// What a run needs at the least, counted: operations, bytes of operands and result, and the time that follows.
#include <algorithm>

#include "cuda_ref/baseline/baseline.h"

namespace winnow::cuda_ref {

// Fills operations, bytes, roofline_seconds and limit of a measurement whose dtype, batch and sparse are set.
inline void count_work(const BaselineInput& in, const GpuFacts& facts, Measured& m) {
  const int group = in.heads / in.kv_heads;
  double pairs = 0, kv_rows = 0;
  for (int head = 0; head < in.heads; ++head) {
    const int keys = m.sparse ? static_cast<int>(in.chosen[static_cast<std::size_t>(head / group)].size()) : in.keys;
    if (head % group == 0) kv_rows += keys;
    for (int i = 0; i < in.rows; ++i) pairs += in.causal && !m.sparse ? std::min(keys, in.first + i + 1) : keys;
  }
  const bool fp32 = m.dtype == "fp32";
  m.operations = 4.0 * pairs * in.head_dim * m.batch;
  m.bytes = (fp32 ? 4.0 : 2.0) * m.batch * in.head_dim * (2.0 * kv_rows + 2.0 * in.heads * in.rows);
  const double by_bytes = m.bytes / facts.peak_bytes;
  const double by_operations = m.operations / (fp32 ? facts.peak_fp32 : facts.peak_fp16);
  m.roofline_seconds = std::max(by_bytes, by_operations);
  m.limit = by_bytes >= by_operations ? "bandwidth" : "arithmetic";
}

}  // namespace winnow::cuda_ref
