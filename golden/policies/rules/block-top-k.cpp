#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Block top-k: blocks of 16 tokens are scored by the query and the mean of their keys; the first block, the newest and
// the best are read, a quarter in all. The paper gives the block size and the mean; how many sinks and local tokens it
// adds is open there: one block each here.
Policy make() {
  Policy p;
  p.name = "block-top-k";
  p.pages = 16;
  p.page_key = PageKey::mean;
  p.page_bits = 8;
  p.page_keep = 0.25;
  p.tokens_free = 0;
  p.protect_first = 4;
  p.protect_newest = 16;
  p.k_digits = {8};
  p.k_scale = KeyScale::channel;
  p.v_bits = 8;
  p.v_scale = ValueScale::token;
  return p;
}

}  // namespace

PolicyEntry block_top_k() {
  return {"block-top-k", Family::pages, "reads the first block, the newest, and those whose mean key scores highest",
          "Sadhukhan et al., \"Kinetics\", 2025 (arXiv 2506.05333), block top-k attention", make};
}

}  // namespace winnow::golden::rules
