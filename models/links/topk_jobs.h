#pragma once
// Controller -> top-k, cascade -> its top-k unit, and their answers.
#include <cstdint>

#include "models/prim/link.h"
#include "models/prim/refs.h"
#include "models/prim/tag.h"

namespace winnow {

namespace topk {

enum class Rule : std::uint8_t { count, mass };

// One selection: n items follow in rows of P, all full but the last.
struct Job {
  unsigned n = 0;
  Rule rule = Rule::count;
  unsigned amount = 0;  // count: k in 1..n; mass: mu16 in 1..65536
};

}  // namespace topk

// What is chosen among, for reports.
enum class Candidates : std::uint8_t { tokens, values, heads };
const char* name_of(Candidates candidates);

// The items are a group's selection scores (`from_store`), or a list of importances.
struct TopkJob {
  topk::Job job;
  Candidates what = Candidates::tokens;
  Tag tag;                     // whose; head kAllHeads: of all
  ListRef names = kEveryItem;  // token (or head) of each item
  bool from_store = false;
  std::uint16_t store = 0;    // items are this group's selection scores, kept flags go beside them; else
  ItemsRef items = 0;         // these
  ListRef kept = kEveryItem;  // where the names of what stays go, in order; kEveryItem: nowhere

  const char* what_kind() const { return name_of(what); }

  template <class V>
  void fields(V&& v) {
    v("n", job.n, 17), v("rule", job.rule, 1), v("amount", job.amount, 17), v("what", what, 2);
    tag.fields(v);
    v("names", names, 8), v("from_store", from_store, 1), v("store", store, 4), v("items", items, 8),
        v("kept", kept, 8);
  }
};
struct TopkDone {
  std::uint16_t store = 0;  // as the job's
  std::uint32_t kept = 0;

  template <class V>
  void fields(V&& v) {
    v("store", store, 4), v("kept", kept, 17);
  }
};

struct TopkJobs {
  using Payload = TopkJob;
  static constexpr LinkInfo kInfo{"topk_jobs", "controller", "topk", "queries of a prompt that wait for the engine",
                                  true};
  static std::size_t depth(const Sizes&) { return 8; }
};
struct TopkAnswers {
  using Payload = TopkDone;
  static constexpr LinkInfo kInfo{"topk_answers", "topk", "controller", "the engine has one job at a time"};
  static std::size_t depth(const Sizes&) { return 4; }
};
struct CascadeJobs {
  using Payload = TopkJob;
  static constexpr LinkInfo kInfo{"cascade_jobs", "cascade", "cascade_topk", "the next may wait while one is at work",
                                  true};
  static std::size_t depth(const Sizes&) { return 4; }
};
struct CascadeAnswers {
  using Payload = TopkDone;
  static constexpr LinkInfo kInfo{"cascade_answers", "cascade_topk", "controller", "the engine has one job at a time"};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
