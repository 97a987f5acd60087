#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Heads far from the others keep everything; the others keep sinks, the newest tokens, and of the middle those that
// earned most. How far a KV head is comes with the trace (`head_distances`, traces/README.md): the paper measures
// outputs at the prompt's end from their layer's mean, ours are of a KV head's group and relative to the layer's
// farthest, so that layers compare. The paper fixes how many heads of a layer are full; here a third of all KV heads.
Policy make() {
  Policy p;
  p.name = "task-kv";
  p.tokens = {0.25, 0.25};
  p.tokens_free = 0;
  p.protect_first = 4;
  p.protect_newest_share = 0.125;
  p.full_heads = 0.33;
  p.full_heads_by = HeadMeasure::distances;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry task_kv() {
  return {"task-kv", Family::places,
          "heads far from the semantic centre see everything, the others sinks, the newest and the middle's most used",
          "He et al., \"Task-KV\", 2025 (arXiv 2501.15113), 3", make};
}

}  // namespace winnow::golden::rules
