#pragma once
// Registers of the groups in flight, one entry a store: what a group is, for the blocks that work on it.
//
// Written by the controller when a group starts and when its pass changes, but: `slots` also by softmax's compaction,
// `readable` by softmax's division, and `head_weight` by Q x K, which holds the query that it came with. Read by
// controller, softmax, progressive, importance, P x V. Paper: the control state of the pipeline; open there.
#include <array>
#include <cstdint>
#include <vector>

#include "golden/num.h"
#include "models/prim/fifo.h"
#include "models/prim/limits.h"
#include "models/prim/memory.h"
#include "models/prim/refs.h"
#include "models/prim/sizes.h"
#include "models/prim/tag.h"

namespace winnow {

// A register of one bit: what is raised in a cycle is up from the next one on, whoever looks first.
class Flag {
 public:
  void raise(Cycle now) { up_ = true, raised_ = now; }
  void lower() { up_ = false; }
  bool up(Cycle now) const { return up_ && raised_ != now; }

 private:
  bool up_ = false;
  Cycle raised_ = 0;
};

struct GroupEntry {
  Tag tag;
  int half = 0;                                 // of the K, V and scale buffers
  std::uint32_t heads = 0;                      // live query heads, a bit each
  std::uint32_t slots = 0;                      // slots now
  std::uint32_t keys = 0;                       // slots before any selection
  int digit = 0;                                // of the pass under way
  bool last_pass = true;                        // probabilities are kept, the rest joins the denominator
  bool follow = false;                          // readers at `width` a cycle may follow each row's division
  std::uint32_t merged = 0;                     // tokens that the last slot stands for; 0: one
  bool pages = false;                           // its slots are pages, of which some will be read
  std::uint32_t tokens = 0;                     // of the sentence so far: a sigmoid's bias follows from it
  bool undecided = false;                       // progressive decides on this pass before anything is divided
  bool forced = false, forced_refetch = false;  // shape-only: the verdict stands in the workload file
  ConstantsRef constants = 0;
  // Of each row: the probability of a token that was left out, 2^32 = 1; of a lazy row one over its sum (inverse_of).
  std::array<std::uint64_t, kMaxGroup> mean{};
  std::array<std::uint16_t, kMaxGroup> head_weight{};  // of each row's output, where the policy weighs heads
  std::array<Flag, kMaxGroup> readable;  // a row's probabilities come at `width` a cycle and may be followed

  bool is_first_row(int head) const { return (heads & ((1u << head) - 1)) == 0; }
  bool is_last_row(int head) const { return (std::uint64_t{heads} >> (head + 1)) == 0; }
};

// A scale of 16 bits and a shift of 0..63 in the place of a mean.
constexpr std::uint64_t packed(golden::Scale s) { return s.mantissa | static_cast<std::uint64_t>(s.shift) << 16; }
constexpr golden::Scale inverse_of(std::uint64_t mean) {
  return {static_cast<std::uint32_t>(mean & 0xffff), static_cast<int>(mean >> 16)};
}

class GroupTable : public MemoryBase {
 public:
  explicit GroupTable(const Sizes& s)
      : MemoryBase({"group_table", "group table", "controller, qk, softmax",
                    "controller, softmax, progressive, importance, pv"}),
        group_(s.group),
        registers_(s.group_registers),
        entries_(static_cast<std::size_t>(s.stores)) {}

  std::size_t size() const { return entries_.size(); }
  int rows() const { return group_; }  // query heads of an entry
  GroupEntry& operator[](std::size_t store) { return entries_[store]; }
  const GroupEntry& operator[](std::size_t store) const { return entries_[store]; }

  // half 3, heads G, slots and keys 17, means G x 32, digit 2, five flags, constants 12, a flag a row; beside them what
  // the policy asks for: a flag of a page stage, where an anchor's newest tokens begin, a sigmoid's bias, how many
  // tokens are merged, the weights of its heads.
  MemoryShape shape() const override {
    return {entries_.size(), 3 + group_ + 17 + 17 + 32 * group_ + 2 + 5 + registers_ + 12 + group_, 1, 5, 2};
  }
  void report(StatSink&) const override {}

 private:
  int group_, registers_;
  std::vector<GroupEntry> entries_;
};

}  // namespace winnow
