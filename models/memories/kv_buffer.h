#pragma once
// K or V SRAM: `halves` buffers of `tokens` vectors of D 12-bit words (held as int16), in `banks` banks.
//
// In:   whole vectors from the converter, one a bank and cycle (bank = slot mod banks).
// Out:  whole vectors to Q x K or P x V, one a bank and cycle; a run of at most `banks` consecutive slots.
// Rate: `banks` vectors written and as many read in a cycle (models/prim/bricks.h). Halves are SRAMs of their own.
//       One write and one read port a bank of a half: a second access of a kind to a bank in a cycle throws
//       std::logic_error. Merging a digit reads its slot too, so nothing of a half is ready before the last
//       digit of all slots has come.
// Columns: a word has 12 bits, so a half that holds a first digit has room for all digits of the survivors beside it.
//       part(half, true) names these columns, with a load and presence bits of their own. Both share the banks' ports;
//       a write enables its columns.
// Latency: a vector written in cycle c may be read from c+1 on, whatever order the blocks are evaluated in. A writer
//       whose stages still hold the words says the cycle in which they will be written.
// State: the words; a presence bit a slot; counters a row. begin() makes a half empty and arms it for
//       exactly one load (one FetchJob): the converter waits while the half is not armed, so a job may be
//       queued before the half is free, and the controller calls begin() when its last reader is done.
// Paper: IV.A, K SRAM and V SRAM, 196 KB = 2 x 1024 x 64 x 12 bit each; docs/specification/machine.md, "Buffers".
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/prim/memory.h"

namespace winnow {

class KvBuffer : public MemoryBase {
 public:
  // Throws winnow::Error if a size is not positive, D is not a multiple of 8, or banks exceeds 64.
  KvBuffer(const MemoryInfo& info, int halves, int tokens, int head_dim, int banks, bool columns = false);

  int halves() const { return halves_; }
  // The half, or its columns of all digits (only with `columns`): what is called half everywhere below.
  int part(int half, bool second) const { return second ? half + halves_ : half; }
  int tokens() const { return tokens_; }
  int head_dim() const { return head_dim_; }
  int banks() const { return banks_; }
  int stride() const { return stride_; }  // int16 words from one slot to the next: D rounded up to 16
  int row_of(std::uint32_t slot) const { return row_of_[slot]; }
  int bank_of(std::uint32_t slot) const { return static_cast<int>(slot) - row_of_[slot] * banks_; }

  // Controller: what the half held is void from the next cycle on, and `items` vectors (slots 0..items-1) are
  // expected, `loads` times in turn: digits that are merged; they may be read after the last. Throws winnow::Error if
  // items > tokens.
  // `merges`: words are merged with others, so nothing may be read before all have come.
  void begin(int half, std::uint32_t items, Cycle now, int loads = 1) { begin(half, items, now, loads, loads > 1); }
  void begin(int half, std::uint32_t items, Cycle now, int loads, bool merges);
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
  // The same, of words that are read and written anew: a digit that is put behind others.
  std::int16_t* merge(int half, std::uint32_t slot, Cycle now);
  // A survivor: the first digit that slot `from` of the half holds goes to `slot` of its second columns, in place for
  // the digits that are put behind it. One read of bank_of(from), one write of bank_of(slot).
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
  // Slots [first, first + n), at most `banks`: their rows are there, of which presence is kept.
  bool run_ready(int half, std::uint32_t first, std::uint32_t n, Cycle now) const {
    if (n == 0) return true;
    const int row = row_of(first), last = row_of(first + n - 1);
    return row_ready(half, row, now) && (last == row || row_ready(half, last, now));
  }
  // Slots of `row` that the present load fills: banks, fewer in its last row, 0 behind it.
  int row_slots(int half, int row) const {
    const int rest = static_cast<int>(items(half)) - row * banks_;
    return rest <= 0 ? 0 : rest < banks_ ? rest : banks_;
  }

  // Reader's port: n vectors from slot `first` on, `stride` apart; the same for one slot. Both need ready, and are
  // counted.
  const std::int16_t* read_run(int half, std::uint32_t first, std::uint32_t n, Cycle now);
  const std::int16_t* read_slot(int half, std::uint32_t slot, Cycle now);
  // The words without a port, uncounted: for tests and waves.
  const std::int16_t* slot(int half, std::uint32_t slot) const { return &words_[index(half, slot) * stride_u()]; }

  // Words of D * 12 bits: what a bank reads or writes in a cycle.
  MemoryShape shape() const override {
    return {static_cast<std::uint64_t>(halves()) * static_cast<std::uint64_t>(slots_a_half_), 12 * head_dim_,
            halves() * banks_, 1, 1};
  }
  void report(StatSink& sink) const override {
    sink.count("vector_reads", "vector reads", vector_reads_);
    sink.count("vector_writes", "vector writes", vector_writes_);
  }

  // Accesses of one bank (one vector of D words), for energy.
  std::uint64_t vector_reads() const { return vector_reads_; }
  std::uint64_t vector_writes() const { return vector_writes_; }

 private:
  static constexpr Cycle kNever = ~Cycle{0};
  struct Half {
    std::uint32_t items = 0, left = 0;
    int loads = 1;  // still to come, the present one included
    Cycle begun = kNever, last = kNever;
    bool merges = false;  // nothing may be read before all have come
  };
  struct Row {
    std::uint32_t left = 0;
    Cycle last = kNever;  // cycle of the last write
  };
  struct Port {
    Cycle cycle = kNever;
    std::uint64_t banks = 0;  // used in `cycle`
  };

  std::size_t stride_u() const { return static_cast<std::size_t>(stride_); }
  std::size_t index(int half, std::uint32_t slot) const {
    return static_cast<std::size_t>(half) * static_cast<std::size_t>(slots_a_half_) + slot;
  }
  void use(std::vector<Port>& ports, int half, std::uint64_t banks, Cycle now, const char* what) const;

  int halves_, tokens_, head_dim_, banks_, stride_, rows_a_half_, slots_a_half_;
  std::vector<Half> state_;
  std::vector<Row> rows_;       // [half][row]
  std::vector<Cycle> written_;  // [half][slot], kNever where absent
  std::vector<std::uint16_t> row_of_;
  std::vector<std::int16_t> words_;  // [half][slot][stride]
  std::vector<Port> read_, write_;   // of each half
  std::uint64_t vector_reads_ = 0, vector_writes_ = 0;
};

}  // namespace winnow
