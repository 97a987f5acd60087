"""What tells a decoder's heads apart, for policies that treat them differently: how far back they look, and how far
they lie from each other.

Retrieval heads look far back. A text that nobody wrote, of tokens drawn at random, is read twice in a row. In its
second half a head can only know what comes next if it looks at the same place of the first half. How much it does is
its score (RazorAttention, arXiv 2407.15891: echo and induction heads)."""

import functools

import numpy as np

from winnow_traces.decoder import DecoderState

TOKENS = 96  # of the half
SEED = 1


@functools.lru_cache(maxsize=1)  # groups of windows ask for those of one model in turn
def retrieval_scores(model):
    """float32 [layers, KV heads], 0..1, of a Decoder: the probability that the second half's queries give to their own
    token in the first half (echo) and to the one behind it (induction), mean over queries; of a KV head the largest of
    its group."""
    s, begin = model.shape, len(model.begin)
    half = min(TOKENS, (s.context - begin) // 2)
    drawn = list(np.random.default_rng(SEED).permutation(s.vocabulary)[:half])
    state = DecoderState(s, begin + 2 * half)
    model.forward(state, [*model.begin, *drawn, *drawn])
    queries = np.arange(half)
    there = begin + queries  # where the first half has the query's token
    scores = np.zeros((s.layers, s.kv_heads), np.float32)
    for layer in range(s.layers):
        for head in range(s.heads):
            kv = head // (s.heads // s.kv_heads)
            rows = state.q[layer][head, begin + half :].astype(np.float64)
            products = rows @ state.k[layer][kv].T.astype(np.float64) * s.scale
            products[np.arange(begin + 2 * half)[None, :] > half + there[:, None]] = -np.inf
            p = np.exp(products - products.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            seen = (p[queries, there] + p[queries, there + 1]).mean()
            scores[layer, kv] = max(scores[layer, kv], np.float32(seen))
    return scores


def head_distances(q, k, v, prompt, scale):
    """float32 [layers, KV heads], 0..1: how far a KV head's output at the prompt's last token lies from the mean of its
    layer's, over the farthest of the layer (Task-KV, arXiv 2501.15113, calls that mean the semantic centre). Of a KV
    head the mean output of its group. q: a layer each, [heads, tokens, D]; k and v [KV heads, tokens, D]."""
    distances = np.zeros((len(q), len(k[0])), np.float32)
    for layer, (queries, keys, values) in enumerate(zip(q, k, v)):
        kv_heads, _, dim = keys.shape
        rows = queries[:, prompt - 1].astype(np.float64).reshape(kv_heads, -1, dim)
        products = np.einsum("hgd,htd->hgt", rows, keys[:, :prompt].astype(np.float64)) * scale
        p = np.exp(products - products.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        outputs = np.einsum("hgt,htd->hgd", p, values[:, :prompt].astype(np.float64)).mean(axis=1)
        far = np.linalg.norm(outputs - outputs.mean(axis=0), axis=-1)
        distances[layer] = far / far.max() if far.max() > 0 else far
    return distances
