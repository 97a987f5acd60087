#pragma once
// Loads: what is asked of the fetcher. K and V of heads as far ahead as halves of the buffers are free, queries as far
// ahead as the registers hold, gathers before both.
#include <cstdint>

#include "models/controller/rows.h"
#include "models/controller/state.h"

namespace winnow::controller {

class Loads {
 public:
  explicit Loads(State& state) : s_(state), rows_(state) {}

  // The next head whose loads can be thought of now, one a cycle.
  void open_head();
  // What a head loads of its tokens, once it is known who they are.
  void order_tokens(Head& h);
  // At most one job to the fetcher. True if there was one.
  bool send(Cycle now);

  // The job that brings digit `digit` of a head's K for the listed tokens (with their V, where records hold both).
  FetchJob key_job(const Head& h, int digit, ListRef list, std::uint32_t items) const;
  FetchJob page_job(const Head& h) const;
  FetchJob sum_job(const Head& h) const;
  FetchJob descriptor_job(const Head& h) const;
  FetchJob value_job(const Head& h, ListRef list, std::uint32_t items) const;

 private:
  FetchJob job(const Head& h, Stream stream, const golden::Region& r, ListRef list, std::uint32_t items) const;
  void add_load(Head& h, FetchJob whole);
  bool order_queries(Cycle now);
  bool send_load(Cycle now);

  State& s_;
  Rows rows_;
  std::size_t next_half_ = 0;
  std::uint64_t queries_ordered_ = 0;
};

}  // namespace winnow::controller
