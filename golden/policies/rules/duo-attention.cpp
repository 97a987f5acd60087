#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Retrieval heads and streaming heads. Which is which comes with the trace (`head_scores`, traces/README.md); half of
// the heads are full, as the paper has it for grouped queries. Streaming heads see 16 sinks and the newest eighth; the
// paper's counts are 64 and 256 at contexts from 32,000 tokens on. The paper learns the classes, ours are measured: how
// much a head looks at what followed the same token before.
Policy make() {
  Policy p;
  p.name = "duo-attention";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.protect_first = 16;
  p.protect_newest_share = 0.125;
  p.full_heads = 0.5;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry duo_attention() {
  return {"duo-attention", Family::places,
          "half of the KV heads see everything, the others the first tokens and the newest",
          "Xiao et al., \"DuoAttention\", ICLR 2025 (arXiv 2410.10819), 3.1 and 3.2", make};
}

}  // namespace winnow::golden::rules
