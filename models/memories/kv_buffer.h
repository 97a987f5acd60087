#pragma once
// K or V of the heads in flight: which vectors of each have come, and where they lie (kv_banks.h): halves of the
// paper's two SRAMs, or the rows of one pool.
//
// In:   whole vectors from the converter, one a bank and cycle.
// Out:  whole vectors to Q x K or P x V, one a bank and cycle; a run of at most a row's consecutive slots.
// Rate: a row of vectors written and as many read in a cycle. A half has one write and one read port a bank, the pool
//       one for all: a second access of a kind to a bank in a cycle throws std::logic_error.
// Digits: a word's digits come one after the other. In the pool one that has columns of its own is written beside those
// that
//       are there (composable multipliers take each with its own sign), and a slot is ready with its last digit.
//       Others are merged: that reads the slot too, so nothing of a half is ready before the last digit of all slots
//       has come, and in the pool the read may meet a reader of another head, who waits: the converter cannot stall.
// Second part: a crude first pass is followed by an exact one, whose words hold the first digit and what is put behind
//       it. part(half, true) names them, with a load and presence bits of their own. Of a half they are the columns of
//       a word that the first digit leaves free, in the pool rows of their own; the first digits' rows are free again
//       when all have been taken over.
// Latency: a vector written in cycle c may be read from c+1 on, whatever order the blocks are evaluated in. A writer
//       whose stages still hold the words says the cycle in which they will be written.
// State: a presence bit a slot; counters a row; in the pool the names of each half's rows. begin() makes a half empty
//       and arms it for exactly one load (one FetchJob): the converter waits while the half is not armed, so a job may
//       be queued before the half is free, and the controller calls begin() when its last reader is done.
// Paper: IV.A, K SRAM and V SRAM, 196 KB = 2 x 1024 x 64 x 12 bit each; docs/specification/machine.md, "Buffers".
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "golden/formats.h"
#include "models/memories/kv_banks.h"
#include "models/prim/memory.h"

namespace winnow {

class KvBuffer : public MemoryBase {
 public:
  // Halves of `tokens` vectors each, in `banks` banks of whole words. Throws winnow::Error if a size is not positive, D
  // is not a multiple of 8, or banks exceeds 128. `columns`: halves have a second part.
  KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns = false);
  // The same in a pool, if there is one; the buffer with a second part is the one that counts its words. V's vectors
  // are shifted round by half a row, so that the K and V of a record seldom want the same bank.
  KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns,
           std::shared_ptr<KvBanks> pool);

  int halves() const { return halves_; }
  // The half, or its columns of all digits (only with `columns`): what is called half everywhere below.
  int part(int half, bool second) const { return second ? half + halves_ : half; }
  int tokens() const { return tokens_; }
  int head_dim() const { return banks_->head_dim(); }
  int banks() const { return banks_->columns(); }
  bool pooled() const { return pooled_; }
  const KvBanks& store() const { return *banks_; }
  KvBanks& store() { return *banks_; }
  int stride() const { return banks_->stride(); }  // int16 words from one slot to the next
  // Vectors of a row of this half, as its words are wide; the row and the place in it where a slot lies.
  int across(int half) const { return state_[static_cast<std::size_t>(half)].split->across; }
  int row_of(int half, std::uint32_t slot) const { return state_[static_cast<std::size_t>(half)].split->row_of[slot]; }
  int place_of(int half, std::uint32_t slot) const {
    const Split& s = *state_[static_cast<std::size_t>(half)].split;
    return static_cast<int>(slot) - s.row_of[slot] * s.across;
  }
  // The banks where a slot lies, or `n` neighbours from one on.
  KvBanks::Mask mask(int half, std::uint32_t slot, int n = 1) const {
    return banks_->mask(place_of(half, slot), n, state_[static_cast<std::size_t>(half)].split->width, turn_);
  }
  // Rows of the pool that a half holds, both its parts; that a load would take.
  std::uint32_t rows_held(int half) const {
    return static_cast<std::uint32_t>(names_[static_cast<std::size_t>(half)].size() +
                                      (columns_ ? names_[static_cast<std::size_t>(half + halves_)].size() : 0));
  }
  std::uint32_t rows_of(std::uint32_t vectors, int bits) const { return banks_->rows_of(vectors, widest(bits)); }
  // Controller: nobody reads the half any more. Its rows are free; nothing to do where it owns them.
  void release(int half);

  // Controller: what the half held is void from the next cycle on, and `items` vectors (slots 0..items-1) are
  // expected, `loads` times in turn: digits that are merged; they may be read after the last. Throws winnow::Error if
  // items > tokens.
  // `bits`: of a word when all its digits have come. In the pool the rows are drawn, after those that the half held are
  // given back; throws std::logic_error if there are too few.
  // `merges`: words are merged with others, so nothing may be read before all have come.
  void begin(int half, std::uint32_t items, Cycle now, int bits = golden::kWordBits, int loads = 1) {
    begin(half, items, now, bits, loads, loads > 1);
  }
  void begin(int half, std::uint32_t items, Cycle now, int bits, int loads, bool merges);
  // Converter: a load may go in: begin() was called in an earlier cycle and vectors are still missing.
  bool armed(int half, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.left != 0 && h.begun < now;
  }
  // Vectors of the present load that have come (of its digit under way), in order unless they are records.
  std::uint32_t arrived(int half) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.items - h.left;
  }
  // Vectors the present load brings in all.
  std::uint32_t items(int half) const { return state_[static_cast<std::size_t>(half)].items; }
  // All vectors of the present load were written in earlier cycles.
  bool loaded(int half, Cycle now) const {
    const Half& h = state_[static_cast<std::size_t>(half)];
    return h.left == 0 && h.begun < now && (h.items == 0 || h.last < now);
  }

  // Converter: claims the slot's words for writing in place. Each slot is written once a load.
  std::int16_t* write(int half, std::uint32_t slot, Cycle now);
  // The same for a digit of `bits` behind the `held` bits that are there: written beside them, or merged.
  std::int16_t* put_behind(int half, std::uint32_t slot, Cycle now, int held, int bits);
  // Whether that digit has columns of its own, which make the word no wider.
  bool beside(int held, int bits) const {
    return pooled_ && banks_->columns_of(held) + banks_->columns_of(bits) == banks_->columns_of(held + bits);
  }
  // A survivor: the first digit that slot `from` of the half holds goes to `slot` of its second columns, in place for
  // the digits that are put behind it. One read of where `from` lies, one write of where `slot` does.
  std::int16_t* merge_second(int half, std::uint32_t from, std::uint32_t slot, Cycle now);

  // Reader: the slot, or all slots that the load brings into the row, may be read in cycle `now`.
  bool slot_ready(int half, std::uint32_t slot, Cycle now) const {
    return written_[index(half, slot)] < now &&  // kNever where absent
           (!state_[static_cast<std::size_t>(half)].merges || loaded(half, now));
  }
  bool row_ready(int half, int row, Cycle now) const {
    const Row& r = rows_[static_cast<std::size_t>(half * rows_a_half_ + row)];
    return r.left == 0 && r.last < now && (!state_[static_cast<std::size_t>(half)].merges || loaded(half, now));
  }
  // Slots [first, first + n), at most a row's: their rows are there, of which presence is kept.
  bool run_ready(int half, std::uint32_t first, std::uint32_t n, Cycle now) const {
    if (n == 0) return true;
    const int row = row_of(half, first), last = row_of(half, first + n - 1);
    return row_ready(half, row, now) && (last == row || row_ready(half, last, now));
  }
  // No merge has their banks' read ports in this cycle. Only the pool's readers can meet one.
  bool can_read(int half, std::uint32_t first, std::uint32_t n, Cycle now) const {
    return !pooled_ || n == 0 || banks_->can_read(0, mask(half, first, static_cast<int>(n)), now);
  }
  // Slots of `row` that the present load fills: a row's, fewer in its last row, 0 behind it.
  int row_slots(int half, int row) const {
    const int rest = static_cast<int>(items(half)) - row * across(half);
    return rest <= 0 ? 0 : rest < across(half) ? rest : across(half);
  }

  // Reader's port: n vectors from slot `first` on, `stride` apart; the same for one slot. Both need ready, and are
  // counted. A run that lies in two rows of the pool comes through an aligner, whose output the next run overwrites.
  const std::int16_t* read_run(int half, std::uint32_t first, std::uint32_t n, Cycle now);
  const std::int16_t* read_slot(int half, std::uint32_t slot, Cycle now);
  // Whether the slot lies anywhere: not if its rows were given back.
  bool has(int half, std::uint32_t slot) const {
    return static_cast<std::size_t>(row_of(half, slot)) < names_[static_cast<std::size_t>(half)].size();
  }
  // The words without a port, uncounted: for tests and waves.
  const std::int16_t* slot(int half, std::uint32_t slot) const {
    return banks_->vector(names_[static_cast<std::size_t>(half)].at(static_cast<std::size_t>(row_of(half, slot))),
                          place_of(half, slot));
  }

  // Words of D * 12 bits, of the pool D times a column: what a bank reads or writes in a cycle.
  MemoryShape shape() const override;
  void report(StatSink& sink) const override {
    sink.count("vector_reads", "vector reads", vector_reads_);
    sink.count("vector_writes", "vector writes", vector_writes_);
    if (!pooled_) return;
    sink.count("port_reads", "reads of a bank", port_reads_);
    sink.count("port_writes", "writes of a bank", port_writes_);
  }

  // Vectors, for energy: of a half each is an access of one bank, of the pool of as many as its words are wide.
  std::uint64_t vector_reads() const { return vector_reads_; }
  std::uint64_t vector_writes() const { return vector_writes_; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  // How vectors of a width lie in rows.
  struct Split {
    int width = 1, across = 1;  // columns of a vector; vectors of a row
    std::vector<std::uint16_t> row_of;
  };
  struct Half {
    std::uint32_t items = 0, left = 0;
    int loads = 1;  // still to come, the present one included
    Cycle begun = kNever, last = kNever;
    bool merges = false;  // nothing may be read before all have come
    const Split* split = nullptr;
  };
  struct Row {
    std::uint32_t left = 0;
    Cycle last = kNever;  // cycle of the last write
  };

  // Words of shape-only workloads may be wider than any that there are.
  static int widest(int bits) { return bits < golden::kWordBits ? bits : golden::kWordBits; }
  std::size_t index(int half, std::uint32_t slot) const {
    return static_cast<std::size_t>(half) * static_cast<std::size_t>(slots_a_half_) + slot;
  }
  int unit(int half) const { return pooled_ ? 0 : half % halves_; }
  void give_back(int part);
  // Writes the columns of a slot from `behind` on.
  std::int16_t* place(int half, std::uint32_t slot, Cycle now, int behind);

  int halves_, tokens_, turn_ = 0, rows_a_half_ = 0, slots_a_half_ = 0;
  bool columns_, pooled_;
  std::shared_ptr<KvBanks> banks_;
  std::vector<Split> splits_;                      // [columns of a vector - 1]
  std::vector<Half> state_;                        // a part each
  std::vector<Row> rows_;                          // [part][row]
  std::vector<Cycle> written_;                     // [part][slot], kNever where absent
  std::vector<std::vector<std::uint16_t>> names_;  // [part][row]: where it lies in the banks
  std::vector<std::int16_t> aligned_;              // a run that lay in two rows
  void count_read(int half, std::uint64_t vectors);
  std::uint64_t vector_reads_ = 0, vector_writes_ = 0, port_reads_ = 0, port_writes_ = 0;
};

}  // namespace winnow
