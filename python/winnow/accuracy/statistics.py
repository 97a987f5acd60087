"""How sure a change is: paired over windows."""

from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000


@dataclass(frozen=True)
class Change:
    """Of perplexity against another run on the same windows, all in per cent."""

    per_cent: float
    standard_error: float
    low: float  # 95 % bootstrap interval over windows
    high: float


def paired_change(nll, reference, seed=1):
    """`nll`, `reference`: negative log likelihoods [windows, predictions]. The change of exp(mean)."""
    differences = (np.asarray(nll, np.float64) - np.asarray(reference, np.float64)).mean(axis=1)
    n = len(differences)
    mean = differences.mean()
    error = differences.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
    picks = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    low, high = np.quantile(np.expm1(differences[picks].mean(axis=1)), [0.025, 0.975])
    return Change(100 * float(np.expm1(mean)), 100 * float(np.exp(mean) * error), 100 * float(low), 100 * float(high))


def mean_and_error(values):
    """Mean and its standard error over windows."""
    values = np.asarray(values, np.float64)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return float(values.mean()), float(error)


def ranks(values):
    """Ranks from 0, equal values share the mean of theirs."""
    values = np.asarray(values)
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[where]


def rank_correlation(a, b):
    """Spearman's."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
