#pragma once
// Sizes of the top-k engines: their section of the machine's YAML, one for both. Defaults are the paper's (IV.B of
// its engine: two arrays of 16 comparators, L and R 64 deep, a random pivot).
#include <string>

#include "models/prim/params.h"
#include "models/topk/ranges.h"

namespace winnow {

struct TopkParams {
  int parallelism = 16;            // P: comparators an array, items a cycle
  int fifo = 64;                   // entries of L and of R, each P items
  int load_width = 16;             // items that a unit reads from selection scores a cycle
  std::string pivot = "random";    // or sampled
  std::string prefilter = "none";  // or bracket

  template <class P, class V>
  static void visit(P& p, V&& v) {
    v("parallelism", p.parallelism, "", param::power(topk::kParallelismMin, topk::kParallelismMax),
      "P: items a cycle, both engines");
    v("fifo", p.fifo, "entries", param::power(topk::kFifoMin, topk::kFifoMax), "of P items, L and R each");
    v("load_width", p.load_width, "", param::power(1, topk::kParallelismMax),
      "selection scores read a cycle: their read port; no more than P are used");
    v("pivot", p.pivot, "", param::one_of({"random", "sampled"}), "pivot rule; results do not depend on it");
    v("prefilter", p.prefilter, "", param::one_of({"none", "bracket"}),
      "none: the paper's engine, one job at a time; bracket: jobs overlap, for values and selection; the cascade's "
      "engine "
      "stays the paper's. Results do not depend on it");
  }
};

}  // namespace winnow
