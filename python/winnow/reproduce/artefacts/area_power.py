"""(6) Area and power."""

from winnow.report import figures
from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table

MACHINES = ["spatten", "spatten-eighth", "winnow"]
TOPK = ["topk", "cascade_topk"]
PARTS = [("logic", "cost.chip_logic.power"), ("storage", "cost.chip_storage.power"), ("memory", "cost.memory.power")]


def blocks(run, key):
    """{block: figure} of cost.block_*."""
    return {
        part.key.removeprefix("block_"): part[key].value
        for part in run.result.cost
        if part.key.startswith("block_") and key in part
    }


def reproduce(m):
    made = Result()
    dense = {machine: m.on_decoder(machine, "dense", machine) for machine in MACHINES}
    pruned = m.on_decoder("spatten", "spatten")
    areas = {machine: blocks(run, "area") for machine, run in dense.items()}
    names = sorted(areas["spatten"], key=lambda block: -areas["spatten"][block])
    total = {machine: run.value("cost.area") for machine, run in dense.items()}
    made.tables.append(
        Table(
            "area",
            "Area by block",
            ["block", *(f"{machine} [mm2]" for machine in MACHINES)],
            [[block, *(areas[machine].get(block) for machine in MACHINES)] for block in names]
            + [["all", *total.values()], ["the paper", *(paper.AREA.get(machine) for machine in MACHINES)]],
        )
    )
    buffers = {machine: areas[machine]["qk"] + areas[machine]["pv"] for machine in MACHINES}
    made.besides += [
        Beside(
            "area of `spatten`",
            paper.AREA["spatten"],
            total["spatten"],
            "mm²",
            "cells and arrays alone: placement, the controller's logic and what lies between memory banks are not "
            "counted",
        ),
        Beside(
            "area of `spatten-eighth`",
            paper.AREA["spatten-eighth"],
            total["spatten-eighth"],
            "mm²",
            "it holds 1,024 tokens of K and V twice, as the full size does; Q x K and P x V with these buffers are "
            f"{buffers['spatten-eighth']:.1f} of its mm²; the paper does not say how many tokens its small machine "
            "holds",
        ),
    ]
    topk = sum(areas["spatten"][block] for block in TOPK)
    made.besides.append(
        Beside(
            "top-k's share of the area",
            paper.TOPK_OF_AREA,
            100 * topk / total["spatten"],
            "%",
            f"two engines with their list memories and loads: {topk:.2f} mm²; the whole is smaller here, too",
        )
    )
    power = {
        name: {part: run.value(key) for part, key in [*PARTS, ("all", "cost.power")]}
        for name, run in (("dense", dense["spatten"]), ("spatten", pruned))
    }
    causes = {
        "logic": "the paper's is a mean of its benchmarks, ours is one dense step that keeps the arrays busy",
        "storage": "K and V arrays by CACTI at 40 nm; under pruning they are read less often",
        "memory": "energy of an activation, a bit and standing by as published for HBM2; the paper names no table",
        "all": "the sum of the three above",
    }
    for part in ("logic", "storage", "memory", "all"):
        made.besides.append(
            Beside(f"power, {part}, dense decode", paper.POWER[part], power["dense"][part], "W", causes[part])
        )
    share = 100 * dense["spatten"].value("cost.memory.power") / power["dense"]["all"]
    made.besides.append(
        Beside(
            "memory's share of a dense decode's power",
            100 * paper.POWER["memory"] / paper.POWER["all"],
            share,
            "%",
            f"{dense['spatten'].value('summary.bandwidth_achieved') / 1e9:.0f} GB/s are moved in this step",
        )
    )
    chip = blocks(pruned, "power")
    made.besides.append(
        Beside(
            "top-k's share of the chip's power, `spatten`",
            paper.TOPK_OF_POWER,
            100 * sum(chip[block] for block in TOPK) / sum(chip.values()),
            "%",
            f"the engines work in {100 * pruned.value('topk.utilisation'):.0f} % and "
            f"{100 * pruned.value('cascade_topk.utilisation'):.0f} % of the cycles of this short sentence, and hold "
            "the others up",
        )
    )
    made.tables.append(
        Table(
            "power",
            f"Power of machine `spatten`, {m.decoder_name}",
            ["part", "the paper [W]", "dense [W]", "spatten [W]"],
            [
                [part, paper.POWER[part], power["dense"][part], power["spatten"][part]]
                for part in ("logic", "storage", "memory", "all")
            ],
        )
    )
    made.figures.append(
        plots.bars(
            "power",
            "Power of machine `spatten`",
            "The paper's figure is a mean over its benchmarks; ours are one trace, dense and under the paper's policy.",
            "cost.chip_logic.power, cost.chip_storage.power, cost.memory.power",
            ["logic", "storage", "memory"],
            {
                "the paper": [paper.POWER[part] for part, _ in PARTS],
                "dense": [power["dense"][part] for part, _ in PARTS],
                "policy spatten": [power["spatten"][part] for part, _ in PARTS],
            },
            "W",
        )
    )
    figure = figures.area_figure(list(dense.values()))
    figure.text += f" The paper says {paper.AREA['spatten']} mm² and {paper.AREA['spatten-eighth']} mm²."
    made.figures.append(figure)
    made.cause = (
        f"Of the {total['spatten']:.1f} mm² of `spatten` {buffers['spatten']:.1f} are the two arrays with K and V. "
        "Where each figure comes from: `winnow cost --machine M --sources`. Machine `winnow` is "
        f"{total['winnow'] / total['spatten']:.1f} times as large, because its wide score memories are flip-flops, not "
        "because of its multipliers."
    )
    made.not_had.append(
        NotHad(
            "area by block as the paper draws it",
            "its figure has no numbers for all blocks, and other blocks than ours",
        )
    )
    return made


ARTEFACT = Artefact(
    6,
    "area-power",
    "Area and power",
    "18.71 mm² (full size) and 1.55 mm² (an eighth) at 40 nm; 1.36 W of logic, 1.24 W of storage, 5.71 W of memory; "
    f"top-k takes 2.7 % of area and 1.0 % of power ({paper.EVALUATION})",
    "Cells by synthesis, arrays by CACTI, scaled to 40 nm, times the events of a run; `winnow cost` and the part "
    "`cost` of its results.",
    reproduce,
)
