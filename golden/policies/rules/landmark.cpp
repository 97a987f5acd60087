#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Landmarks: the last token of each block stands for it; its key is scored first, and the blocks of the best landmarks
// are read. Models are trained so, with a token of its own behind every 63; in one that is not, values are right and
// accuracy is not claimed. The paper weighs a block's tokens by its landmark's probability too; here, as at its
// inference with retrieved blocks, a softmax over all that was read weighs them.
Policy make() {
  Policy p;
  p.name = "landmark";
  p.pages = 16;
  p.page_key = PageKey::landmark;
  p.page_bits = 12;
  p.page_keep = 0.25;
  p.tokens_free = 0;
  return p;
}

}  // namespace

PolicyEntry landmark() {
  return {"landmark", Family::pages, "reads the blocks whose last token's key scores highest",
          "Mohtashami and Jaggi, \"Landmark Attention\", NeurIPS 2023 (arXiv 2305.16300), 3", make};
}

}  // namespace winnow::golden::rules
