#pragma once
// The lists that the bracket engine holds: a memory of rows each, and what is known of the list's boundary.
//
// A list is used by one job from its header to its last index. In that time one stage at a time reads or writes its
// memory: one write and one read port are enough. RTL: rtl/topk/topk_list_memory.sv and topk_bracket_engine.sv.
#include <array>
#include <vector>

#include "models/topk/types.h"

namespace winnow::topk {

struct List {
  // free: no job. busy: a stage works on it. pass: waits for a pass of its window. found: waits for the filter.
  enum class State : std::uint8_t { free, busy, pass, found };

  State state = State::free;
  unsigned n = 0;
  bool mass = false;
  std::uint64_t target = 0;  // k; of a mass mu16, and from the scan on the sum that must be reached
  // While it is searched for, the boundary lies in least..limit - 1; the window that the next pass looks into begins at
  // `low` and has 32 bins of 2^shift values. Once found: items from `limit` on stay, and of those in low..limit - 1,
  // which are all equal, the first `equals` do.
  std::uint64_t low = 0, limit = 0, least = 0;
  unsigned shift = 0;
  unsigned equals = 0;
  unsigned kept = 0;  // in all
};

class ListTable {
 public:
  ListTable(unsigned lists, unsigned depth) : depth_(depth), lists_(lists), rows_(std::size_t{lists} * depth) {}

  unsigned size() const { return static_cast<unsigned>(lists_.size()); }
  List& operator[](unsigned i) { return lists_[i]; }
  const List& operator[](unsigned i) const { return lists_[i]; }
  unsigned after(unsigned i) const { return i + 1 == size() ? 0 : i + 1; }

  Row& row(unsigned list, unsigned at) { return rows_[std::size_t{list} * depth_ + at]; }
  const Row& row(unsigned list, unsigned at) const { return rows_[std::size_t{list} * depth_ + at]; }

 private:
  unsigned depth_;
  std::vector<List> lists_;
  std::vector<Row> rows_;
};

}  // namespace winnow::topk
