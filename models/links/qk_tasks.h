#pragma once
// Controller -> Q x K: one query head and pass. First passes and later ones have a FIFO each, because a later pass goes
// before a first one that was sent earlier.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/tag.h"

namespace winnow {

struct QkTask {
  Tag tag;
  std::uint16_t store = 0;     // group in flight
  std::uint8_t half = 0;       // of the K buffer
  bool second = false;         // its second columns
  bool crude = false;          // the query at first_q_bits, under a power of two of its own
  bool pages = false;          // of the keys of pages, before any token is read
  std::uint8_t shift = 0;      // weight of this pass's digit
  std::uint8_t key_bits = 12;  // of K's words in this pass: how many bricks a product takes
  std::uint32_t keys = 0;
  std::uint64_t query = 0;            // number of the query vector (QueryRegisters)
  bool add = false;                   // to the partial scores of the passes before
  std::uint32_t release_queries = 0;  // oldest query vectors that nobody needs after this task
  bool release_half = false;          // nobody reads this half of K after this task
  std::uint8_t epoch = 0;             // layer that products are counted for, as FetchJob::epoch

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("store", store, 4), v("half", half, 3), v("second", second, 1), v("crude", crude, 1), v("pages", pages, 1),
        v("shift", shift, 4), v("key_bits", key_bits, 4), v("keys", keys, 17), v("query", query, 16);
    v("add", add, 1), v("release_queries", release_queries, 6), v("release_half", release_half, 1),
        v("epoch", epoch, 6);
  }
};

// A prompt sends the tasks of a group at once and keeps the array fed while the next group's wait.
inline std::size_t qk_task_depth(const Sizes& s) { return static_cast<std::size_t>(4 * s.group + 16); }

struct FirstPasses {
  using Payload = QkTask;
  static constexpr LinkInfo kInfo{"first_passes", "controller", "qk",
                                  "four groups' tasks, and as many short ones as hide a message", true};
  static std::size_t depth(const Sizes& s) { return qk_task_depth(s); }
};
struct LaterPasses {
  using Payload = QkTask;
  static constexpr LinkInfo kInfo{"later_passes", "controller", "qk", "as the first passes", true};
  static std::size_t depth(const Sizes& s) { return qk_task_depth(s); }
};

}  // namespace winnow
