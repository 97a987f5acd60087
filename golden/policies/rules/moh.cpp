#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A router sends each token to some of the heads and weighs them. Its weights come with the trace (`head_weights`,
// traces/README.md), 0 for a head that a token is not sent to: in a generation step such a head's query is not read,
// and K and V are not where no head of the group is left. A prompt holds tokens of all kinds, so that all its heads run
// and the weight alone acts. The router itself, a product with the token, is no part of the machine.
Policy make() {
  Policy p;
  p.name = "moh";
  p.head_weights = HeadWeights::route;
  return p;
}

}  // namespace

PolicyEntry moh() {
  return {"moh", Family::variants, "a router picks the heads of each token and weighs their outputs",
          "Jin et al., \"MoH: Multi-Head Attention as Mixture-of-Head Attention\", 2024 (arXiv 2410.11842), 3.2", make};
}

}  // namespace winnow::golden::rules
