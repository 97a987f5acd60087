#include "golden/policies/rules/rules.h"

namespace winnow::golden::rules {
namespace {

// A small network has said beforehand whom each query sees: its mask comes with the trace (`mask`, traces/README.md),
// a bit a token, KV head and generation step. What makes the mask is no part of the machine: its bits reach the
// controller as a list's places do. The query's own token is always seen. Sparsifiner predicts a mask of low rank for
// every query of an encoder, Dynamic Mask Attention one from the values for every query head; here it is a KV head's.
Policy make() {
  Policy p;
  p.name = "masked";
  p.tokens = {0, 0};
  p.tokens_free = 0;
  p.token_mask = TokenMask::trace;
  p.scope = ImportanceScope::kv_head;
  return p;
}

}  // namespace

PolicyEntry masked() {
  return {
      "masked", Family::variants, "a KV head sees the tokens of a mask that a trained predictor wrote",
      "Wei et al., \"Sparsifiner\", CVPR 2023, 3.2; Shi et al., \"Dynamic Mask Attention\", 2025 (arXiv 2508.02124)",
      make};
}

}  // namespace winnow::golden::rules
