#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Retrieval heads keep everything; the others keep the first tokens and the newest fifth, and all that they drop
// becomes one token more: its key and value are the means of theirs, and its exponential counts as often as they are
// many. The paper's heads are told by echo and induction scores, 15 % of all; here by the head scores of the trace,
// which are measured on a repeated text too. It protects whole models' heads of multi-head attention; here KV heads.
Policy make() {
  Policy p;
  p.name = "razor-attention";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.protect_first = 4;
  p.protect_newest_share = 0.2;
  p.full_heads = 0.15;
  p.merge = true;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry razor_attention() {
  return {"razor-attention", Family::places,
          "retrieval heads see everything, the others sinks, a window, and one token that stands for what they dropped",
          "Tang et al., \"RazorAttention\", 2024 (arXiv 2407.15891), 3", make};
}

}  // namespace winnow::golden::rules
