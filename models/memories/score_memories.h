#pragma once
// What lies of the groups in flight between softmax, top-k, importance and P x V. A *group* is one query position on
// one KV head with the query heads that share it. Slots are places in the list of live tokens; after a selection they
// are places in the list of survivors, and the origins give the place before.
//
//   memory            words a group      written by                            read by
//   scores            query heads x L    softmax (gather, compaction)          softmax
//   exponentials      query heads x L    softmax (exp)                         softmax (divide, compaction)
//   probabilities     query heads x L    softmax (divide)                      P x V
//   selection scores  L                  softmax (divide)                      top-k, importance
//   kept flags        L                  top-k                                 softmax (compaction), P x V
//   origins           L                  softmax (compaction)                  softmax (compaction), importance, P x V
//
// Rate: softmax, importance and P x V use `width` slots a cycle, top-k topk.load_width.
// Banks: as many as the machine has, whatever the trace (ScoreBanks); each has one write and one read port. A second
// access of a port in a cycle throws std::logic_error; where two could meet, one waits:
//   - scores, exponentials, probabilities: four banks a head in flight. Softmax moves one row a stage and cycle; only a
//     compaction moves all rows of a group, four query heads a cycle, and other groups of the same banks wait for it.
//   - selection scores, origins: eight areas a head in flight, of which a group has some of its own. An area of
//   selection
//     scores is two banks at least, words in turn; importance waits for a bank that softmax or the top-k unit will read
//     (SelectionScores::claim); one cycle puts it out of step with a division that it follows. Origins have two read
//     ports, one of them importance's.
//   - kept flags are registers: all of a group's are cleared at once, at most P are set a cycle, and any are read.
// Paper: IV.F, the FIFOs around softmax; partial scores are kept for the second pass, which the paper leaves open.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "golden/formats.h"
#include "models/memories/score_banks.h"
#include "models/prim/memory.h"
#include "models/prim/sizes.h"

namespace winnow {

// Partial scores in units of the full-width codes.
struct Scores : RowMemory<std::int32_t> {
  explicit Scores(const Sizes& s)
      : RowMemory({"scores", "scores", "softmax", "softmax"}, 32, s.stores, s.group, s.longest, ScoreBanks(s).rows()) {}
};
// Exponentials, 1.0 = 2^20.
struct Exponentials : RowMemory<std::uint32_t> {
  explicit Exponentials(const Sizes& s)
      : RowMemory({"exponentials", "exponentials", "softmax", "softmax"}, 21, s.stores, s.group, s.longest,
                  ScoreBanks(s).rows()) {}
};
// Of the last pass.
struct Probabilities : RowMemory<std::uint16_t> {
  explicit Probabilities(const Sizes& s)
      : RowMemory({"probabilities", "probabilities", "softmax", "pv"}, 16, s.stores, s.group, s.longest,
                  ScoreBanks(s).rows()) {}
};
// Sum (or largest) of p over the group's live query heads.
struct SelectionScores : RowMemory<std::uint32_t> {
  explicit SelectionScores(const Sizes& s)
      : RowMemory({"selection_scores", "selection scores", "softmax", "topk, importance"},
                  golden::selection_score_bits(s.group), s.stores, 1, s.longest, ScoreBanks(s).slots(parts(s))),
        slots_a_word_(static_cast<std::uint32_t>(s.score_width)),
        parts_(static_cast<std::uint32_t>(parts(s))),
        claims_(static_cast<std::size_t>(s.stores)) {}

  // What a reader claims.
  struct Claimed {
    std::uint16_t store = 0;
    std::uint32_t from = 0, n = 0;
    template <class V>
    void fields(V&& v) {
      v("store", store, 4), v("from", from, 17), v("n", n, 7);
    }
  };
  Heard<Claimed> claims;

  // In cycle `at` softmax or the top-k unit reads n slots from `from` on, and says so before: importance waits.
  void claim(std::size_t store, std::uint32_t from, std::uint32_t n, Cycle at) const {
    Claim& c = claims_[store].at[at & 1];
    if (c.cycle != at) c = {at, 0};
    c.parts |= parts_of(from, n);
    claims({static_cast<std::uint16_t>(store), from, n});
  }
  bool claimed(std::size_t store, std::uint32_t from, std::uint32_t n, Cycle now) const {
    const Claim& c = claims_[store].at[now & 1];
    return c.cycle == now && (c.parts & parts_of(from, n));
  }

 private:
  struct Claim {  // in a cycle
    Cycle cycle = ~Cycle{0};
    std::uint64_t parts = 0;
  };
  struct Claims {
    Claim at[2];
  };
  // Two at least, so that a reader which follows a division finds the other free.
  static int parts(const Sizes& s) {
    return s.selection_read > 2 * s.score_width ? s.selection_read / s.score_width : 2;
  }
  std::uint64_t parts_of(std::uint32_t from, std::uint32_t n) const {
    std::uint64_t mask = 0;
    if (n == 0) return mask;
    for (std::uint32_t word = from / slots_a_word_; word <= (from + n - 1) / slots_a_word_; ++word)
      mask |= std::uint64_t{1} << word % parts_;
    return mask;
  }
  std::uint32_t slots_a_word_, parts_;
  mutable std::vector<Claims> claims_;
};
struct KeptFlags : RowMemory<std::uint8_t> {
  explicit KeptFlags(const Sizes& s)
      : RowMemory({"kept_flags", "kept flags", "topk", "softmax, pv"}, 1, s.stores, 1, s.longest,
                  ScoreBanks(s).slots(1)) {}
  // What goes through the write port.
  struct Set {
    std::uint16_t store = 0;
    std::uint32_t slot = 0;
    template <class V>
    void fields(V&& v) {
      v("store", store, 4), v("slot", slot, 17);
    }
  };
  struct Clear {
    std::uint16_t store = 0;
    template <class V>
    void fields(V&& v) {
      v("store", store, 4);
    }
  };
  Heard<Set> sets;
  Heard<Clear> clears;

  void set(std::size_t store, std::uint32_t slot) {
    *write(store, 0, slot, 1) = 1;
    sets({static_cast<std::uint16_t>(store), slot});
  }
  // All of a group's, in one cycle.
  void clear(std::size_t store) {
    std::fill_n(poke(store), slots(), std::uint8_t{0});
    clears({static_cast<std::uint16_t>(store)});
  }
};
// The slot at the first pass.
struct Origins : RowMemory<std::uint32_t> {
  explicit Origins(const Sizes& s)
      : RowMemory({"origins", "origins", "softmax", "importance, pv"}, 16, s.stores, 1, s.longest,
                  ScoreBanks(s).slots(1), 2) {}
  // A group begins: until its first compaction every slot is its own origin, by a flag of the store; no word is
  // written.
  void begin(std::size_t store, std::uint32_t slots) { std::iota(poke(store), poke(store) + slots, 0u); }
};

}  // namespace winnow
