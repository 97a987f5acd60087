#pragma once
// Q x K array: `multipliers` 12-bit multipliers and an adder tree that gives multipliers / D scores a cycle.
//
// In:   tasks, one a query head and pass: first passes and later passes in a FIFO each; K rows and queries in their
//       buffers. Later passes come first, by whole tasks: one begun is finished.
// Out:  Pipe<ScoreRow>, multipliers / D partial scores a cycle, `latency` cycles after the row was read.
// Rate: a task of n keys occupies the array ceil(n * D / multipliers) cycles.
// State: the task at work and its next row. What is partial is added up behind, in softmax.
// Waits for: key buffer (row not loaded), query (not loaded), softmax (no place behind the tree), controller (no task).
// Paper: section 3, "Q x K".
#include <cstdint>

#include "golden/num.h"
#include "models/buffers/kv_buffer.h"
#include "models/buffers/query_registers.h"
#include "models/payload.h"
#include "models/prim/pipe.h"
#include "models/stats.h"

namespace winnow {

inline constexpr int kMaxRow = 64;  // scores a cycle: 512 multipliers at D 8

struct QkTask {
  Tag tag;
  std::uint16_t store = 0;  // group in flight
  std::uint8_t half = 0;    // of the K buffer
  std::uint8_t shift = 0;   // weight of this pass's digit
  std::uint32_t keys = 0;
  std::uint64_t query = 0;            // number of the query vector (QueryRegisters)
  bool add = false;                   // to the partial scores of the passes before
  std::uint32_t release_queries = 0;  // oldest query vectors that nobody needs after this task
  bool release_half = false;          // nobody reads this half of K after this task
};

struct ScoreRow {
  Tag tag;
  std::uint16_t store = 0;
  bool add = false, last = false;
  std::uint32_t first = 0;  // slot of value[0]
  int count = 0;
  std::int32_t query_sum = 0;  // sum of the query's codes, for midpoint constants
  std::array<std::int32_t, kMaxRow> value;
};

struct HalfReleased {
  std::uint8_t half;
};

class Qk {
 public:
  struct Params {
    int head_dim, banks, latency;  // banks = multipliers / D
    bool shape_only = false;       // cycles without products
  };
  Qk(const Params& params, Fifo<QkTask>& first, Fifo<QkTask>& later, KvBuffer& keys, QueryRegisters& queries,
     Pipe<ScoreRow>& out, Fifo<HalfReleased>& released)
      : params_(params), first_(first), later_(later), keys_(keys), queries_(queries), out_(out), released_(released) {}

  void tick(Cycle now);
  bool idle() const { return !active_ && first_.drained() && later_.drained(); }

  enum Wait { kKeys, kQueries, kSoftmax, kController };
  const BlockStats& stats() const { return stats_; }
  std::uint64_t multiplications() const { return products_; }

 private:
  bool startable(const QkTask& t, Cycle now) const {
    return queries_.ready(t.query, now) && (t.keys == 0 || keys_.slot_ready(t.half, 0, now));
  }
  Params params_;
  Fifo<QkTask>&first_, &later_;
  KvBuffer& keys_;
  QueryRegisters& queries_;
  Pipe<ScoreRow>& out_;
  Fifo<HalfReleased>& released_;
  QkTask task_;
  bool active_ = false;
  std::uint32_t next_ = 0;
  std::int32_t query_sum_ = 0;
  std::uint64_t products_ = 0;
  BlockStats stats_{"qk", {"key buffer", "query", "softmax", "controller"}};
};

}  // namespace winnow
