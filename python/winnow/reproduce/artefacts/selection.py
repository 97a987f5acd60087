"""(9) Quick-select against a full sorter."""

import json

import yaml

from winnow.reproduce import paper, places, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table

UNITS = places.ROOT / "sim/technology/nangate45-units.yaml"


def _json(name):
    path = places.SYNTHESIS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def reproduce(m):
    made = Result()
    synthesis, power = _json("nangate45.json"), _json("merge-sorter-power.json")
    engine_power = yaml.safe_load(UNITS.read_text(encoding="utf-8"))["units"]["topk_engine_16"]
    sorter_power = power["results"]["merge_sorter"] if power else None
    cycles, n = synthesis["cycles"], synthesis["cycles"]["n"]
    engine = cycles["random"]
    # Load and select bound its rate; the filter runs while the next job loads.
    spans = {
        "engine, random pivot": (
            engine["load"] + engine["select"] + engine["filter"],
            synthesis["results"]["engine-random"],
        ),
        "engine, sampled pivot": (sum(cycles["sampled"].values()), synthesis["results"]["engine-sampled"]),
        "Batcher merge sorter": (cycles["sorter_cycles"], synthesis["results"]["sorter"]),
    }
    watts = {"engine, random pivot": engine_power, "Batcher merge sorter": sorter_power}
    rows = []
    for name, (taken, cells) in spans.items():
        busy = watts.get(name) and watts[name]["busy_pj"]
        rows.append(
            [name, cells["area_um2"], cells["flip_flops"], cells["delay_ps"] / 1000, taken, n / taken, busy]
            + [busy * taken / n if busy else None]
        )
    made.tables.append(
        Table(
            "selection",
            f"n {n:,}, k {cycles['k']}, {cycles['parallelism']} items a cycle; Nangate 45 nm, memories apart",
            [
                "",
                "area [um2]",
                "flip-flops",
                "longest path [ns]",
                "cycles",
                "items a cycle",
                "busy [pJ a cycle]",
                "pJ an item",
            ],
            rows,
        )
    )
    whole = spans["Batcher merge sorter"][0] / spans["engine, random pivot"][0]
    bare = spans["Batcher merge sorter"][0] / (engine["load"] + engine["select"])
    made.besides.append(
        Beside(
            "throughput over the sorter",
            paper.SELECT_OVER_SORTER["throughput"],
            whole,
            "x",
            f"load and select alone are {bare:.2f}x; the pass that gives indices in order takes {engine['filter']:.0f} "
            "cycles more",
        )
    )
    if sorter_power:
        ratio = sorter_power["busy_pj"] / engine_power["busy_pj"]
        an_item = rows[2][7] / rows[0][7]
        made.besides.append(
            Beside(
                "power below the sorter",
                paper.SELECT_OVER_SORTER["power"],
                ratio,
                "x",
                f"of cells, every net turning in an eighth of the cycles; an item takes {an_item:.2f} times less "
                f"energy. Our sorter is a merge network of 16 lanes with {sorter_power['flip_flops']:,} flip-flops "
                f"beside the engine's {engine_power['flip_flops']:,}; the paper's is not described",
            )
        )
    else:
        made.not_had.append(
            NotHad("power against the sorter", "not measured: scripts/cost/technology --only merge_sorter")
        )
    made.figures.append(
        plots.bars(
            "selection",
            "Quick-select over the sorter",
            "More is better for the engine. The same items, lanes and cell library on both sides; memories are left "
            "out on both.",
            "tests/rtl/synth/results, sim/technology",
            ["throughput", "power"] if sorter_power else ["throughput"],
            {
                "the paper": [paper.SELECT_OVER_SORTER["throughput"], paper.SELECT_OVER_SORTER["power"]][
                    : len(made.besides)
                ],
                "ours": [one.ours for one in made.besides],
            },
            "times better than the sorter",
        )
    )
    made.cause = (
        "Both have comparators for 16 items and the same memories. The engine looks at fewer items from pass to pass; "
        "the sorter looks at all of them in every one of its passes, and in return has all in order, of which top-k "
        "needs nothing. Areas are "
        f"{synthesis['results']['sorter']['area_um2'] / synthesis['results']['engine-random']['area_um2']:.2f} to 1 "
        "(sorter over engine)."
    )
    for command in (synthesis["command"], power and power["command"]):
        if command:
            m.note(command)
    return made


ARTEFACT = Artefact(
    9,
    "selection",
    "Quick-select against a full sorter",
    f"n 1,024, k n/2: 1.4x the throughput of a Batcher odd-even merge sorter, 3.5x less power ({paper.EVALUATION}, "
    "top-k engine)",
    "Both in SystemVerilog; cycles by Verilator on 200 random inputs, cells by synthesis, energy of a busy cycle as "
    "for every unit of `winnow cost`. Stored results: this takes no synthesis.",
    reproduce,
)
