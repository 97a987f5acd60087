"""An encoder with golden's attention in it: embeddings of windows, against those of the dense float model.

An embedding is the mean over the tokens that live in the last layer, of length 1."""

from dataclasses import dataclass

import numpy as np

from winnow.accuracy.statistics import rank_correlation
from winnow.golden import Session


@dataclass
class Point:
    """One window under one policy."""

    embedding: list[float]
    kv_bytes: int
    kv_burst_bytes: int
    basis_bytes: int  # as of a decoder; an encoder has none
    dense_elements: int
    tokens: int
    keys: int
    survivors: int
    values: int


def pooled(hidden, tokens=None):
    mean = (hidden if tokens is None else hidden[tokens]).mean(axis=0, dtype=np.float64)
    return mean / np.linalg.norm(mean)


def run_dense(model, ids):
    """(q, k, v, embedding) of one window, dense in float32."""
    q, k, v, hidden = model.forward(ids)
    return q, k, v, pooled(hidden)


def run_policy(model, ids, dense, policy, align=4096):
    """A Point of one window; `dense`: of run_dense, which scales are taken from at first."""
    s = model.shape
    q, k, v, _ = dense
    values = [[np.ascontiguousarray(one) for one in part] for part in (q, k, v)]
    session = Session(policy, *values, len(ids), 0, s.scale, False, align)
    living = []

    def attend(layer, q, k, v):
        out = np.empty_like(q, order="C")
        made = session.prompt_layer(*(np.ascontiguousarray(part) for part in (q, k, v)), out)
        living[:] = [made.live(0)]
        return out

    *_, hidden = model.forward(ids, attend=attend)
    totals = session.prompt_totals
    return Point(
        [float(x) for x in pooled(hidden, living[0])],
        totals.accesses.kv_bytes,
        totals.accesses.kv_burst_bytes,
        totals.accesses.basis_bytes,
        totals.dense_elements,
        totals.tokens,
        totals.keys,
        totals.survivors,
        totals.values,
    )


def agreement(embeddings, dense):
    """{figure: value} of two sets of embeddings [windows, width] of length 1."""
    a, b = np.asarray(embeddings), np.asarray(dense)
    cosine = (a * b).sum(axis=1)
    of_a, of_b = a @ a.T, b @ b.T
    above = np.triu_indices(len(a), 1)
    for similar in (of_a, of_b):
        np.fill_diagonal(similar, -2)
    return {
        "cosine": cosine,
        "cosine_min": float(cosine.min()),
        "rank_correlation": rank_correlation(of_a[above], of_b[above]) if len(a) > 2 else float("nan"),
        "same_nearest": float((of_a.argmax(axis=1) == of_b.argmax(axis=1)).mean()),
    }
