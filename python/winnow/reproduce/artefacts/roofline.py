"""(8) Roofline."""

from winnow.report import figures
from winnow.reproduce import paper
from winnow.reproduce.artefact import Artefact, Beside, Result, Table
from winnow.reproduce.techniques import workloads
from winnow.reproduce.workload import GPT2_MEDIUM, GPT2_SMALL

# BERT-base's shape; its length is SQuAD's longest. Values are random: nothing in time hangs on them but ties.
BERT = "synthetic:layers=4,heads=12,kv_heads=12,head_dim=64,tokens=384,prompt=384,causal=0,seed=1"


def runs_of(m):
    return [
        m.run(BERT, "spatten", "dense", "BERT's shape, dense"),
        m.run(BERT, "spatten", "spatten", "BERT's shape, pruned"),
        m.run(workloads(GPT2_SMALL)["12 bit"], "spatten", None, "GPT-2-small, 12 bit"),
        m.run(GPT2_SMALL, "spatten", None, "GPT-2-small, pruned"),
        m.run(GPT2_MEDIUM, "spatten", None, "GPT-2-medium, pruned"),
        m.on_decoder("spatten", "dense", "SmolLM2, dense"),
        m.on_decoder("spatten", "spatten", "SmolLM2, pruned"),
        m.on_encoder("spatten", "spatten", "MiniLM, pruned"),
    ]


def reproduce(m):
    made, rows = Result(), []
    runs = runs_of(m)
    points = {run.label: figures.roofline_point(run) for run in runs}
    for name, (intensity, rate, peak, bandwidth) in points.items():
        roof = min(peak, intensity * bandwidth)
        bound = "memory" if intensity * bandwidth < peak else "multipliers"
        rows.append([name, intensity, rate / 1e12, peak / 1e12, bandwidth / 1e9, roof / 1e12, rate / roof, bound])
    made.tables.append(
        Table(
            "roofline",
            "Where runs stand under the roof",
            [
                "run",
                "operations a byte",
                "Top/s",
                "peak [Top/s]",
                "attainable [GB/s]",
                "roof [Top/s]",
                "of the roof",
                "roof of",
            ],
            rows,
        )
    )
    dense, pruned = points["BERT's shape, dense"][1] / 1e12, points["BERT's shape, pruned"][1] / 1e12
    small, medium = points["GPT-2-small, pruned"][1] / 1e12, points["GPT-2-medium, pruned"][1] / 1e12
    of_roof = {row[0]: row[6] for row in rows}
    made.besides += [
        Beside(
            "BERT, dense",
            paper.ROOFLINE["bert"],
            dense,
            "Top/s",
            f"{100 * rows[0][6]:.1f} % of the multipliers' bound; the next head's K is loaded meanwhile",
        ),
        Beside(
            "BERT, pruned",
            paper.ROOFLINE["bert"],
            pruned,
            "Top/s",
            "fewer tokens make shorter rows, between which latencies weigh more; the paper does not say at which "
            "ratios",
        ),
        Beside(
            "GPT-2, pruned (small)",
            paper.ROOFLINE["gpt2"],
            small,
            "Top/s",
            f"{100 * of_roof['GPT-2-small, pruned']:.0f} % of what its bytes allow: with 102 tokens left in half of "
            "the layers a head is bound by its chain of softmax and top-k",
        ),
        Beside(
            "GPT-2, pruned (medium)",
            paper.ROOFLINE["gpt2"],
            medium,
            "Top/s",
            f"{100 * of_roof['GPT-2-medium, pruned']:.0f} % of what its bytes allow",
        ),
    ]
    roof = figures.roofline_figure(runs)
    roof.text = (
        "A point is a run, its roof the dashed line of its colour: on the slope memory bounds it, by the bandwidth "
        "that its own requests could have, on the flat part the multipliers do. A product counts as two operations. "
        f"Black stars are the paper's: BERT {paper.ROOFLINE['bert']} and GPT-2 {paper.ROOFLINE['gpt2']} Top/s of "
        f"{paper.ROOFLINE['peak']:g}; it draws no exact intensity, so they stand at that of our run of the same name."
    )
    for name, label in (("bert", "BERT's shape, pruned"), ("gpt2", "GPT-2-small, pruned")):
        roof.data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"the paper, {'BERT' if name == 'bert' else 'GPT-2'}",
                "x": [points[label][0]],
                "y": [1000 * paper.ROOFLINE[name]],
                "marker": {"symbol": "star" if name == "bert" else "star-open", "size": 15, "color": "#1B2733"},
                "hovertemplate": "the paper: %{y:.4g} Gop/s<extra></extra>",
            }
        )
    roof.height = 560
    made.figures.append(roof)
    made.cause = (
        "Where nothing is pruned the machine reaches its bounds. Where much is pruned in a decoder neither memory nor "
        "multipliers bound it but the chain of one head: the paper's 0.43 Top/s stand near the slope, ours below it."
        if small < paper.ROOFLINE["gpt2"]
        else "Where nothing is pruned the machine reaches its bounds, and under pruning it does as the paper says."
    )
    return made


ARTEFACT = Artefact(
    8,
    "roofline",
    "Roofline",
    f"BERT reaches 1.61 of 2 TFLOPS, GPT-2, bound by memory, 0.43 ({paper.EVALUATION})",
    "Operations, bytes and time of runs on machine `spatten`: BERT's shape with random values, GPT-2 by the authors' "
    "counts, both real traces.",
    reproduce,
)
