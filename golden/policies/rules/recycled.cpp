#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A step that looks at everything says for the steps behind it where to look: every eighth step sees all tokens, those
// between the fifth that had most probability in it and the tokens that came since. Open in what we have of the paper,
// chosen here: with grouped queries a token has the sum over the group's heads; the share is one of the tokens that the
// full step saw, its own among them, and tokens that came since do not push others out. The paper's alternative, full
// steps where queries change much, is not there. The prompt's rows see all of the prompt, and the first generated token
// is a full step.
Policy make() {
  Policy p;
  p.name = "recycled";
  p.tokens = {0.2, 0.2};
  p.tokens_free = 0;
  p.full_every = 8;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry recycled() {
  return {"recycled", Family::places,
          "every eighth step sees all tokens, those between the fifth that weighed most in it, and what came since",
          "Xu et al., \"Recycled Attention\", 2024 (arXiv 2411.05787)", make};
}

}  // namespace winnow::golden::rules
