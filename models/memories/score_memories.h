#pragma once
// What lies of the groups in flight between softmax, top-k, importance and P x V. A *group* is one query position on
// one KV head with the query heads that share it. Slots are places in the list of live tokens; after a selection they
// are places in the list of survivors, and the origins give the place before.
//
//   memory            words a group      written by                            read by
//   scores            query heads x L    softmax (gather, compaction)          softmax
//   exponentials      query heads x L    softmax (exp; p overwrites in divide) softmax, P x V
//   selection scores  L                  softmax (divide)                      top-k, importance
//   kept flags        L                  top-k                                 softmax (compaction), P x V
//   origins           L                  softmax (compaction)                  softmax (compaction), importance, P x V
//
// Rate: softmax, importance and P x V use `width` slots a cycle, top-k P. Banks: one a group and query head.
// Paper: IV.F, the FIFOs around softmax; partial scores are kept for the second pass, which the paper leaves open.
#include <cstdint>
#include <numeric>

#include "golden/formats.h"
#include "models/prim/memory.h"
#include "models/prim/sizes.h"

namespace winnow {

// Partial scores in units of the full-width codes.
struct Scores : RowMemory<std::int32_t> {
  explicit Scores(const Sizes& s)
      : RowMemory({"scores", "scores", "softmax", "softmax"}, 32, s.stores, s.group, s.longest) {}
};
// Exponentials, 1.0 = 2^20; the last pass's probabilities overwrite them, 16 bits.
struct Exponentials : RowMemory<std::uint32_t> {
  explicit Exponentials(const Sizes& s)
      : RowMemory({"exponentials", "exponentials", "softmax", "softmax, pv"}, 21, s.stores, s.group, s.longest) {}
};
// Sum (or largest) of p over the group's live query heads.
struct SelectionScores : RowMemory<std::uint32_t> {
  explicit SelectionScores(const Sizes& s)
      : RowMemory({"selection_scores", "selection scores", "softmax", "topk, importance"},
                  golden::selection_score_bits(s.group), s.stores, 1, s.longest) {}
};
struct KeptFlags : RowMemory<std::uint8_t> {
  explicit KeptFlags(const Sizes& s)
      : RowMemory({"kept_flags", "kept flags", "topk", "softmax, pv"}, 1, s.stores, 1, s.longest) {}
};
// The slot at the first pass.
struct Origins : RowMemory<std::uint32_t> {
  explicit Origins(const Sizes& s)
      : RowMemory({"origins", "origins", "softmax", "softmax, importance, pv"}, 16, s.stores, 1, s.longest) {}
  // A group begins: until its first compaction every slot is its own origin, by a flag of the store; no word is
  // written.
  void begin(std::size_t store, std::uint32_t slots) { std::iota(poke(store), poke(store) + slots, 0u); }
};

}  // namespace winnow
