#pragma once
// FIFO of rows: the item store and the two FIFOs L and R. One row in and one row out a cycle; what is pushed in a cycle
// is at the head from the next on. RTL: rtl/topk/topk_row_fifo.sv, a one-read-one-write memory with the head row held
// in a register.
#include <cassert>
#include <vector>

#include "models/topk/types.h"

namespace winnow::topk {

class RowFifo {
 public:
  explicit RowFifo(unsigned depth) : rows_(depth) {}

  unsigned level() const { return level_; }
  const Row& head() const { return rows_[read_]; }

  void push(const Row& row, unsigned lanes) {
    assert(level_ < rows_.size());
    Row& to = rows_[(read_ + level_) & (rows_.size() - 1)];
    for (unsigned i = 0; i < lanes; ++i) to[i] = row[i];
    ++level_;
  }
  void pop() {
    assert(level_ > 0);
    read_ = (read_ + 1) & static_cast<unsigned>(rows_.size() - 1);
    --level_;
  }
  void clear() { read_ = level_ = 0; }

 private:
  std::vector<Row> rows_;
  unsigned read_ = 0, level_ = 0;
};

}  // namespace winnow::topk
