#pragma once
// Samples of one side of a pass, each with its rank, so that the next pass can start near its target.
//
// in   the compacted rows of a side as they leave the zero eliminator, every 2^stride-th item, at most kRate a row
// out  the sample at a given rank (0 = largest)
// Each sample keeps its rank in a counter: a new sample is compared with all that are there (kSamples x kRate
// comparators) and with those beside it, and raises the ranks of the smaller ones. One row a cycle, usable a cycle
// later. The stride is chosen from the number of items that the pass reads, so that samples never overflow.
#include <array>
#include <cassert>
#include <cstdint>

#include "models/topk/types.h"

namespace winnow::topk {

class Sampler {
 public:
  static constexpr unsigned kSamples = 32;
  static constexpr unsigned kRate = 4;

  // log2 of the stride for a pass over `items`: at most kRate samples a row, at most kSamples a pass.
  static unsigned stride_log2(unsigned items, unsigned lanes) {
    unsigned s = 0;
    while ((std::uint64_t{kRate} << s) < lanes || (std::uint64_t{kSamples} << s) < items) ++s;
    return s;
  }

  unsigned count() const { return count_; }
  void clear() { count_ = 0; }

  // `before`: items of this side in earlier rows.
  void take(const Row& row, unsigned count, unsigned before, unsigned stride_log2) {
    const unsigned stride = 1u << stride_log2;
    std::array<std::uint64_t, kRate> fresh;
    unsigned m = 0;
    for (unsigned lane = (0 - before) & (stride - 1); lane < count && m < kRate; lane += stride) fresh[m++] = row[lane];
    if (m == 0) return;
    assert(count_ + m <= kSamples);
    std::array<unsigned, kRate> rank{};
    for (unsigned j = 0; j < m; ++j) {
      for (unsigned i = 0; i < count_; ++i) {
        const bool above = fresh[j] > value_[i];
        rank_[i] += above;
        rank[j] += !above;
      }
      for (unsigned i = 0; i < m; ++i) rank[j] += i < j ? fresh[i] >= fresh[j] : fresh[i] > fresh[j];
    }
    for (unsigned j = 0; j < m; ++j) {
      value_[count_] = fresh[j];
      rank_[count_++] = rank[j];
    }
  }

  // The sample of that rank, or the last one.
  std::uint64_t at_rank(unsigned rank) const {
    const unsigned wanted = rank < count_ ? rank : count_ - 1;
    std::uint64_t v = 0;
    for (unsigned i = 0; i < count_; ++i) v |= rank_[i] == wanted ? value_[i] : 0;
    return v;
  }

 private:
  std::array<std::uint64_t, kSamples> value_{};
  std::array<std::uint32_t, kSamples> rank_{};
  unsigned count_ = 0;
};

}  // namespace winnow::topk
