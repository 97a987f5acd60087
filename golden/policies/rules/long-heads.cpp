#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Chunks: each head reads the first chunk, the last, and those whose representation scores highest. The paper's
// representation is an attention within the chunk, and its chunks have 256 tokens for contexts of tens of thousands;
// here it is the mean of the keys, and a chunk has 32, since sentences are shorter.
Policy make() {
  Policy p;
  p.name = "long-heads";
  p.pages = 32;
  p.page_key = PageKey::mean;
  p.page_bits = 12;
  p.page_keep = 0.5;
  p.tokens_free = 0;
  p.protect_first = 1;
  p.protect_newest = 1;
  return p;
}

}  // namespace

PolicyEntry long_heads() {
  return {"long-heads", Family::pages, "reads the first chunk, the last, and those whose mean key scores highest",
          "Lu et al., \"LongHeads\", 2024 (arXiv 2402.10685), 3", make};
}

}  // namespace winnow::golden::rules
