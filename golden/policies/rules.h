#pragma once
// The rules of a policy as arithmetic, shared by golden and by the machine's controller: how many are kept, who is
// protected. Sources: paper, V.A (schedule), and docs/specification/algorithm.md for what the paper leaves open.
#include <cmath>
#include <cstdint>

#include "golden/policies/policy.h"

namespace winnow::golden {

// max(1, floor(keep * n)); the small term makes 0.29 * 100 = 29, not 28.
inline int kept_count(double keep, int n) {
  const int k = static_cast<int>(std::floor(keep * n + 1e-9));
  return k < 1 ? 1 : k > n ? n : k;
}

// Survivors of a selection stage by count: ceil(keep * n), at least 1.
inline int selected_count(double keep, int n) {
  const int k = static_cast<int>(std::ceil(keep * n - 1e-9));
  return k < 1 ? 1 : k > n ? n : k;
}

// Kept share in `layer`: 1 in the first ceil(free * layers), then linear from start to end.
inline double kept_share(const KeepSchedule& s, double free, int layer, int layers) {
  const int first = static_cast<int>(std::ceil(free * layers - 1e-9));
  if (layer < first) return 1;
  const int steps = layers - 1 - first;
  return steps <= 0 ? s.start : s.start + (s.end - s.start) * (layer - first) / steps;
}

inline constexpr double kTokenFreeLayers = 0.15, kHeadFreeLayers = 0.30;

// Tokens no selection of the cascade drops, of n tokens so far. An encoder has no newest token.
inline bool is_protected(const Policy& p, int token, int n, bool causal) {
  return token < p.protect_first || (causal && token >= n - p.protect_newest);
}
inline int protected_tokens(const Policy& p, int n, bool causal) {
  const int both = p.protect_first + (causal ? p.protect_newest : 0);
  return both < n ? both : n;
}

// Live tokens in `layer` of a step that has seen n tokens: what the schedule says, and never fewer than are protected.
inline int kept_tokens(const Policy& p, int layer, int layers, int n, bool causal) {
  const int k = kept_count(kept_share(p.tokens, kTokenFreeLayers, layer, layers), n);
  const int least = protected_tokens(p, n, causal);
  return k < least ? least : k;
}
// Live query heads in `layer`, of `heads`.
inline int kept_heads(const Policy& p, int layer, int layers, int heads) {
  return kept_count(kept_share(p.heads, kHeadFreeLayers, layer, layers), heads);
}
inline int kept_values(const Policy& p, int live) { return kept_count(p.local_value, live); }

// Ranking item of a protected token: above every importance (48 bits).
inline constexpr std::uint64_t kProtectedItem = (std::uint64_t{1} << 48) - 1;
inline constexpr int kImportanceBits = 48;

// What the cascade's top-k engine compares. `chances` counts the query rows in which the token was live and visible
// (used by `normalised`).
inline std::uint64_t ranking_item(const Policy& p, int token, int n, bool causal, std::uint64_t importance,
                                  std::uint64_t chances) {
  if (is_protected(p, token, n, causal)) return kProtectedItem;
  std::uint64_t item = importance;
  if (p.importance == ImportanceRule::normalised) item = chances ? (importance << 8) / chances : 0;
  return item < kProtectedItem ? item : kProtectedItem - 1;
}

// Taken from every importance when a generation step begins.
inline std::uint64_t decayed(const Policy& p, std::uint64_t importance) {
  return p.importance == ImportanceRule::decay ? importance - (importance >> p.decay_shift) : importance;
}

}  // namespace winnow::golden
