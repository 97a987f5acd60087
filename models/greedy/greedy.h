#pragma once
// A3's greedy search: which keys of a query are worth an exact score, from the extreme elements of K's sorted columns.
//
// In:   Fifo<GreedyJob>: a query head; K and the query in their buffers.
// Out:  its candidates in their lists, which Q x K and P x V read.
// Rate: a search after the other, each
//         ceil(D / columns) cycles of set-up, both ends' products of `columns` columns a cycle;
//         an iteration a cycle: the largest product of all columns and the smallest are taken, each added to its key's
//         partial score, and the next element of that column is read and multiplied;
//         `latency` cycles;
//         ceil(keys / scan) cycles in which keys of a partial score above 0 are picked out.
//       What the paper hides by fetching columns ahead, an iteration's read and product, is taken as hidden.
// State: the query; two products of each column, and how far each end has come; a partial score a key, cleared as it is
//       scanned; the sum of all that was added.
// Before a head's first search its columns are sorted. The paper does that ahead of time and counts it apart, so here
// it takes no time and no access: sort_cycles and sort_bytes say what a merge sorter with `columns` lanes would take, a
// value a lane and cycle, and what the sorted columns hold.
// Waits for: key buffer (K has not come whole), query.
// Paper: A3 (Ham et al., HPCA 2020); the rule and what is decided about it: golden/candidates.h.
#include <array>
#include <cstdint>
#include <vector>

#include "golden/policies/decisions.h"
#include "models/greedy/params.h"
#include "models/links/greedy_jobs.h"
#include "models/memories/candidate_lists.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/query_registers.h"
#include "models/memories/sorted_keys.h"
#include "models/prim/block.h"

namespace winnow {

struct GreedyMemories {
  const KvBuffer& keys;
  const QueryRegisters& queries;
  SortedKeys& sorted;
  CandidateLists& lists;
};

class Greedy : public Block {
 public:
  struct Params {
    GreedyParams sizes;
    int head_dim = 64, longest = 1024;
    golden::Decisions decisions;
  };
  Greedy(const Params& params, GreedyMemories memories, Fifo<GreedyJob>& jobs);

  void tick(Cycle now) override;
  bool idle() const override { return !active_ && jobs_.drained(); }
  bool there() const override { return params_.sizes.columns > 0; }
  // Query and products; partial scores: both grow to the machine's widest head and longest sentence.
  std::vector<StoredWords> registers() const override;
  void report(StatSink& sink) const override;

  std::uint64_t iterations() const { return iterations_; }
  std::uint64_t sorts() const { return sorts_; }
  const GreedyJob& job() const { return job_; }  // at work, or the last
  std::uint64_t sort_cycles() const { return sort_cycles_; }

  const Wait kKeys = stats_.waits_for("key_buffer", "key buffer"), kQueries = stats_.waits_for("query", "query");

 private:
  using End = SortedKeys::End;
  // The end of a column that one side of the search stands at.
  struct Head {
    bool left = false;  // elements
    std::uint32_t taken = 0, slot = 0;
    std::int32_t product = 0;
  };
  using Heads = std::array<Head, kMaxHeadDim>;
  enum class Phase : std::uint8_t { set_up, walk, drain, scan };

  void sort();
  void begin();
  void set_up(Cycle now);
  void walk(Cycle now);
  void scan(Cycle now);
  void fetch(Head& head, int d, bool largest, Cycle now);
  void take(Heads& heads, bool largest, Cycle now);

  Params params_;
  GreedyMemories m_;
  Fifo<GreedyJob>& jobs_;
  GreedyJob job_;
  bool active_ = false;
  Phase phase_ = Phase::set_up;
  std::uint32_t next_ = 0;  // cycle of the phase
  std::array<std::int16_t, kMaxHeadDim> query_{};
  Heads largest_{}, smallest_{};
  std::vector<std::int32_t> partial_;  // [slot]
  std::int64_t sum_ = 0;
  std::uint32_t found_ = 0, best_ = 0;
  std::int32_t best_score_ = 0;
  std::vector<std::uint32_t> word_;  // slots of the scan's cycle
  std::uint64_t searches_ = 0, iterations_ = 0, products_ = 0, candidates_ = 0, keys_ = 0;
  std::uint64_t sorts_ = 0, sort_cycles_ = 0, sort_bytes_ = 0;
};

}  // namespace winnow
