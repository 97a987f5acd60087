#pragma once
// What models/ still calls by its old names; goes when they take the plan (decisions.h).
#include "golden/policies/decisions.h"
#include "golden/policies/policy.h"

namespace winnow::golden {

inline int kept_values(const Policy& p, int live) { return kept_count(p.local_value, live); }
inline std::uint64_t decayed(const Policy& p, std::uint64_t importance) {
  return p.importance == ImportanceRule::decay ? importance - (importance >> p.decay_shift) : importance;
}

}  // namespace winnow::golden
