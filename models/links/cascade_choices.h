#pragma once
// Controller -> cascade: which tokens or heads are to be chosen for the next layer, and whose chances are to be
// counted.
#include <cstdint>

#include "golden/policies/decisions.h"
#include "models/links/topk_jobs.h"
#include "models/prim/link.h"

namespace winnow {

struct CascadeChoice {
  enum class Kind : std::uint8_t {
    choose,  // items of the job's names from the importance memory, compared by the cascade's top-k unit
    given,   // shape-only: the items stand in their memory already; time alone passes
    chances  // every token of the list was visible in so many rows of queries (importance rule `normalised`)
  };
  Kind kind = Kind::choose;
  TopkJob job;                          // chances: names and n alone
  golden::TokenChoice rule;             // tokens: who is protected, and what is compared
  std::uint32_t base = 0;               // of the KV head's importances, or of the heads'
  std::uint32_t chances_base = 0;       // of the sequence's
  bool prompt = false, causal = false;  // chances: which rows see a token

  const char* what_kind() const { return job.what_kind(); }

  template <class V>
  void fields(V&& v) {
    v("kind", kind, 2);
    job.fields(v);
    v("first_end", rule.first_end, 13), v("newest_from", rule.newest_from, 17), v("normalised", rule.normalised, 1);
    v("shards", rule.shards, 7), v("shard_block", rule.shard_block, 13), v("shard", rule.shard, 6);
    v("block", rule.block, 7);
    v("base", base, 24), v("chances_base", chances_base, 24), v("prompt", prompt, 1), v("causal", causal, 1);
  }
};

struct CascadeChoices {
  using Payload = CascadeChoice;
  static constexpr LinkInfo kInfo{"cascade_choices", "controller", "cascade", "one a KV head may wait", true};
  static std::size_t depth(const Sizes&) { return 4; }
};

}  // namespace winnow
