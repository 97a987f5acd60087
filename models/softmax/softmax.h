#pragma once
// Softmax pipeline, `width` values a cycle (`first_width` in a selection's first pass, if its exponentials are powers
// of two): dequantize, exponential, accumulate, divide, requantize.
//
// In:   Pipe<ScoreRow> from Q x K; Fifo<Verdict> from progressive (groups that may refetch); Fifo<CompactJob>.
// Out:  probabilities and selection scores in their memories; Pipe<RowSum> to progressive when a row's
//       denominator is known; Pipe<GroupDone> when the last live head of the group has its probabilities,
//       or, where all readers follow at `width` a cycle (GroupEntry::follow), when its first row's division
//       starts; each row may then be read from GroupEntry::readable on, a flag.
// Three stages, each at work on a row (one query head's scores) of its own:
//   gather  takes scores, up to the wider of the two widths, adds those of earlier digits, keeps the maximum; the row
//           waits in the row FIFO for it;
//   exp     2^(score - max), summed; the exponentials go to the store;
//   divide  one reciprocal a row, then p = e / sum; adds p to the group's selection scores.
// The reciprocals come from one divider, pipelined: a row every reciprocal_interval cycles, reciprocal_latency of them
// inside divide_latency. What earlier selections left out is rescaled to a row's maximum while its exponentials stream
// by, a row every rest_interval cycles. It joins the sum behind the accumulator, which waits for it: rest_latency
// cycles. Between two stages `rows` rows wait at most; a stage in front of a full ring stands. The rivals' rules: a
// score further below the row's largest than score_span gives an exponential of 0 (by bounds: than score_span and
// what the unread bits of K may change, a product of the query's size a row, and the selection score says whether there
// is one); a value under skip16 gets a weight
// of 0; the exponential of a merged token counts as often as the tokens that it stands for, a product in the sum and
// one in the division; a lazy row's weights are 16 bits of its exponentials, without a product, as soon as its
// reciprocal is there, which goes to P x V instead. A row of a greedy search is as long as its candidates, and its
// weights are added up by nobody. Rate: ceil(n / width) cycles a row and stage. Latency between the stages: dequantize;
// exp + accumulate + divide;
//       requantize to the done message.
// Compaction: after a selection the survivors' scores and places move to the front: `width` slots are read a cycle, in
//       the banks of the group's own live heads at once, and a word is written where `width` survivors have come
//       together (the last may be shorter); the exponentials left out are read beside them and join the rest. Four
//       query heads move at once, for that is how many banks a head in flight has. Where another group lies in the same
//       banks (a short sentence of a batch, taken whole) the compaction waits for its rows, and they for it.
// State: row FIFO level, the word in front of it, the row in each stage, `rows` rows between them, the stores.
// Waits for: qk (no scores), row FIFO (exp is behind), verdict (progressive has not decided).
// Arithmetic: golden/num.h. Paper: IV.F (parallelism 8, FIFO depth 128).
#include <array>
#include <stdexcept>
#include <vector>

#include "golden/num.h"
#include "golden/policies/decisions.h"
#include "golden/score_rule.h"
#include "models/links/compactions.h"
#include "models/links/groups_done.h"
#include "models/links/row_sums.h"
#include "models/links/score_rows.h"
#include "models/links/verdicts.h"
#include "models/memories/group_table.h"
#include "models/memories/head_constants.h"
#include "models/memories/score_memories.h"
#include "models/prim/block.h"
#include "models/softmax/params.h"

namespace winnow {

// The memories that softmax works in.
struct SoftmaxMemories {
  GroupTable& groups;
  const HeadConstants& constants;
  Scores& scores;
  Exponentials& exponentials;
  Probabilities& probabilities;
  SelectionScores& selection_scores;
  const KeptFlags& kept;
  Origins& origins;
};

class Softmax : public Block {
 public:
  struct Params {
    SoftmaxParams sizes;
    golden::Decisions decisions;
    bool shape_only = false;  // cycles without values
    int rows = 16;            // between two stages
    int halves = 2;           // heads in flight: parts of the score memories (ScoreBanks::half)
  };
  Softmax(const Params& params, SoftmaxMemories memories, Pipe<ScoreRow>& scores, Fifo<Verdict>& verdicts,
          Fifo<CompactJob>& compact, Pipe<RowSum>& sums, Pipe<GroupDone>& done, Fifo<CompactDone>& compacted);

  void tick(Cycle now) override;
  bool idle() const override;
  // The row FIFO; rows between the stages with their largest and sum; what is known of a row between passes.
  std::vector<StoredWords> registers() const override {
    return {{"row_fifo", static_cast<std::uint64_t>(params_.sizes.row_fifo), 32 * params_.sizes.width},
            {"rows", 2 * static_cast<std::uint64_t>(params_.rows), 107 + 4 + 17 + 32 + 33},
            {"passes", m_.groups.size() * static_cast<std::uint64_t>(m_.groups.rows()), 32 + 33 + 20}};
  }
  void report(StatSink& sink) const override;

  std::uint64_t exponentials() const { return exps_; }
  std::uint64_t divisions() const { return divisions_; }
  std::uint64_t compaction_cycles() const { return compaction_cycles_; }

  const Wait kQk = stats_.waits_for("qk", "qk"), kRowFifo = stats_.waits_for("row_fifo", "row fifo"),
             kVerdict = stats_.waits_for("progressive", "progressive");

 private:
  struct Row {
    Tag tag;
    std::uint16_t store = 0;
    int head = 0;
    std::uint32_t n = 0;
    bool last_row = false, needs_verdict = false;
    bool later = false;  // adds to a pass before
    std::int64_t top = 0, query_sum = 0, query_size = 0;
    std::uint64_t reciprocal = 0, denominator = 0;
    Cycle ready = 0;
  };
  // Rows between two stages.
  class Rows {
   public:
    explicit Rows(std::size_t depth) : ring_(depth) {}
    bool empty() const { return head_ == tail_; }
    bool full() const { return tail_ - head_ == ring_.size(); }
    Row& front() { return ring_[head_ % ring_.size()]; }
    void pop() { ++head_; }
    void push(const Row& r) {
      if (full()) throw std::logic_error("softmax: a row is pushed into a full ring");
      ring_[tail_++ % ring_.size()] = r;
    }

   private:
    std::vector<Row> ring_;
    std::size_t head_ = 0, tail_ = 0;
  };

  // What the pass makes of a row's scores.
  golden::ScoreRule rule_of(const Row& row) const {
    const GroupEntry& g = m_.groups[row.store];
    return golden::score_rule(d_, m_.constants.of(constants_of(row)).to_log2, g.pages, g.digit, g.last_pass,
                              row.query_sum, row.query_size, static_cast<int>(g.tokens));
  }
  // A first pass whose exponentials are powers of two.
  bool crude(const GroupEntry& g) const { return d_.first_pow2 && g.digit == 0 && !g.last_pass && !g.pages; }
  bool marks(const GroupEntry& g) const { return (d_.bounds || d_.anchors()) && !g.last_pass && !g.pages; }
  bool anchored(const GroupEntry& g) const { return d_.anchors() && !g.last_pass; }
  // Values a cycle. Only a first pass of powers of two, which needs shifters alone, is as wide as first_width.
  std::uint32_t width_of(const GroupEntry& g) const {
    return static_cast<std::uint32_t>(crude(g) ? params_.sizes.widest() : params_.sizes.width);
  }
  ConstantsRef constants_of(const Row& row) const {
    return static_cast<ConstantsRef>(m_.groups[row.store].constants + row.head);
  }
  bool fifo_full() const { return fifo_values_ >= params_.sizes.row_fifo * params_.sizes.width; }
  bool gather(Cycle now);
  bool exponentiate(Cycle now);
  bool divide(Cycle now);
  std::uint32_t weight_of(std::uint32_t e, std::uint32_t slot, const GroupEntry& g) const;
  void announce(Cycle now);
  void claim_sums(Cycle now);
  bool uses(int half) const;
  void compact(Cycle now, bool free);
  bool compact_word(Cycle now);
  bool move_word(Cycle now, int first_head, bool last_turn);
  void write_survivors(const GroupEntry& g, std::uint32_t from, std::uint32_t n, Cycle now, int first_head,
                       bool last_turn);
  int half_of(std::size_t store) const { return static_cast<int>(store % static_cast<std::size_t>(params_.halves)); }

  // What is known of a query head's row between the passes of its group.
  struct Head {
    std::int64_t top = 0;        // of the last pass
    std::uint64_t rest = 0;      // exponentials left out, at `top`
    std::int64_t query_sum = 0;  // of the last pass, for midpoint constants, option rest
  };
  Head& head(std::size_t store, int h) { return heads_[store * kMaxGroup + static_cast<std::size_t>(h)]; }

  Params params_;
  golden::Decisions d_;
  SoftmaxMemories m_;
  Pipe<ScoreRow>& scores_;
  Fifo<Verdict>& verdicts_;
  Fifo<CompactJob>& compact_jobs_;
  Pipe<RowSum>& sums_;
  Pipe<GroupDone>& done_;
  Fifo<CompactDone>& compacted_;

  int taken_ = 0;  // scores already taken of the row at the pipe's head
  Row gathering_;
  bool gathering_open_ = false;
  int fifo_values_ = 0;      // in the row FIFO; a row's last word counts whole
  std::vector<Head> heads_;  // [store][query head]
  Rows for_exp_, for_divide_;
  Row exp_row_, divide_row_;
  struct Leaving {
    Cycle at = 0;
    std::uint16_t store = 0;
    int head = 0;
  };
  std::vector<Leaving> dividing_;  // rows whose first probabilities are in the last stage
  bool exp_active_ = false, divide_active_ = false;
  std::uint32_t exp_next_ = 0, divide_next_ = 0;
  golden::ScoreRule exp_rule_;
  std::uint64_t exp_sum_ = 0;
  bool verdict_held_ = false;
  Verdict verdict_;
  Cycle rest_free_ = 0, rest_ready_ = 0;  // the multiplier takes a row; the row at hand is rescaled
  Cycle divider_free_ = 0;                // the next reciprocal may begin
  bool compacting_ = false;
  CompactJob compact_job_;
  std::uint32_t compact_from_ = 0, compact_to_ = 0;  // slots read, survivors moved
  bool compact_written_ = false;                     // the last word too
  int compact_turn_ = 0;                             // query heads of the word that have moved, four each
  static constexpr int kNoHalf = -1;
  int compacted_half_ = kNoHalf;  // where no row may begin: a compaction has its banks, or waits for them
  std::array<std::uint64_t, kMaxGroup> left_out_{};  // exponentials, of each head
  std::uint64_t exps_ = 0, divisions_ = 0, compaction_cycles_ = 0;
  std::uint64_t crude_exps_ = 0, crude_divisions_ = 0;  // of these, in crude passes
};

}  // namespace winnow
