#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Keys and queries belong to the nearest of some centroids, and a query sees the keys of its own. A causal model of the
// paper has one vector for both, so that a token's cluster is its key's and its query's; it comes with the trace
// (`clusters`, traces/README.md). Finding it, a product with each centroid, is no part of the machine. The paper's
// clusters are of equal size, their members chosen by the distance from the centroid: whoever makes the trace has done
// that. The query's own token is always seen.
Policy make() {
  Policy p;
  p.name = "routing";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.token_mask = TokenMask::cluster;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry routing() {
  return {"routing", Family::variants, "a query sees the keys of its own cluster",
          "Roy et al., \"Efficient Content-Based Sparse Attention with Routing Transformers\", TACL 2021, 4.1", make};
}

}  // namespace winnow::golden::rules
