#pragma once
// The page stage: before a step reads a token, it scores a key of each page, a handful of bits, and keeps the pages
// that score highest. Blocks, chunks and landmarks of the literature are all this, with other keys (docs/policies.md).
//
// in    the codes of a KV head with a key a page, a query's codes, which pages may be left out (Schedule::pages)
// out   the tokens that the step reads, ascending: those of the pages kept and of all pages that were never in question
// Score of a page, a query head: the dot product of the query with the page's key; with bounds the largest score that a
// key within them could have. Over the group's live heads the largest probability counts, of a softmax over the pages
// that is softened by kPageSoftening, so that it tells low scores apart too. Ties: the first pages stay.
#include <cstdint>
#include <vector>

#include "golden/policies/decisions.h"
#include "golden/quant.h"

namespace winnow::golden {

class PageStage {
 public:
  explicit PageStage(const Quantized& model) : model_(model) {}

  // Tokens that the query at `position`, the last of its step, reads for a KV head. `heads`: live query heads of the
  // group, a bit each, at least one. `choice` must choose.
  void choose(int layer, int kv_head, int position, std::uint32_t heads, const PageChoice& choice,
              std::vector<std::uint32_t>& tokens);

 private:
  const Quantized& model_;
  std::vector<std::int64_t> scores_;
  std::vector<std::uint32_t> exponentials_, kept_;
  std::vector<std::uint64_t> items_;
};

}  // namespace winnow::golden
