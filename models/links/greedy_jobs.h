#pragma once
// Controller -> greedy: the search for one query head's candidates. Q x K has the same head's task and waits for them.
#include <cstdint>

#include "models/links/qk_tasks.h"

namespace winnow {

struct GreedyJob {
  Tag tag;
  std::uint16_t store = 0;
  std::uint8_t half = 0;    // of the K buffer, and of the sorted keys
  bool sort = false;        // the head's first: its columns are sorted before
  std::uint32_t keys = 0;   // slots
  std::uint64_t query = 0;  // number of the query vector (QueryRegisters)

  template <class V>
  void fields(V&& v) {
    tag.fields(v);
    v("store", store, 4), v("half", half, 3), v("sort", sort, 1), v("keys", keys, 17), v("query", query, 16);
  }
};

struct GreedyJobs {
  using Payload = GreedyJob;
  static constexpr LinkInfo kInfo{"greedy_jobs", "controller", "greedy", "as the first passes; none without a search"};
  static std::size_t depth(const Sizes& s) { return s.greedy_columns ? qk_task_depth(s) : 0; }
};

}  // namespace winnow
