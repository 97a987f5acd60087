"""What a finished evaluation says, kind by kind: (facts of dense float, a frame with a row a policy, a frame with a row
a policy and window)."""

import numpy as np
import pandas

from winnow.accuracy import encoder
from winnow.accuracy.statistics import mean_and_error, paired_change, share_interval


def _traffic(run, p, per_window):
    """Figures of bytes, of a policy over all windows."""
    kv, dense = sum(run.column(p, "kv_bytes")), sum(run.column(p, "dense_elements"))
    bursts, basis = sum(run.column(p, "kv_burst_bytes")), sum(run.column(p, "basis_bytes"))
    tokens = sum(run.column(p, "tokens"))
    return {
        "kv_bytes_a_token": kv / (len(run.ids) * per_window),
        "kv_burst_bytes_a_token": bursts / (len(run.ids) * per_window),
        "below_fp32": 4 * dense / kv,
        "below_12_bit": 1.5 * dense / kv,
        "bursts_below_12_bit": 1.5 * dense / bursts,
        "basis_bytes_a_token": basis / (len(run.ids) * per_window),
        "below_fp32_with_basis": 4 * dense / (kv + basis),
        "below_12_bit_with_basis": 1.5 * dense / (kv + basis),
        "tokens_left": sum(run.column(p, "survivors")) / tokens,
        "values_read": sum(run.column(p, "values")) / tokens,
    }


def perplexity_tables(run):
    nll = np.asarray(run.column(0, "nll"))
    rows, by_window = [], []
    for p, name in enumerate(run.policies, 1):
        mine = np.asarray(run.column(p, "nll"))
        change = paired_change(mine, nll)
        rows.append(
            {
                "policy": name,
                "perplexity": float(np.exp(mine.mean())),
                "change_per_cent": change.per_cent,
                "standard_error": change.standard_error,
                "interval_low": change.low,
                "interval_high": change.high,
                **_traffic(run, p, nll.shape[1]),
            }
        )
        for window in range(len(run.ids)):
            kv = run.points[window][p]["kv_bytes"]
            by_window.append((name, window, nll[window].mean(), mine[window].mean(), kv))
    frame = pandas.DataFrame(by_window, columns=["policy", "window", "dense_nll", "nll", "kv_bytes"])
    return {"perplexity of dense float": float(np.exp(nll.mean()))}, pandas.DataFrame(rows), frame


def embedding_tables(run):
    dense = run.column(0, "embedding")
    rows, by_window = [], []
    for p, name in enumerate(run.policies, 1):
        figures = encoder.agreement(run.column(p, "embedding"), dense)
        cosine = figures.pop("cosine")
        mean, error = mean_and_error(cosine)
        rows.append(
            {
                "policy": name,
                "cosine": mean,
                "standard_error": error,
                **figures,
                **_traffic(run, p, run.ids.shape[1]),
            }
        )
        for window, one in enumerate(cosine):
            by_window.append((name, window, float(one), run.points[window][p]["kv_bytes"]))
    return {}, pandas.DataFrame(rows), pandas.DataFrame(by_window, columns=["policy", "window", "cosine", "kv_bytes"])


def _by_depth(found, needles):
    """{found_at_D: share} of every depth D, in rising order."""
    depths = np.asarray([needle.depth for needle in needles])
    return {f"found_at_{depth:g}": float(found[depths == depth].mean()) for depth in np.unique(depths)}


def needle_tables(run, needles):
    """Of windows that end with an answer (needle.py)."""

    def answers(column):
        rows = (row[-needle.answer_tokens :] for row, needle in zip(column, needles))
        return [np.asarray(row) for row in rows]

    def likelihood_and_found(p):
        nll = np.asarray([row.mean() for row in answers(run.column(p, "nll"))])
        return nll, np.asarray([row.all() for row in answers(run.column(p, "top"))])

    dense_nll, dense_found = likelihood_and_found(0)
    rows, by_window = [], []
    for p, name in enumerate(run.policies, 1):
        nll, found = likelihood_and_found(p)
        low, high = share_interval(int(found.sum()), len(found))
        change, error = mean_and_error(nll - dense_nll)
        rows.append(
            {
                "policy": name,
                "found": float(found.mean()),
                "found_low": low,
                "found_high": high,
                "lost": int((dense_found & ~found).sum()),
                "gained": int((found & ~dense_found).sum()),
                "answer_nll": float(nll.mean()),
                "answer_nll_change": change,
                "standard_error": error,
                **_by_depth(found, needles),
                **_traffic(run, p, len(run.points[0][p]["nll"])),
            }
        )
        for window, needle in enumerate(needles):
            of_dense, mine = bool(dense_found[window]), bool(found[window])
            kv = run.points[window][p]["kv_bytes"]
            by_window.append(
                (name, window, needle.depth, needle.name, needle.answer.strip())
                + (of_dense, mine, dense_nll[window], nll[window], kv)
            )
    low, high = share_interval(int(dense_found.sum()), len(dense_found))
    facts = {
        "found by dense float": float(dense_found.mean()),
        "interval of dense float": [low, high],
        "found by dense float by depth": _by_depth(dense_found, needles),
        "answer nll of dense float": float(dense_nll.mean()),
    }
    columns = ["policy", "window", "depth", "fact", "answer", "dense_found", "found", "dense_nll", "nll", "kv_bytes"]
    return facts, pandas.DataFrame(rows), pandas.DataFrame(by_window, columns=columns)
