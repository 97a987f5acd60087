#pragma once
// Bracket engine: the top-k engine that keeps up with softmax. The same answers as engine.h's, job for job; while one
// list is loaded, the boundary of others is searched for, and one more is filtered.
//
// in, out      as engine.h: job, rows, indices; a job is taken when the one before has its last row and a list is free
// throughput   a job every max(1 + ceil(n/P) + 3, passes x (1 + ceil(n/P) + 3)) cycles while lists last; passes are 1
// for
//              most lists, 0 where the boundary is zero
// stages       load and octave bins (octave_bins.h); scan of the bins, which sets a bracket of values around the
// boundary
//              (bin_scan.h); pass of the list that counts what lies in the bracket (window_pass.h); search in these
//              counts (window_search.h), after which a pass may follow in a finer bracket; filter (list_filter.h).
//              The stages hand over by the lists' states. The filter takes lists in the order in which they came.
// state        kBracketLists lists of P x depth items, each a memory of one read and one write port; the stages'
// registers waits for    a row while loading (counted), the taker of indices while filtering (counted) This project's;
// docs/specification/topk.md, "Jobs overlap".
#include "models/topk/bin_scan.h"
#include "models/topk/engine_base.h"
#include "models/topk/list_filter.h"
#include "models/topk/list_table.h"
#include "models/topk/octave_bins.h"
#include "models/topk/window_pass.h"
#include "models/topk/window_search.h"

namespace winnow::topk {

class BracketEngine : public EngineBase {
 public:
  enum class Load : std::uint8_t { header, rows, drain, hand };

  explicit BracketEngine(const Config& config);

  Outputs comb() const override;
  void tick(const Inputs& in) override;
  bool busy() const override { return lists_[oldest_].state != List::State::free; }
  unsigned jobs() const override { return lists_.size(); }
  std::vector<StoredWords> registers() const override { return {lists_of_items("lists", lists_.size())}; }

  // Named state, compared with RTL in each cycle.
  Load load() const { return load_; }
  unsigned loaded() const { return loading_; }  // list
  unsigned rows_left() const { return rows_left_; }
  unsigned oldest() const { return oldest_; }
  const ListTable& table() const { return lists_; }
  const OctaveBins& bins() const { return bins_; }
  const BinScan& scan() const { return scan_; }
  const WindowPass& pass() const { return pass_; }
  const WindowSearch& search() const { return search_; }
  const ListFilter& filter() const { return filter_; }

 private:
  void count_cycle(const Inputs& in);
  unsigned next_pass() const;
  void tick_load(const Inputs& in, bool job_ready, bool scan_idle);

  ListTable lists_;
  Load load_ = Load::header;
  bool drained_ = false;  // second cycle of drain
  unsigned loading_ = 0;  // the list that the next header is for, or that is loaded
  unsigned oldest_ = 0;   // the list that is filtered next
  unsigned rows_left_ = 0, tail_ = 0, row_ = 0;
  OctaveBins bins_;
  BinScan scan_;
  WindowPass pass_;
  WindowSearch search_;
  ListFilter filter_;
};

}  // namespace winnow::topk
