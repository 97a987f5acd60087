"""How sure a change is: paired over windows."""

import math
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


def _at_least(successes, trials, probability):
    """The probability, above 0 and below 1, of so many successes or more."""
    k = np.arange(successes, trials + 1)
    ways = [math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1) for i in k]
    return float(np.exp(ways + k * math.log(probability) + (trials - k) * math.log1p(-probability)).sum())


def share_interval(successes, trials):
    """(low, high) of a share: the exact 95 % interval of Clopper and Pearson (Biometrika 26, 1934). At its ends so many
    successes, or more, and so many, or fewer, have a probability of 2.5 % each."""

    def share_at(count, wanted):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if _at_least(count, trials, middle) < wanted else (low, middle)
        return low

    return (
        share_at(successes, 0.025) if successes else 0.0,
        share_at(successes + 1, 0.975) if successes < trials else 1.0,
    )


def ranks(values):
    """Ranks from 0, equal values share the mean of theirs."""
    values = np.asarray(values)
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[where]


def rank_correlation(a, b):
    """Spearman's."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
