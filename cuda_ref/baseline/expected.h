#pragma once
// What a kernel should give for operands rounded to its type: float64 attention on the host, at rows spread over each
// head (all of them where they are few), so that checking a long prompt costs little.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda_ref/baseline/baseline.h"

namespace winnow::cuda_ref {

struct Expected {
  std::vector<int> rows;       // which rows of each head
  std::vector<double> values;  // [heads][rows.size()][D]
  double largest = 0;          // largest magnitude of `values`
  double largest_score = 0;    // of the scaled scores
};

// `sparse`: over the chosen tokens only. Rounding is a function float -> float.
template <class Rounded>
Expected expected_output(const BaselineInput& in, bool sparse, Rounded rounded, int most_rows = 64) {
  const auto D = static_cast<std::size_t>(in.head_dim), keys = static_cast<std::size_t>(in.keys);
  const auto heads = static_cast<std::size_t>(in.heads), group = heads / static_cast<std::size_t>(in.kv_heads);
  Expected e;
  const int n = std::min(in.rows, most_rows);
  for (int i = 0; i < n; ++i)
    e.rows.push_back(n == 1 ? in.rows - 1 : static_cast<int>(static_cast<long>(in.rows - 1) * i / (n - 1)));
  e.values.assign(heads * e.rows.size() * D, 0);
  std::vector<double> q(D), scores;
  std::vector<std::size_t> tokens;
  for (std::size_t head = 0; head < heads; ++head)
    for (std::size_t r = 0; r < e.rows.size(); ++r) {
      const auto row = static_cast<std::size_t>(e.rows[r]);
      tokens.clear(), scores.clear();
      if (sparse)
        tokens.assign(in.chosen[head / group].begin(), in.chosen[head / group].end());
      else
        for (std::size_t t = 0; t < keys && (!in.causal || t <= static_cast<std::size_t>(in.first) + row); ++t)
          tokens.push_back(t);
      for (std::size_t d = 0; d < D; ++d)
        q[d] = rounded(in.q[(head * static_cast<std::size_t>(in.rows) + row) * D + d]);
      double top = -1e300, sum = 0;
      for (const std::size_t t : tokens) {
        double x = 0;
        for (std::size_t d = 0; d < D; ++d) x += q[d] * rounded(in.k[(head / group * keys + t) * D + d]);
        scores.push_back(x * in.scale);
        top = std::max(top, scores.back());
        e.largest_score = std::max(e.largest_score, std::fabs(scores.back()));
      }
      for (double& x : scores) sum += x = std::exp(x - top);
      double* out = &e.values[(head * e.rows.size() + r) * D];
      for (std::size_t j = 0; j < tokens.size(); ++j)
        for (std::size_t d = 0; d < D; ++d)
          out[d] += scores[j] / sum * rounded(in.v[(head / group * keys + tokens[j]) * D + d]);
      for (std::size_t d = 0; d < D; ++d) e.largest = std::max(e.largest, std::fabs(out[d]));
    }
  return e;
}

// Largest error of `got`, [batch][heads][in.rows][D], over the largest expected value; a NaN counts as 1e9.
inline double largest_error(const BaselineInput& in, const Expected& e, const std::vector<float>& got, int batch,
                            std::uint64_t& compared) {
  const auto D = static_cast<std::size_t>(in.head_dim), rows = static_cast<std::size_t>(in.rows);
  const auto heads = static_cast<std::size_t>(in.heads);
  double worst = 0;
  for (std::size_t b = 0; b < static_cast<std::size_t>(batch); ++b)
    for (std::size_t head = 0; head < heads; ++head)
      for (std::size_t r = 0; r < e.rows.size(); ++r)
        for (std::size_t d = 0; d < D; ++d) {
          const double x = got[((b * heads + head) * rows + static_cast<std::size_t>(e.rows[r])) * D + d];
          const double error = std::fabs(x - e.values[(head * e.rows.size() + r) * D + d]) / e.largest;
          worst = std::max(worst, std::isfinite(error) ? error : 1e9);
          ++compared;
        }
  return worst;
}

// What rounding alone may do to a correct kernel's output, over the largest expected value. Scores kept in FP16, as the
// unfused kernel does, lose more the larger they are.
inline double tolerance(const std::string& dtype, bool scores_kept, double largest_score) {
  const double base = dtype == "fp32" ? 1e-4 : dtype == "fp16" ? 5e-3 : 3e-2;
  return base + (scores_kept && dtype == "fp16" ? largest_score * 0x1p-10 : 0);
}

}  // namespace winnow::cuda_ref
