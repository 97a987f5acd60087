#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A pattern a head, of blocks, made once of full attention and used ever after. SparseD is for diffusion models, whose
// denoising steps all see the same tokens; here a generation step stands for one, the first is the one that makes the
// pattern, and blocks that came since, or that a token came to, stay beside it. Open in what we have of the paper,
// chosen here: blocks of 16 tokens and a share of 30 %; with grouped queries a block has the sum over the group's
// heads; only one step is full, where the paper's first fifth is. It selects among the prompt's keys and the generated
// ones apart; here the latter all stay.
Policy make() {
  Policy p;
  p.name = "sparse-d";
  p.tokens = {0.3, 0.3};
  p.tokens_free = 0;
  p.full_every = 1 << 20;
  p.importance_block = 16;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry sparse_d() {
  return {"sparse-d", Family::places,
          "a KV head keeps the blocks of 16 tokens that weighed most in the first generation step, and what came since",
          "Wang et al., \"SparseD\", 2025 (arXiv 2509.24014)", make};
}

}  // namespace winnow::golden::rules
