#pragma once
// How many sets of buffers a measurement rotates through, so that each run finds L2 cold, and how they go into graphs.
// sdpa.py has the same rule.
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace winnow::cuda_ref {

constexpr double kMostOperands = 2.0 * (1u << 30);  // bytes of all sets
constexpr int kMostSets = 1 << 16;
constexpr int kMostLaunches = 256;  // a graph

struct Rotation {
  int sets = 2;      // graphs x launches
  int graphs = 1;    // one is a sample, and the next sample takes the next
  int launches = 2;  // runs in a graph, each on a set of its own
  // Between two runs on a set the others touch more than twice L2. False where the bounds above do not allow that: then
  // nothing may be called cold.
  bool cold = true;
};

// `touched`: bytes that a run reads and writes at the least (work.h); `stored`: bytes of a set's buffers, more than
// that where only chosen tokens' rows are read.
inline Rotation rotation(double touched, double stored, std::uint64_t l2_bytes) {
  const double l2 = static_cast<double>(l2_bytes);
  const double wanted = std::floor(2 * l2 / touched) + 2;
  const double most = std::min<double>(kMostSets, std::floor(kMostOperands / stored));
  Rotation r;
  r.sets = static_cast<int>(std::max(2.0, std::min(wanted, most)));
  // Graphs of one size, so that samples are alike.
  r.graphs = (r.sets + kMostLaunches - 1) / kMostLaunches;
  r.launches = (r.sets + r.graphs - 1) / r.graphs;
  r.sets = r.graphs * r.launches;
  r.cold = (r.sets - 1) * touched > 2 * l2;
  return r;
}

// What `sets` runs touch, over L2: above 2 with L2 cold; warm is only what is well below 1.
inline double of_l2(double touched, int sets, std::uint64_t l2_bytes) {
  return l2_bytes ? touched * sets / static_cast<double>(l2_bytes) : 0;
}

}  // namespace winnow::cuda_ref
