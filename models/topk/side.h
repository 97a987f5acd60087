#pragma once
// One side of a pass, L (below the pivot) or R (above): packing register, FIFO of rows, samples.
//
// in   compacted rows of 0..P items, one a cycle      out  full rows in the FIFO, the rest in the packing register
// The packing register makes rows full: it holds what is left of earlier rows, an incoming row is rotated behind that,
// and a row is pushed when P items are together. `flush` writes the rest as the side's last row.
#include "models/topk/row_fifo.h"
#include "models/topk/sampler.h"
#include "models/topk/types.h"

namespace winnow::topk {

class Side {
 public:
  Side(unsigned lanes, unsigned depth) : lanes_(lanes), fifo_(depth) {}

  unsigned items() const { return items_; }
  unsigned pack_count() const { return pack_count_; }
  const RowFifo& fifo() const { return fifo_; }
  const Sampler& sampler() const { return sampler_; }

  // Rows that the side will be read in, and valid lanes of the last of them.
  unsigned rows() const { return fifo_.level() + (pack_count_ != 0); }
  unsigned tail() const { return pack_count_ ? pack_count_ : lanes_; }
  // The row that a pass would read first, flushed or not, and its valid lanes.
  const Row& first_row() const { return fifo_.level() ? fifo_.head() : pack_; }
  unsigned first_count() const { return fifo_.level() ? lanes_ : pack_count_; }

  void pop() { fifo_.pop(); }

  void merge(const Row& row, unsigned count, bool sample, unsigned stride_log2) {
    if (sample) sampler_.take(row, count, items_, stride_log2);
    items_ += count;
    unsigned fits = lanes_ - pack_count_;
    if (fits > count) fits = count;
    for (unsigned i = 0; i < fits; ++i) pack_[pack_count_ + i] = row[i];
    pack_count_ += fits;
    if (pack_count_ == lanes_) {
      fifo_.push(pack_, lanes_);
      pack_count_ = count - fits;
      for (unsigned i = 0; i < pack_count_; ++i) pack_[i] = row[fits + i];
    }
  }

  // End of a pass. The side that is gone on in is flushed; what the other holds is dropped.
  void flush() {
    if (pack_count_) fifo_.push(pack_, lanes_);
    restart();
  }
  void drop() {
    fifo_.clear();
    restart();
  }

 private:
  void restart() {
    items_ = pack_count_ = 0;
    sampler_.clear();
  }

  unsigned lanes_;
  RowFifo fifo_;
  Sampler sampler_;
  Row pack_{};
  unsigned pack_count_ = 0;
  unsigned items_ = 0;  // of this pass
};

}  // namespace winnow::topk
