#pragma once
// Drives an engine with jobs back to back: the next header and its rows are offered while earlier jobs are inside.
#include <deque>

#include "tests/models/topk/drive.h"

namespace winnow::topk::test {

struct StreamJob {
  Job job;
  std::vector<std::uint64_t> items;
};

// How often each side acts, in percent each cycle.
struct Pace {
  unsigned header = 100, row = 100, take = 100;
};

struct StreamResult {
  std::vector<Result> results;        // in the order of the jobs; cycles: when the last row was taken
  std::uint64_t cycles = 0;           // until then
  std::uint64_t first = 0, last = 0;  // cycles in which the first and the last job ended
  // Mean cycles from one job's end to the next one's.
  double interval() const {
    return results.size() < 2 ? 0 : static_cast<double>(last - first) / static_cast<double>(results.size() - 1);
  }
};

inline StreamResult stream(EngineBase& engine, const std::vector<StreamJob>& jobs, Random& random, Pace pace = {}) {
  const unsigned lanes = engine.config().parallelism;
  StreamResult r;
  Row row{};
  std::size_t header = 0, loading = 0;  // the job whose header, whose rows come next
  unsigned next = 0;
  bool header_offered = false, row_offered = false;
  Result now;
  while (r.results.size() < jobs.size()) {
    const Outputs out = engine.comb();
    Inputs in;
    header_offered = header_offered || (header < jobs.size() && random.below(100) < pace.header);
    if (header_offered) in.job_valid = true, in.job = jobs[header].job;
    row_offered = row_offered || (loading < header && random.below(100) < pace.row);
    if (row_offered) {
      const auto& items = jobs[loading].items;
      for (unsigned i = 0; i < lanes; ++i) row[i] = next + i < items.size() ? items[next + i] : ~std::uint64_t{0};
      in.row = &row;
    }
    in.out_ready = random.below(100) < pace.take;
    if (out.out_valid && in.out_ready) {
      for (unsigned i = 0; i < out.count; ++i) now.kept.push_back(static_cast<std::uint32_t>((*out.indices)[i]));
      if (out.last) {
        now.selection.kept = out.kept;
        now.selection.boundary = out.boundary;
        now.selection.kept_sum = out.kept_sum;
        now.cycles = r.cycles;
        if (r.results.empty()) r.first = r.cycles;
        r.last = r.cycles;
        r.results.push_back(std::move(now));
        now = {};
      }
    }
    if (in.row && out.row_ready) {
      row_offered = false;
      next += lanes;
      if (next >= jobs[loading].items.size()) next = 0, ++loading;
    }
    if (in.job_valid && out.job_ready) header_offered = false, ++header;
    engine.tick(in);
    if (++r.cycles > 20'000'000) throw std::runtime_error("the engine does not finish");
  }
  return r;
}

}  // namespace winnow::topk::test
