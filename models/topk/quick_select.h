#pragma once
// Quick-select: finds the boundary value, that is the k-th largest item or the item at which the sum reaches the share.
//
// A pass reads one side P items a cycle; what is above the pivot goes to R, what is below to L, equals are counted.
// With a(bove) and e(qual) the counts (rule count) or the sums (rule mass), the items that are left hold
// #(> boundary) < target <= #(>= boundary), so after a pass
//   target <= a          the boundary is in R
//   a < target <= a + e  the pivot is the boundary, and the first equals up to target stay
//   a + e < target       the boundary is in L, target -= a + e
// Loading is a pass in which everything is above: it fills R, the samples and the sum of all items.
//
// One pass over n items takes ceil(n / P) + 3 cycles: rows; compare register; packing; decision. The decision picks the
// next pivot too. Mass: the target's product mu16 * S is formed from three 6-bit digits in the first cycles of the
// first pass; how many equals stay is 1, or else a division of ceil(log2(capacity)) cycles. State: sides L and R,
// pivot, target, counts and sums of the pass, LFSR. docs/specification/topk.md, "A pass".
#include "models/topk/lfsr.h"
#include "models/topk/side.h"
#include "models/topk/types.h"

namespace winnow::topk {

// A row after comparators and zero eliminators, with its sums.
struct Partitioned {
  bool valid = false;
  unsigned above = 0, below = 0, equal = 0;  // counts
  std::uint64_t sum_above = 0, sum_equal = 0;
  Row right{}, left{};
};

class QuickSelect {
 public:
  enum class Next : std::uint8_t { pass, divide, filter };

  explicit QuickSelect(const Config& config);

  void seed(std::uint64_t seed) { lfsr_.seed(seed); }
  void start(const Job& job);
  // Takes a row in; `loading` marks the rows of the load.
  void merge(const Partitioned& row, bool loading);
  // End of the load or of a pass: where to go on.
  Next decide(bool loading);
  // One bit of the quotient; true on the last.
  bool divide();
  // What steps beside the rows, before anything else in a cycle: product of the target, stride of the samples, and
  // (while rows of a load or pass are under way after the load's last) the LFSR.
  void tick(bool passing);

  Side& source() { return in_right_ ? right_ : left_; }
  const Side& source() const { return in_right_ ? right_ : left_; }
  const Side& left() const { return left_; }
  const Side& right() const { return right_; }
  bool in_right() const { return in_right_; }
  std::uint64_t pivot() const { return pivot_; }  // the boundary at the end
  std::uint64_t target() const { return target_; }
  unsigned items() const { return items_; }    // in the side that a pass reads
  unsigned above() const { return above_; }    // items known to lie above the boundary
  unsigned equals() const { return equals_; }  // how many equals stay, valid at the end
  unsigned equal_count() const { return equal_count_; }
  std::uint64_t sum_above() const { return sum_above_; }
  std::uint64_t sum_equal() const { return sum_equal_; }
  unsigned stride_log2() const { return stride_log2_; }
  std::uint16_t lfsr() const { return lfsr_.state(); }

 private:
  std::uint64_t next_pivot(const Side& side, std::uint64_t target) const;
  void go_on(bool in_right, std::uint64_t target);
  void clear_pass();

  Config config_;
  unsigned index_bits_, lanes_log2_;
  Side left_, right_;
  Lfsr lfsr_;
  bool mass_ = false;
  unsigned amount_ = 0;
  bool in_right_ = true;
  std::uint64_t pivot_ = 0, target_ = 0;
  unsigned items_ = 0, above_ = 0, equals_ = 0, stride_log2_ = 0;
  unsigned equal_count_ = 0;
  std::uint64_t sum_above_ = 0, sum_equal_ = 0;
  // Target of the mass rule: (mu16 * total + 65535) >> 16, a digit of mu16 a cycle.
  unsigned product_step_ = kProductDone;
  std::uint64_t total_ = 0;
  unsigned __int128 product_ = 0;
  // Division: remainder = target - sum above - 1, by the pivot.
  std::uint64_t remainder_ = 0;
  unsigned quotient_ = 0, divide_step_ = 0;

  static constexpr unsigned kProductDone = 3;
};

}  // namespace winnow::topk
