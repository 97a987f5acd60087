#pragma once
// Drives the top-k engine through one job, with bubbles on the input and back-pressure on the output.
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "golden/select.h"
#include "models/topk/engine.h"
#include "tests/support/random.h"

namespace winnow::topk::test {

using winnow::test::Random;

struct Result {
  golden::Selection selection;
  std::vector<std::uint32_t> kept;
  std::uint64_t cycles = 0;
};

// A row is offered, an index row taken, with the given chance in percent each cycle (a row once offered stays offered).
inline Result run(EngineBase& engine, const Job& job, std::span<const std::uint64_t> items, Random& random,
                  unsigned offer = 100, unsigned take = 100) {
  const unsigned lanes = engine.config().parallelism;
  Result r;
  Row row{};
  unsigned next = 0;
  bool offered = false, started = false, done = false;
  while (!done) {
    const Outputs out = engine.comb();
    Inputs in;
    in.job_valid = !started;
    in.job = job;
    offered = offered || (next < items.size() && random.below(100) < offer);
    if (offered) {
      for (unsigned i = 0; i < lanes; ++i) row[i] = next + i < items.size() ? items[next + i] : ~std::uint64_t{0};
      in.row = &row;
    }
    in.out_ready = random.below(100) < take;
    if (out.out_valid && in.out_ready) {
      for (unsigned i = 0; i < out.count; ++i) r.kept.push_back(static_cast<std::uint32_t>((*out.indices)[i]));
      if (out.last) {
        r.selection.kept = out.kept;
        r.selection.boundary = out.boundary;
        r.selection.kept_sum = out.kept_sum;
        done = true;
      }
    }
    started = started || out.job_ready;
    if (out.row_ready && offered) {
      next += lanes;
      offered = false;
    }
    engine.tick(in);
    if (++r.cycles > 1'000'000) throw std::runtime_error("the engine does not finish");
  }
  return r;
}

// The same job by the untimed reference.
inline Result reference(const Job& job, std::span<const std::uint64_t> items) {
  Result r;
  r.selection = job.rule == Rule::count ? golden::select_count(items, job.amount, r.kept)
                                        : golden::select_mass(items, job.amount, r.kept);
  return r;
}

}  // namespace winnow::topk::test
