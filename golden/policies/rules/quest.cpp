#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// Query-aware pages: of each page of 16 tokens the smallest and the largest element a channel bound what any of its
// keys can score; the pages with the largest bounds are read, in all layers but the first two. The paper's bounds are
// as wide as its keys; here six bits of each, side by side in one word. It chooses for each query head; heads that
// share keys choose together here. The last page, which has no bounds before it is full, is always read.
Policy make() {
  Policy p;
  p.name = "quest";
  p.pages = 16;
  p.page_key = PageKey::bounds;
  p.page_bits = 6;
  p.page_keep = 0.25;
  p.tokens_free = 0.0625;
  p.k_digits = {8};
  p.k_scale = KeyScale::channel;
  p.v_bits = 8;
  p.v_scale = ValueScale::token;
  return p;
}

}  // namespace

PolicyEntry quest() {
  return {"quest", Family::pages, "reads the pages in which a key between the page's bounds could score highest",
          "Tang et al., \"Quest\", ICML 2024 (arXiv 2406.10774), 3", make};
}

}  // namespace winnow::golden::rules
