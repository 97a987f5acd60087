"""The basis in which a model's queries are white and its keys uncorrelated, measured on a text.

For every KV head, with E[q q'] = C C' over its group's queries and U the eigenvectors of C' cov(k) C, the largest
first: T = U' C'. Then T^-T q is white, T (k - mean) is uncorrelated, and q . k is their product but for one number a
query.
Queries and keys are taken after position encoding, so the text's windows have to be as long as any sentence that the
basis is for. Token 0 is left out: it draws attention for another reason than others, and its key is kept exact."""

import numpy as np
from winnow_traces.basis_file import Basis
from winnow_traces.decoder import DecoderState
from winnow_traces.progress import progress_bar

from winnow._core import KeyBasis

# Of the mean square of queries, what is added to each direction's, so that one that the text never uses has an inverse.
RIDGE = 1e-6


def for_golden(basis):
    return KeyBasis(basis.transform, basis.mean, basis.range)


def head_basis(square, k):
    """(transform [D, D], mean [D], range [D]) in float64, of queries' `square` E[q q'] [D, D] and keys k [n, D]."""
    k = np.asarray(k, np.float64)
    mean = k.mean(axis=0)
    root = np.linalg.cholesky(square + RIDGE * np.trace(square) / len(square) * np.eye(len(square)))
    centred = k - mean
    _, vectors = np.linalg.eigh(root.T @ (centred.T @ centred / len(k)) @ root)
    transform = vectors[:, ::-1].T @ root.T
    return transform, mean, np.abs(centred @ transform.T).max(axis=0)


def measure(model, ids):
    """The Basis of a decoder over windows `ids` [count, tokens], which run dense in float."""
    s, (count, tokens) = model.shape, ids.shape
    square = np.zeros((s.layers, s.kv_heads, s.head_dim, s.head_dim))
    k = np.empty((s.layers, s.kv_heads, count, tokens - 1, s.head_dim), np.float32)
    with progress_bar(count * tokens, "token", "basis") as bar:
        for window, row in enumerate(ids):
            state = DecoderState(s, tokens)
            model.forward(state, row)
            for layer in range(s.layers):
                q = state.q[layer][:, 1:].reshape(s.kv_heads, -1, s.head_dim).astype(np.float64)
                square[layer] += q.transpose(0, 2, 1) @ q / q.shape[1] / count
                k[layer, :, window] = state.k[layer][:, 1:]
            bar.update(tokens)
    parts = [
        head_basis(square[layer, head], k[layer, head].reshape(-1, s.head_dim))
        for layer in range(s.layers)
        for head in range(s.kv_heads)
    ]
    shape = (s.layers, s.kv_heads)
    transform, mean, largest = (np.asarray(part, np.float32).reshape(*shape, *part[0].shape) for part in zip(*parts))
    return Basis(transform, mean, largest)
