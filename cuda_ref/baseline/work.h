#pragma once
// What a run needs at the least, counted: operations, bytes of operands and result, and the time that follows.
#include <algorithm>

#include "cuda_ref/baseline/baseline.h"

namespace winnow::cuda_ref {

// Bytes that a run touches: queries, result, and the rows of K and V that it reads, each once.
inline double touched_bytes(const BaselineInput& in, double element, int batch, bool sparse) {
  double kv_rows = static_cast<double>(in.kv_heads) * in.keys;
  if (sparse) {
    kv_rows = 0;
    for (const auto& list : in.chosen) kv_rows += static_cast<double>(list.size());
  }
  return element * batch * in.head_dim * (2.0 * kv_rows + 2.0 * in.heads * in.rows);
}

// Fills operations, bytes, roofline_seconds and limit of a measurement whose dtype, batch and sparse are set.
inline void count_work(const BaselineInput& in, const GpuFacts& facts, Measured& m) {
  const int group = in.heads / in.kv_heads;
  double pairs = 0;
  for (int head = 0; head < in.heads; ++head) {
    const int keys = m.sparse ? static_cast<int>(in.chosen[static_cast<std::size_t>(head / group)].size()) : in.keys;
    for (int i = 0; i < in.rows; ++i) pairs += in.causal && !m.sparse ? std::min(keys, in.first + i + 1) : keys;
  }
  const bool fp32 = m.dtype == "fp32";
  m.operations = 4.0 * pairs * in.head_dim * m.batch;
  m.bytes = touched_bytes(in, fp32 ? 4 : 2, m.batch, m.sparse);
  const double by_bytes = m.bytes / facts.peak_bytes;
  const double by_operations = m.operations / (fp32 ? facts.peak_fp32 : facts.peak_fp16);
  m.roofline_seconds = std::max(by_bytes, by_operations);
  m.limit = by_bytes >= by_operations ? "bandwidth" : "arithmetic";
}

}  // namespace winnow::cuda_ref
