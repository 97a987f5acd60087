#pragma once
// Which tokens (or heads) stay: the rule of the top-k engine, untimed.
//
// in   values   unsigned integers (a score each; sums of all must fit 64 bits), index = place in the list
// out  kept     indices of what stays, ascending;  Selection: how much and where the cut lies
//
// Count: the k largest. Mass: the smallest set, from the largest value down, whose sum reaches
// target = (mu16 * S + 65535) >> 16 with S the sum of all values and mu16 = round(65536 * share), 1..65536.
// Ties, both rules: everything above the boundary value stays, then equals in index order until the count
// (or the sum) is reached. So the result never depends on how the boundary was searched for.
//   S = 0 (mass): the first value stays.   k >= n (count): all stay and the boundary is 0, since nothing is cut.
//
// The scalar functions compile for a device too; the two list functions are host only and are the reference that
// the engine (models/topk), its RTL and the CUDA kernels are held against.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "golden/formats.h"

namespace winnow::golden {

struct Selection {
  std::uint32_t kept = 0;      // how many stay
  std::uint32_t equals = 0;    // at most so many of those equal to the boundary stay, the first in index order
  std::uint64_t boundary = 0;  // the smallest value that may stay
  std::uint64_t kept_sum = 0;  // sum of what stays
  bool operator==(const Selection&) const = default;
};

// Sum that the mass rule must reach; never above `sum`. Split so that 17 x 64 bits do not overflow.
WINNOW_HD inline std::uint64_t mass_target(std::uint32_t mu16, std::uint64_t sum) {
  return mu16 * (sum >> 16) + ((mu16 * (sum & 0xffff) + 65535) >> 16);
}

// Whether a value stays, given how many equals of the boundary came before it in index order.
WINNOW_HD inline bool stays(std::uint64_t value, std::uint64_t boundary, std::uint32_t equals,
                            std::uint32_t equals_before) {
  return value > boundary || (value == boundary && equals_before < equals);
}

// Walks the list once with a known boundary: fills `kept` and completes the selection's kept and kept_sum.
template <class T>
void take(std::span<const T> values, Selection& s, std::vector<std::uint32_t>& kept) {
  kept.clear();
  s.kept = 0;
  s.kept_sum = 0;
  std::uint32_t equals_before = 0;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    const std::uint64_t v = values[i];
    if (stays(v, s.boundary, s.equals, equals_before)) {
      kept.push_back(i);
      ++s.kept;
      s.kept_sum += v;
    }
    equals_before += v == s.boundary;
  }
}

// The k largest of n >= 1 values, k >= 1.
template <class T>
Selection select_count(std::span<const T> values, std::uint32_t k, std::vector<std::uint32_t>& kept) {
  const auto n = static_cast<std::uint32_t>(values.size());
  Selection s;
  if (k >= n) {
    s.equals = n;
  } else {
    std::vector<T> order(values.begin(), values.end());
    std::nth_element(order.begin(), order.begin() + (k - 1), order.end(), std::greater<T>());
    s.boundary = order[k - 1];
    s.equals = k;
    for (T v : values) s.equals -= v > s.boundary;
  }
  take(values, s, kept);
  return s;
}

// The smallest set whose sum reaches the share mu16 / 65536 of the sum of n >= 1 values.
template <class T>
Selection select_mass(std::span<const T> values, std::uint32_t mu16, std::vector<std::uint32_t>& kept) {
  std::uint64_t sum = 0;
  for (T v : values) sum += v;
  Selection s;
  s.equals = 1;
  if (const std::uint64_t target = mass_target(mu16, sum); target != 0) {
    std::vector<T> order(values.begin(), values.end());
    std::sort(order.begin(), order.end(), std::greater<T>());
    std::uint64_t reached = 0;
    for (T v : order) {
      s.equals = v == s.boundary && reached != 0 ? s.equals + 1 : 1;
      s.boundary = v;
      reached += v;
      if (reached >= target) break;
    }
  }
  take(values, s, kept);
  return s;
}

}  // namespace winnow::golden
