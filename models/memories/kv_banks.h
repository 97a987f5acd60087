#pragma once
// Where the words of K and V lie: rows of `columns` columns, a bank each. A vector takes as many neighbouring columns
// of a row as its words need; vectors do not straddle rows.
//
// Halves: the paper's double buffers. Each head in flight owns a fixed run of rows, a unit with ports of its own; a
//       column is a whole 12-bit word of each dimension, so every vector takes one.
// Pool: all heads in flight, K and V alike, draw rows from one list of free rows. A column is a brick wide
//       (models/prim/bricks.h), so a 4-bit digit takes a third of what a 12-bit word takes. A row belongs to one
//       load of one head at a time.
// Ports: one read and one write port a bank of a unit. An access says its cycle, which may lie ahead by the stages of
//       the converter; a second access of a kind to a bank in a cycle throws std::logic_error. Who could meet another
//       reader asks can_read() first.
// Rate: rows are drawn when a load is armed. In hardware a list of free rows gives a name a cycle, which is as fast as
//       a load fills rows, and its first words come no sooner than the memory answers.
// Paper: IV.A has two halves each of K and V; the pool is this project's (docs/specification/machine.md, "The pool").
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/prim/fifo.h"

namespace winnow {

class KvBanks {
 public:
  static constexpr int kMostColumns = 128;  // of a row
  static constexpr int kMostAcross = 64;    // vectors of a row, as far as a reader's ports reach
  using Mask = unsigned __int128;           // a bit a column

  // `units` with `rows` rows each. Throws winnow::Error where a size is not positive, D is no multiple of 8, or a row
  // has more than 128 columns.
  KvBanks(std::string label, int units, int rows, int columns, int column_bits, int head_dim);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  int column_bits() const { return column_bits_; }
  int head_dim() const { return head_dim_; }
  int stride() const { return stride_; }  // int16 words from one vector to the next: D rounded up to 16
  // Columns that a vector of words of `bits` takes, and such vectors in a row.
  int columns_of(int bits) const { return (bits + column_bits_ - 1) / column_bits_; }
  int across(int bits) const { return std::min(kMostAcross, columns_ / columns_of(bits)); }
  std::uint32_t rows_of(std::uint32_t vectors, int bits) const {
    const auto n = static_cast<std::uint32_t>(across(bits));
    return (vectors + n - 1) / n;
  }

  // The free rows of a pool (of one unit).
  std::uint32_t free_rows() const { return static_cast<std::uint32_t>(free_.size() - drawn_); }
  std::uint16_t draw();
  void give_back(std::uint16_t row);

  // Columns of the `n` vectors from `place` on, of `width` columns each, shifted round by `turn`.
  Mask mask(int place, int n, int width, int turn) const { return run(place * width, n * width, turn); }
  // The `bits` columns from `first` on.
  Mask run(int first, int bits, int turn) const {
    const int at = (first + turn) % columns_;
    const Mask run = bits >= kMostColumns ? ~Mask{0} : (Mask{1} << bits) - 1;
    Mask m = run << at;
    if (at + bits > columns_) m |= run >> (columns_ - at);
    return m & all_;
  }
  void read(int unit, Mask banks, Cycle at) { use(read_[static_cast<std::size_t>(unit)], banks, at, "read"); }
  void write(int unit, Mask banks, Cycle at) { use(write_[static_cast<std::size_t>(unit)], banks, at, "write"); }
  bool can_read(int unit, Mask banks, Cycle at) const {
    return (read_[static_cast<std::size_t>(unit)].taken(at) & banks) == 0;
  }
  bool can_write(int unit, Mask banks, Cycle at) const {
    return (write_[static_cast<std::size_t>(unit)].taken(at) & banks) == 0;
  }

  // Words of vector `place` of a row.
  std::int16_t* vector(std::size_t row, int place) {
    return &words_[(row * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(place)) *
                   static_cast<std::size_t>(stride_)];
  }
  const std::int16_t* vector(std::size_t row, int place) const {
    return const_cast<KvBanks*>(this)->vector(row, place);
  }

 private:
  static constexpr std::size_t kAhead = 128;  // cycles: more than a converter has stages
  struct Port {
    std::array<Cycle, kAhead> cycle{};
    std::array<Mask, kAhead> banks{};
    Mask taken(Cycle at) const { return cycle[at % kAhead] == at + 1 ? banks[at % kAhead] : 0; }
  };
  void use(Port& port, Mask banks, Cycle at, const char* what);

  std::string label_;
  int rows_, columns_, column_bits_, head_dim_, stride_;
  Mask all_;
  std::vector<Port> read_, write_;
  std::vector<std::int16_t> words_;
  // A ring: the next `free_.size() - drawn_` entries from `head_` on are free.
  std::vector<std::uint16_t> free_;
  std::size_t head_ = 0, drawn_ = 0;
};

}  // namespace winnow
