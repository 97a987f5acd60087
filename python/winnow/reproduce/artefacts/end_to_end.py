"""(12) A whole model: FC layers on the same multipliers, by a stated model.

The machine has no path for weights, so this is no simulation but a roofline: a generated token multiplies every weight
once, so its FC layers take the longer of fetching all weights at the bandwidth that the memory was measured to give,
and of multiplying them on all multipliers. Attention beside it is simulated."""

from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table
from winnow.reproduce.workload import GPT2_MEDIUM, STEPS

# GPT-2-medium: layers, width, vocabulary (Radford et al. 2019; its published configuration).
LAYERS, WIDTH, VOCABULARY = 24, 1024, 50257
BITS = [8, 12]
# Dense decode whose memory is busy throughout: what a stream of weights could have, too.
STREAM = "synthetic:layers=2,heads=12,kv_heads=12,head_dim=64,tokens=512,prompt=508,causal=1,seed=1"


def weights():
    """{part: weights that a token multiplies}. A layer has the projections of Q, K, V and outputs, and two matrices of
    the FFN, which is four times as wide."""
    return {
        "projections of attention": LAYERS * 4 * WIDTH * WIDTH,
        "FFN": LAYERS * 8 * WIDTH * WIDTH,
        "prediction of the word": VOCABULARY * WIDTH,
    }


def fc_seconds(count, bits, bandwidth, multipliers, clock, tokens=STEPS):
    """(fetching, multiplying) of `count` weights for each of these tokens, one after the other."""
    return tokens * count * bits / 8 / bandwidth, tokens * count / (multipliers * clock)


def reproduce(m):
    made, rows = Result(), []
    stream = m.run(STREAM, "spatten", "dense", steps=(1, 4))
    bandwidth = stream.value("summary.bandwidth_achieved")
    multipliers = sum(int(stream.setting(f"machine.{block}.multipliers")) for block in ("qk", "pv"))
    clock = 1e9 * float(stream.setting("machine.clock_ghz"))
    attention = m.run(GPT2_MEDIUM, "spatten").value("summary.time_at_the_clock")
    parts = weights()
    blocks_only = parts["projections of attention"] + parts["FFN"]
    totals = {"layers alone": blocks_only, "layers and prediction": sum(parts.values())}
    longest = {}
    for what, count in totals.items():
        for bits in BITS:
            fetch, multiply = fc_seconds(count, bits, bandwidth, multipliers, clock)
            longest[what, bits] = max(fetch, multiply)
            rows.append([what, count, bits, fetch, multiply, longest[what, bits], attention])
    made.tables.append(
        Table(
            "end-to-end",
            f"GPT-2-medium, {STEPS} tokens after 992: FC layers by the model, attention simulated",
            [
                "weights of",
                "weights",
                "bits",
                f"fetching at {bandwidth / 1e9:.0f} GB/s [s]",
                f"multiplying, {multipliers} a cycle [s]",
                "FC layers [s]",
                "attention [s]",
            ],
            rows,
        )
    )
    said = paper.reported()["end_to_end_gpt2_medium"]["spatten"]
    fc, their_attention = 1e3 * said["fully_connected"]["value"], 1e3 * said["attention"]["value"]
    whole, inner = 1e3 * longest["layers and prediction", 8], 1e3 * longest["layers alone", 8]
    at_peak = 1e3 * longest["layers and prediction", 8] * bandwidth / 512e9
    made.besides += [
        Beside(
            "FC layers, 8 bit, with the prediction of the word",
            fc,
            whole,
            "ms",
            f"a bandwidth bound: {bandwidth / 1e9:.0f} GB/s of 512 were reached on a dense decode; at the pins' peak "
            f"it is {at_peak:.1f} ms",
        ),
        Beside(
            "FC layers, 8 bit, layers alone",
            fc,
            inner,
            "ms",
            "the same without the 51 million weights of the prediction",
        ),
        Beside(
            "FC layers, 12 bit, with the prediction",
            fc,
            1e3 * longest["layers and prediction", 12],
            "ms",
            "half as many bytes again",
        ),
        Beside(
            "attention, GPT-2-medium, the authors' counts",
            their_attention,
            1e3 * attention,
            "ms",
            "simulated, 32 steps; on a machine with our latencies and conflicts; the file fetches K at 12 bits "
            "throughout",
        ),
        Beside(
            "attention's share of the whole",
            100 * their_attention / (fc + their_attention),
            100 * attention / (attention + longest["layers and prediction", 8]),
            "%",
            "follows from the two above",
        ),
    ]
    names = [f"{what}, {bits} bit" for what, bits in longest]
    made.figures.append(
        plots.bars(
            "end-to-end",
            "Generating 32 tokens with GPT-2-medium",
            "FC layers by the model below, attention as simulated. The paper's machine is the last bar.",
            "bytes of weights over the bandwidth that was measured; summary.time_at_the_clock",
            [*names, "the paper"],
            {
                "FC layers": [1e3 * longest[key] for key in longest] + [fc],
                "attention": [1e3 * attention] * len(longest) + [their_attention],
            },
            "ms",
            stacked=True,
        )
    )
    fetch, multiply = fc_seconds(totals["layers and prediction"], 8, bandwidth, multipliers, clock)
    made.cause = (
        f"The model: each of {STEPS} tokens fetches {totals['layers and prediction'] / 1e6:.0f} million weights "
        f"({blocks_only / 1e6:.0f} million of {LAYERS} layers of width {WIDTH:,}, the rest predicts the word) and "
        f"multiplies each once. Fetching takes {1e3 * fetch:.1f} ms at 8 bit, multiplying {1e3 * multiply:.1f} ms, so "
        "memory bounds it, and weights of more bits take in proportion longer. No weight is simulated. That the "
        "paper's FC layers are 8 bit with the prediction is what its figure is consistent with; it does not say."
    )
    made.not_had.append(
        NotHad(
            "the GPU's 388.3 + 366.7 ms end to end",
            "no TITAN Xp was at hand, and FC layers were not measured on others",
        )
    )
    return made


ARTEFACT = Artefact(
    12,
    "end-to-end",
    "End to end with FC layers",
    f"GPT-2-medium, 992 tokens and 32 generated: FC layers 25.75 ms, attention 2.13 ms ({paper.EVALUATION}, end to "
    "end)",
    "Attention simulated by the authors' counts; FC layers by a roofline of fetching and multiplying weights.",
    reproduce,
)
