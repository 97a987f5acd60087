#pragma once
// Controller -> importance: a group whose probabilities are added up; and the answer when they are.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/refs.h"

namespace winnow {

struct ImportanceJob {
  std::uint16_t store = 0;
  ListRef tokens = kEveryItem;  // token of each slot at the first pass
  std::uint32_t base = 0;       // of the list in the importance memory

  template <class V>
  void fields(V&& v) {
    v("store", store, 4), v("tokens", tokens, 8), v("base", base, 32);
  }
};
struct ImportanceDone {
  std::uint16_t store = 0;

  template <class V>
  void fields(V&& v) {
    v("store", store, 4);
  }
};

struct ImportanceJobs {
  using Payload = ImportanceJob;
  static constexpr LinkInfo kInfo{"importance_jobs", "controller", "importance",
                                  "groups of a prompt whose sums queue behind one another", true};
  static std::size_t depth(const Sizes&) { return 32; }
};
struct ImportanceAnswers {
  using Payload = ImportanceDone;
  static constexpr LinkInfo kInfo{"importance_answers", "importance", "controller",
                                  "short groups follow each other closely"};
  static std::size_t depth(const Sizes&) { return 8; }
};

}  // namespace winnow
