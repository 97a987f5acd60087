#pragma once
// Stores of the groups in flight: partial scores and exponentials (probabilities overwrite them), G x L each, and
// selection scores, L. A *group* is one query position on one KV head with the query heads that share it.
//
// Ports a group: softmax writes scores and exponentials of one query head, `width` slots a cycle; the top-k engine
// loads selection scores P a cycle; importance and P x V read `width` a cycle. Slots are places in the list of live
// tokens; after a selection they are places in the list of survivors, and `origin` gives the place before.
#include <array>
#include <cstdint>
#include <vector>

#include "golden/formats.h"
#include "golden/num.h"
#include "models/payload.h"
#include "models/prim/fifo.h"

namespace winnow {

using golden::kMaxGroup;

inline constexpr Cycle kNotYet = ~Cycle{0};

struct GroupStore {
  Tag tag;
  bool busy = false;
  int half = 0;                                 // of the K, V and scale buffers
  std::uint32_t heads = 0;                      // live query heads, a bit each
  std::uint32_t keys = 0;                       // slots at the first pass
  std::uint32_t slots = 0;                      // slots now
  int digit = 0;                                // of the pass under way
  bool last_pass = true;                        // probabilities overwrite exponentials, the rest joins the denominator
  bool follow = false;                          // readers at `width` a cycle may follow each row's division
  std::array<Cycle, kMaxGroup> readable{};      // cycle from which a row may be followed; kNotYet before its division
  bool undecided = false;                       // progressive decides on this pass before anything is divided
  bool forced = false, forced_refetch = false;  // shape-only: the verdict stands in the workload file
  const golden::Scale* to_log2 = nullptr;       // [group]

  std::vector<std::int32_t> score;    // [group][capacity], full-width code units
  std::vector<std::uint32_t> e;       // [group][capacity], exponentials, then probabilities
  std::vector<std::uint32_t> sums;    // [capacity] selection scores: sum (or largest) of p over the live heads
  std::vector<std::uint32_t> origin;  // [capacity] slot at the first pass
  std::vector<std::uint8_t> kept;     // [capacity] what the top-k engine kept
  std::uint32_t kept_count = 0;

  std::array<std::int64_t, kMaxGroup> top{};  // of the last pass
  std::array<std::uint64_t, kMaxGroup> denominator{};
  std::array<std::uint64_t, kMaxGroup> rest{};      // exponentials left out, at `top`
  std::array<std::int64_t, kMaxGroup> query_sum{};  // for midpoint constants, option rest
  std::uint32_t capacity = 0;

  void resize(int group, std::uint32_t capacity_slots) {
    capacity = capacity_slots;
    const auto n = static_cast<std::size_t>(group) * capacity;
    score.resize(n), e.resize(n);
    sums.resize(capacity), origin.resize(capacity), kept.resize(capacity);
  }
  std::int32_t* scores(int g) { return &score[static_cast<std::size_t>(g) * capacity]; }
  std::uint32_t* exps(int g) { return &e[static_cast<std::size_t>(g) * capacity]; }
  const std::uint32_t* exps(int g) const { return &e[static_cast<std::size_t>(g) * capacity]; }
};

}  // namespace winnow
