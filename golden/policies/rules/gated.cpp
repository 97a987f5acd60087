#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A sigmoid of the token gates each head's output. The gate comes with the trace (`head_weights`, traces/README.md) and
// lies behind the query in memory, 16 bits; a model trained so needs no sink, hence none is kept. The paper compares a
// gate a head with one an element: this is a gate a head. With progressive selection, since it fits any rule.
Policy make() {
  Policy p = select().make();
  p.name = "gated";
  p.head_weights = HeadWeights::gate;
  return p;
}

}  // namespace

PolicyEntry gated() {
  return {"gated", Family::variants, "select, with each head's output behind a gate of its token",
          "Qiu et al., \"Gated Attention for Large Language Models\", NeurIPS 2025 (arXiv 2505.06708), 2.2", make};
}

}  // namespace winnow::golden::rules
