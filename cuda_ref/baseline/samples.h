#pragma once
// What a thousand runs come to: the fastest and slowest 15 % dropped, mean of the rest, and the median of all.
#include <algorithm>
#include <vector>

namespace winnow::cuda_ref {

struct Summary {
  double median = 0, trimmed_mean = 0, least = 0, most = 0;
};

inline Summary summarize(std::vector<double> samples) {
  Summary s;
  if (samples.empty()) return s;
  std::sort(samples.begin(), samples.end());
  const std::size_t n = samples.size(), drop = n * 15 / 100;
  double sum = 0;
  for (std::size_t i = drop; i < n - drop; ++i) sum += samples[i];
  s.trimmed_mean = sum / static_cast<double>(n - 2 * drop);
  s.median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
  s.least = samples.front(), s.most = samples.back();
  return s;
}

}  // namespace winnow::cuda_ref
