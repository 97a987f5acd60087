#pragma once
// Top-k engine: takes n items, gives the indices of those that stay, in index order.
//
// in   job     {n, rule, k or mu16}, ready/valid; ready when idle
//      row     P items of item_bits, unsigned, ready/valid; n items in ceil(n / P) rows, only the last one partial.
//              An item's index is its place in that order. Protected tokens: the caller saturates their items.
// out  row     up to P indices of ceil(log2(P * depth)) bits, ascending, ready/valid; with `last` come kept (count),
//              boundary (smallest value that may stay; 0 when k = n) and kept_sum
// throughput   one job at a time: load 1 + ceil(n/P) + 3, passes of ceil(m/P) + 3 each, filter at most ceil(n/P) + 2
//              cycles (it ends with the last index that stays); rows with no index are not given out
// state        item store, FIFOs L and R of P x depth items each; two pipeline registers; see quick_select.h
// waits for    a row while loading (counted), the taker of indices while filtering (counted; the pipeline stands)
// Paper: IV.B; docs/specification/topk.md. Rule and ties: golden/select.h, to which results are equal.
#include "models/topk/comparator_array.h"
#include "models/topk/engine_base.h"
#include "models/topk/quick_select.h"
#include "models/topk/types.h"

namespace winnow::topk {

// A row after the comparators.
struct CompareStage {
  bool valid = false;
  unsigned count = 0;
  unsigned index = 0;  // of lane 0, in the filter pass
  Compared masks;
  Row row{};
};

class Engine : public EngineBase {
 public:
  enum class State : std::uint8_t { idle, load, pass, drain, decide, divide, filter };

  explicit Engine(const Config& config);

  Outputs comb() const override;
  void tick(const Inputs& in) override;

  // Restarts the LFSR; only while idle.
  void seed(std::uint64_t seed) { select_.seed(seed); }

  bool busy() const override { return state_ != State::idle; }
  unsigned jobs() const override { return 1; }
  // Sides L and R and the list as it was loaded (the filter's).
  std::vector<StoredWords> registers() const override {
    return {lists_of_items("sides", 2), lists_of_items("loaded_list", 1)};
  }

  // Named state, compared with RTL in each cycle.
  State state() const { return state_; }
  const QuickSelect& select() const { return select_; }
  unsigned store_level() const { return store_.level(); }
  unsigned rows_left() const { return rows_left_; }
  const CompareStage& compared() const { return compared_; }
  const Partitioned& partitioned() const { return partitioned_; }

 private:
  bool last_row() const;
  void count_cycle(const Inputs& in);
  void partition();
  void filter_row();
  void read(const RowFifo& fifo);
  void begin_pass(unsigned rows, unsigned tail);

  State state_ = State::idle;
  bool loading_ = false;
  bool drained_ = false;  // second cycle of drain
  unsigned n_ = 0, rows_left_ = 0, tail_ = 0;
  CompareStage compared_;
  Partitioned partitioned_;
  QuickSelect select_;
  RowFifo store_;
  unsigned equals_left_ = 0, next_index_ = 0, kept_ = 0;
  std::uint64_t kept_sum_ = 0;
};

}  // namespace winnow::topk
