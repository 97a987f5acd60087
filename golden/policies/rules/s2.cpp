#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Sparsely sharded attention: the context is dealt out in blocks, a shard to a head, beside a local window. Models are
// trained so; in one that is not, values are right and accuracy is not claimed. The paper has several strides; this is
// the one of its main results, block 16 and a quarter of the blocks.
Policy make() {
  Policy p;
  p.name = "s2";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.protect_newest_share = 0.125;
  p.shards = 4;
  p.shard_block = 16;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry s2() {
  return {"s2", Family::places, "each KV head sees its own blocks of 16 tokens, one in four, and the newest eighth",
          "Lin et al., \"S2-Attention\", 2024 (arXiv 2407.17678), 3", make};
}

}  // namespace winnow::golden::rules
