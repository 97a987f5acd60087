#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Heavy hitters: a fifth of the tokens stays, half of them the newest, half those with the largest sum of probabilities
// so far, in every layer and KV head (the paper's budget of 20 %). Open in the paper, chosen here: with grouped queries
// a token earns from all heads of the group; a token that was left out earns nothing and returns only if its sum is
// again among the largest. It acts in generation steps; the prompt's rows see all of the prompt.
Policy make() {
  Policy p;
  p.name = "h2o";
  p.tokens = {0.2, 0.2};
  p.tokens_free = 0;
  p.protect_newest_share = 0.1;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry h2o() {
  return {"h2o", Family::places,
          "a KV head keeps the tokens that have earned most probability, and the newest ones, half each",
          "Zhang et al., \"H2O\", NeurIPS 2023 (arXiv 2306.14048), 4", make};
}

}  // namespace winnow::golden::rules
