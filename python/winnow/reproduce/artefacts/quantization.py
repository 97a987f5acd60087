"""(10) Quantization error against the largest probability, and how often LSBs are fetched."""

import numpy as np

import winnow
from winnow import golden
from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, Result, Table
from winnow.reproduce.workload import COLUMNS, GPT2_SMALL

BITS = [4, 6, 8]  # of the MSBs
THRESHOLD = 0.1
EDGES = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
SETTINGS = [(4, 4), (6, 4), (8, 4)]


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def quantized(values, scale_from, bits):
    """Linear and symmetric, one scale a head, from the prompt; later values saturate."""
    most = 2 ** (bits - 1) - 1
    scale = np.abs(scale_from).max(axis=(-2, -1), keepdims=True) / most
    return np.clip(np.rint(values / scale), -most - 1, most) * scale


def rows_of(trace, bits):
    """(largest probability, mean absolute error of probabilities) of all rows of generated tokens, K at these bits
    against float. NumPy, apart from golden."""
    largest, errors = [], []
    group = trace.heads // trace.kv_heads
    for layer in range(trace.layers):
        q, k = (np.asarray(one, dtype=np.float64) for one in (trace.q(layer), trace.k(layer)))
        coarse = quantized(k, k[:, : trace.prompt], bits)
        for at in range(trace.prompt, trace.tokens):
            keys, less = np.repeat(k[:, : at + 1], group, axis=0), np.repeat(coarse[:, : at + 1], group, axis=0)
            query = q[:, at, :, None]
            p = softmax((keys @ query)[..., 0] * trace.attention_scale)
            near = softmax((less @ query)[..., 0] * trace.attention_scale)
            largest.append(p.max(axis=-1))
            errors.append(np.abs(near - p).mean(axis=-1))
    return np.concatenate(largest), np.concatenate(errors)


def binned(largest, errors):
    """[(from, to, rows, mean largest probability, mean error)] of bins with rows in them."""
    place = np.clip(np.digitize(largest, EDGES) - 1, 0, len(EDGES) - 2)
    made = []
    for i in range(len(EDGES) - 1):
        inside = place == i
        if inside.any():
            made.append(
                (
                    float(EDGES[i]),
                    float(EDGES[i + 1]),
                    int(inside.sum()),
                    float(largest[inside].mean()),
                    float(errors[inside].mean()),
                )
            )
    return made


def refetch_rate(m, msb, lsb, threshold):
    """(share of heads' rows that are flat on MSBs, share of KV heads' rows that fetch LSBs), golden's, in decode."""
    policy = winnow.Policy("spatten", k_digits=[msb, lsb], threshold=threshold)
    flat = heads = refetched = groups = 0
    for layer in golden.walk(winnow.Trace.open(str(m.decoder)), policy):
        if layer.step:
            flat, heads = flat + layer.flat, heads + layer.row_heads
            refetched, groups = refetched + layer.refetched, groups + layer.row_groups
    return flat / heads, refetched / groups


def reproduce(m):
    made = Result()
    trace = winnow.Trace.open(str(m.decoder))
    curves, rows, slopes, bins_of = {}, [], {}, {}
    for bits in BITS:
        largest, errors = rows_of(trace, bits)
        bins = binned(largest, errors)
        rows += [[bits, *one] for one in bins]
        curves[f"K at {bits} bits"] = ([one[3] for one in bins], [one[4] for one in bins])
        bins_of[bits] = bins
        slopes[bits] = (float(np.mean(largest < THRESHOLD)), float(np.corrcoef(largest, errors)[0, 1]))
    made.tables.append(
        Table(
            "quantization-error",
            f"Error of probabilities by the largest of a row, {m.decoder_name}, all generated tokens, layers and heads",
            ["bits of K", "largest p from", "to", "rows", "mean largest p", "mean error of p"],
            rows,
        )
    )
    made.figures.append(
        plots.lines(
            "error",
            "Mean error of a probability, by the row's largest",
            "A point is a bin of rows. The paper draws such a cloud and concludes that rows with one large probability "
            "need no more bits.",
            "float attention in NumPy on the trace, K linear and symmetric with one scale a head",
            curves,
            "largest probability of the row",
            "mean absolute error of its probabilities",
            log_y=True,
        )
    )
    rates = [
        [f"{msb}+{lsb}", threshold, *refetch_rate(m, msb, lsb, threshold)]
        for msb, lsb in SETTINGS
        for threshold in (0.05, 0.1)
    ]
    of_file = GPT2_SMALL.rows()
    layer, refetches = COLUMNS.index("layer_id"), COLUMNS.index("if_requant")
    counts = [row[refetches] for row in of_file]
    first = sum(row[refetches] for row in of_file if row[layer] < 3)
    made.tables.append(
        Table(
            "refetch",
            f"Rows whose LSBs are fetched, policy spatten, {m.decoder_name}",
            ["bits of K", "threshold", "heads' rows that are flat", "KV heads' rows that fetch"],
            rates,
        )
    )
    usual = next(row for row in rates if row[0] == "8+4" and row[1] == THRESHOLD)
    share = 100 * sum(counts) / len(counts)
    made.besides += [
        Beside(
            "rows that need LSBs, GPT-2-small, the authors' counts",
            paper.REFETCH,
            share,
            "%",
            "one of the benchmarks behind the paper's mean, at threshold 0.05 and 6+4 bits; "
            f"{100 * first / sum(counts):.0f} % of them are in the first three layers",
        ),
        Beside(
            f"rows that need LSBs, a query head, {m.decoder_name}",
            paper.REFETCH,
            100 * usual[2],
            "%",
            f"at threshold {THRESHOLD} and 8+4 bits: {100 * slopes[8][0]:.0f} % of the rows of dense float attention "
            "are flatter",
        ),
        Beside(
            f"the same, a KV head, {m.decoder_name}",
            paper.REFETCH,
            100 * usual[3],
            "%",
            "any of the three query heads of a KV head fetches for all; the paper's models have one",
        ),
    ]
    bins = bins_of[BITS[0]]
    worst, last = max(bins, key=lambda one: one[4]), bins[-1]
    falls = last[4] < worst[4] / 2
    made.cause = (
        f"With 4 bits the mean error of a probability is {bins[0][4]:.2g} in the flattest rows, at most "
        f"{worst[4]:.2g}, where the largest is about {worst[3]:.2f}, and {last[4]:.2g} where it is above {last[0]:.1f} "
        f"(correlation over all rows {slopes[BITS[0]][1]:+.2f}). "
        + (
            "So rows that one token dominates need fewer bits, as the paper says. The flattest rows have small errors, "
            "too, since all their probabilities are small: relative to these the errors are large."
            if falls
            else "On this trace a large probability does not mean a small error."
        )
    )
    return made


ARTEFACT = Artefact(
    10,
    "quantization",
    "Quantization error and the largest probability",
    "Rows with a large probability have small quantization errors; 5.9 % of inputs need LSBs (III.D; V, evaluation)",
    "Float attention in NumPy over the trace, once with K rounded to 4, 6 or 8 bits; the refetch rate by golden under "
    "policy `spatten`.",
    reproduce,
)
