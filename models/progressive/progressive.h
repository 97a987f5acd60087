#pragma once
// Progressive decision: do the MSBs suffice, or are K's LSBs fetched for all live tokens and the scores made anew?
//
// In:   Pipe<RowSum>: the denominator of each query head's first pass.
// Out:  Fifo<Verdict> to softmax and Fifo<Verdict> to the controller, one a group, when its last head's sum is there.
//       Any head of the group triggers.
// Rate: a row a cycle. Latency: 1 cycle. No divider: e_max * 65536 < theta16 * sum; of sigmoids the
// largest weight itself is compared.
// State: whether a head of the group at hand was flat.
// In a shape-only run the verdict comes from the workload file (`forced`).
// Paper: III.D and IV.F; docs/specification/numbers.md, "The flatness decision".
#include <cstdint>
#include <string>

#include "golden/policies/decisions.h"
#include "models/links/row_sums.h"
#include "models/links/verdicts.h"
#include "models/memories/group_table.h"
#include "models/prim/block.h"

namespace winnow {

class Progressive : public Block {
 public:
  Progressive(const golden::Decisions& decisions, const GroupTable& groups, Pipe<RowSum>& sums,
              Fifo<Verdict>& to_softmax, Fifo<Verdict>& to_controller)
      : Block("progressive", "progressive"),
        decisions_(decisions),
        groups_(groups),
        sums_(sums),
        to_softmax_(to_softmax),
        to_controller_(to_controller) {}

  void tick(Cycle now) override {
    if (!sums_.can_pop(now)) {
      stats_.idle();
      return;
    }
    const RowSum& row = sums_.peek();
    const GroupEntry& g = groups_[row.store];
    if (g.undecided) {
      if (row.last_row && !(to_softmax_.can_push(now) && to_controller_.can_push(now))) {
        stats_.wait(kSoftmax);
        return;
      }
      const bool flat = g.forced ? g.forced_refetch : decisions_.flat(row.denominator);
      any_flat_ = any_flat_ || flat;
      flat_rows_ += flat;
      if (row.last_row) {
        refetches_ += any_flat_;
        to_softmax_.push(now, {row.store, any_flat_});
        to_controller_.push(now, {row.store, any_flat_});
        any_flat_ = false;
      }
    }
    tag_ = row.tag, ++rows_;
    sums_.pop(now);
    stats_.busy();
  }

  bool idle() const override { return sums_.drained(); }
  std::string doing() const override {
    return rows_ ? "row " + std::to_string(rows_) + ", " + to_text(tag_) + ", query head " +
                       std::to_string(tag_.group) + " of its group, theta16 " + std::to_string(decisions_.theta16)
                 : "no row yet";
  }
  void settings(const VisitSetting& visit) override { visit("theta16", decisions_.theta16); }

  std::uint64_t flat_rows() const { return flat_rows_; }
  std::uint64_t refetches() const { return refetches_; }

  const Wait kSoftmax = stats_.waits_for("softmax", "softmax");

 private:
  golden::Decisions decisions_;
  const GroupTable& groups_;
  Pipe<RowSum>& sums_;
  Fifo<Verdict>&to_softmax_, &to_controller_;
  bool any_flat_ = false;
  Tag tag_;  // of the row taken last
  std::uint64_t rows_ = 0, flat_rows_ = 0, refetches_ = 0;
};

}  // namespace winnow
