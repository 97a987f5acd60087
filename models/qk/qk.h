#pragma once
// Q x K array: `multipliers` 12-bit multipliers and an adder tree. Whole ones give floor(multipliers / D) scores a
// cycle, bricks more where words are narrow (models/prim/bricks.h).
//
// In:   tasks, one a query head and pass: first passes and later passes in a FIFO each; K rows and queries in their
//       buffers. Later passes come first, by whole tasks: one begun is finished.
// Out:  Pipe<ScoreRow>, that many partial scores a cycle, `latency` cycles after K was read.
// Rate: a task of n keys occupies the array ceil(n / keys a cycle) cycles; D is any multiple of 8 up to 256.
// Where a greedy search was made for the group, the task waits for its candidates and goes over these alone: as many of
// a cycle's as lie in banks of their own, in order.
// The key of a page may hold two bounds a channel: a multiplexer in front of each multiplier takes the one that the
// query's sign asks for.
// State: the task at work and its next row. What is partial is added up behind, in softmax.
// Waits for: key buffer (row not loaded), query (not loaded), softmax (no place behind the tree), P x V (which has the
// arrays, where they are shared), controller (no task).
// Paper: IV.E; docs/specification/machine.md, "Q x K".
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "golden/num.h"
#include "models/links/array_grant.h"
#include "models/links/fetch_jobs.h"
#include "models/links/key_released.h"
#include "models/links/qk_tasks.h"
#include "models/links/score_rows.h"
#include "models/memories/candidate_lists.h"
#include "models/memories/group_table.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/query_registers.h"
#include "models/prim/block.h"
#include "models/prim/bricks.h"

namespace winnow {

class Qk : public Block {
 public:
  struct Params {
    int head_dim, multipliers, brick_bits = golden::kWordBits;
    bool shape_only = false;               // cycles without products
    int first_q_bits = golden::kWordBits;  // of the query in a crude pass
    int page_bound_bits = 0;               // of each bound of a page's key; 0: keys of pages are words like others
  };
  Qk(const Params& params, Fifo<QkTask>& first, Fifo<QkTask>& later, KvBuffer& keys, QueryRegisters& queries,
     GroupTable& groups, ArrayGrant& arrays, const CandidateLists& candidates, Pipe<ScoreRow>& out,
     Fifo<HalfReleased>& released)
      : Block("qk", "qk"),
        params_(params),
        first_(first),
        later_(later),
        keys_(keys),
        queries_(queries),
        groups_(groups),
        arrays_(arrays),
        candidates_(candidates),
        out_(out),
        released_(released) {}

  void tick(Cycle now) override;
  bool idle() const override { return !active_ && first_.drained() && later_.drained(); }
  void report(StatSink& sink) const override { sink.count("multiplications", "multiplications", products_); }

  std::uint64_t multiplications() const { return products_; }
  // Of one layer, so far; the next of that epoch begins at 0 again.
  std::uint64_t take_products(std::uint32_t epoch) { return std::exchange(of_epoch_[epoch % kEpochs], 0); }

  const Wait kKeys = stats_.waits_for("key_buffer", "key buffer"), kQueries = stats_.waits_for("query", "query"),
             kSoftmax = stats_.waits_for("softmax", "softmax"), kArrays = stats_.waits_for("pv", "pv"),
             kController = stats_.waits_for("controller", "controller");

 private:
  // Keys a cycle: of the query's and the keys' widths in this pass, as far as a row of K reaches.
  std::uint32_t rate(const QkTask& t) const {
    const int by = t.crude ? params_.first_q_bits : golden::kWordBits;
    return static_cast<std::uint32_t>(
        std::min(keys_.across(half(t)),
                 vectors_a_cycle(params_.multipliers, params_.brick_bits, by, t.key_bits, params_.head_dim)));
  }
  int half(const QkTask& t) const { return keys_.part(t.half, t.second); }
  void begin_query(const std::int16_t* q);
  void multiply(Cycle now);
  void ask_for_arrays(Cycle now);
  bool startable(const QkTask& t, Cycle now) const {
    return queries_.ready(t.query, now) && (t.keys == 0 || keys_.slot_ready(half(t), 0, now)) && listed(t, now);
  }
  // Its candidates are known, or it needs none.
  bool listed(const QkTask& t, Cycle now) const {
    return !candidates_.asked(t.store) || candidates_.ready(t.store, t.tag.group, now);
  }
  std::uint32_t reachable(const std::uint32_t* slots, std::uint32_t n, Cycle now) const;
  std::int32_t bound(const std::int16_t* q, const std::int16_t* page) const;
  void score(ScoreRow& row, const std::int16_t* k, const std::int16_t* q, int from, int count, int weight) const;
  Params params_;
  Fifo<QkTask>&first_, &later_;
  KvBuffer& keys_;
  QueryRegisters& queries_;
  GroupTable& groups_;
  ArrayGrant& arrays_;
  const CandidateLists& candidates_;
  Pipe<ScoreRow>& out_;
  Fifo<HalfReleased>& released_;
  // Where the machine has one.
  const Wait kGreedy = candidates_.there() ? stats_.waits_for("greedy", "greedy search") : kController;
  QkTask task_;
  bool active_ = false;
  std::uint32_t next_ = 0, rate_ = 0;
  std::int32_t query_sum_ = 0, query_size_ = 0;
  int query_shift_ = 0;                            // of a crude pass
  std::array<std::int16_t, kMaxHeadDim> crude_{};  // its query
  std::uint64_t products_ = 0;
  std::array<std::uint64_t, kEpochs> of_epoch_{};
};

}  // namespace winnow
