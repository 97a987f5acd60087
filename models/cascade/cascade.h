#pragma once
// Cascade: makes the items that the cascade's top-k unit compares, of importances of the tokens or heads that live.
//
// In:   Fifo<CascadeChoice> from the controller; the list of the living; the importance memory.
// Out:  Fifo<TopkJob> to the cascade's top-k unit, which loads items as they are written; ranking items.
// Rate: `width` tokens or heads a cycle, in order, as far as they lie in different banks of the importance memory
//       (bank = token mod width): two of one bank take two cycles. Rule `normalised` divides: one quotient a cycle.
// Latency: an item can be loaded in the cycle after it is written; a quotient kDivideLatency later. A block's sum
// leaves
//       a tree of adders over a row, a level a cycle; where a block is wider than a row, its rows are added up behind
//       the tree, and the first item waits for the last row. The rate stays: a block's items are written while the next
//       one's rows are read.
// State: the job at hand and how far it is.
// Chances of tokens (`normalised`) are counted here too, `width` words a cycle, when a layer begins.
// Waits for: importance (the sweep of decay), cascade topk (its unit takes no job).
// Paper: III.A, III.B, IV.A; who makes the items is open there: docs/specification/time.md.
#include <cstdint>

#include "models/links/cascade_choices.h"
#include "models/memories/importance_memory.h"
#include "models/memories/lists.h"
#include "models/memories/ranking_items.h"
#include "models/prim/block.h"

namespace winnow {

struct CascadeMemories {
  const Lists& lists;
  ImportanceMemory& importance;
  RankingItems& ranking_items;
};

class Cascade : public Block {
 public:
  // A quotient of 56 by 32 bits, a bit a stage.
  static constexpr Cycle kDivideLatency = 56;

  // `width`: tokens a cycle, and banks of the importance memory; a power of two up to 64.
  Cascade(int width, CascadeMemories memories, Fifo<CascadeChoice>& choices, Fifo<TopkJob>& jobs)
      : Block("cascade", "cascade"), width_(width), m_(memories), choices_(choices), jobs_(jobs) {}

  void tick(Cycle now) override;
  bool idle() const override { return !active_ && choices_.drained(); }
  void report(StatSink& sink) const override {
    sink.count("items", "items", items_);
    sink.cycles("bank_stalls", "bank stalls", bank_stalls_);
  }

  const Wait kTopk = stats_.waits_for("cascade_topk", "cascade topk"),
             kImportance = stats_.waits_for("importance", "importance");

 private:
  std::uint32_t name(std::uint32_t place) const;
  bool take(std::uint32_t token, std::uint64_t& banks) const;
  void choose(Cycle now, std::uint32_t token);
  std::uint64_t earned_by_block(std::uint32_t token);
  Cycle block_latency() const;

  int width_;
  CascadeMemories m_;
  Fifo<CascadeChoice>& choices_;
  Fifo<TopkJob>& jobs_;
  CascadeChoice choice_;
  bool active_ = false;
  std::uint32_t next_ = 0;
  std::uint64_t block_sum_ = 0;
  std::uint64_t items_ = 0, bank_stalls_ = 0;
};

}  // namespace winnow
