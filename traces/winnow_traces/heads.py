"""Which heads of a decoder look far back: retrieval heads, as policies that tell heads apart need them.

A text that nobody wrote, of tokens drawn at random, is read twice in a row. In its second half a head can only know what
comes next if it looks at the same place of the first half. How much it does is its score (RazorAttention, arXiv
2407.15891, 3.2: echo and induction heads)."""

import numpy as np

from winnow_traces.llama import LlamaState

TOKENS = 96  # of the half
SEED = 1


def retrieval_scores(model):
    """float32 [layers, KV heads], 0..1: the probability that the second half's queries give to their own token in the
    first half (echo) and to the one behind it (induction), mean over queries; of a KV head the largest of its group."""
    s = model.shape
    half = min(TOKENS, s.context // 2)
    drawn = np.random.default_rng(SEED).permutation(model.vocabulary)[:half]
    state = LlamaState(s, 2 * half)
    model.forward(state, np.concatenate([drawn, drawn]))
    queries = np.arange(half)
    scores = np.zeros((s.layers, s.kv_heads), np.float32)
    for layer in range(s.layers):
        for head in range(s.heads):
            kv = head // (s.heads // s.kv_heads)
            products = (
                state.q[layer][head, half:].astype(np.float64) @ state.k[layer][kv].T.astype(np.float64) * s.scale
            )
            products[np.arange(2 * half)[None, :] > half + queries[:, None]] = -np.inf
            p = np.exp(products - products.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            seen = (p[queries, queries] + p[queries, queries + 1]).mean()
            scores[layer, kv] = max(scores[layer, kv], np.float32(seen))
    return scores
