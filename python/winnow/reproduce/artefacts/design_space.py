"""(7) Top-k parallelism and SRAM size."""

import itertools

import winnow
from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, Result, Table
from winnow.reproduce.workload import GPT2_SMALL

PARALLELISM = [2, 4, 8, 16, 32, 64]
SATURATED = 1.1  # a doubling that brings less is taken for the end of gains
LONGEST = 1024  # tokens of the workload
TOKENS = [512, 1024, 2048, 4096]


def with_parallelism(p, **more):
    """`spatten` with P items a cycle and FIFOs that hold the workload's sentence."""
    return winnow.Machine("spatten", topk={"parallelism": p, "fifo": LONGEST // p, "load_width": p}, **more)


def kilobytes(tokens):
    """Of K's SRAM: two halves of tokens x 64 words of 12 bits."""
    return 2 * tokens * 64 * 12 / 8 / 1000


def reproduce(m):
    made = Result()
    cycles, waits, rows = [], [], []
    for p in PARALLELISM:
        run = m.run(GPT2_SMALL, with_parallelism(p))
        cycles.append(run.value("summary.cycles"))
        waits.append(run.value("summary.time_topk"))
        rows.append(
            [p, cycles[-1], cycles[0] / cycles[-1], run.value("topk.utilisation"), run.value("summary.time_topk")]
        )
    made.tables.append(
        Table(
            "topk-parallelism",
            "Top-k parallelism, GPT-2-small by the authors' counts",
            ["comparators a side", "cycles", "over the narrowest", "share of cycles it works", "cycles waited for it"],
            rows,
        )
    )
    gain = [before / after for before, after in itertools.pairwise(cycles)]
    saturates = next((p for p, more in zip(PARALLELISM, gain) if more < SATURATED), None)
    doubled = dict(zip(PARALLELISM, gain))
    made.besides.append(
        Beside(
            f"comparators a side from which a doubling brings under {100 * (SATURATED - 1):.0f} %",
            paper.TOPK_SATURATES_AT,
            saturates,
            "",
            f"4 to 8 brings {100 * (doubled[4] - 1):.0f} %, 8 to 16 {100 * (doubled[8] - 1):.0f} %, 16 to 32 "
            f"{100 * (doubled[16] - 1):.0f} %, 32 to 64 {100 * (doubled[32] - 1):.0f} %; at 16 Q x K still waits for "
            f"top-k in {100 * waits[PARALLELISM.index(16)] / cycles[PARALLELISM.index(16)]:.0f} % of the cycles",
        )
    )
    made.figures.append(
        plots.lines(
            "parallelism",
            "Cycles by the width of top-k",
            "GPT-2-small, 32 steps by the authors' counts. Both engines have this width.",
            "summary.cycles of each run",
            {"cycles": (PARALLELISM, cycles)},
            "comparators a side",
            "cycles",
            log_x=True,
        )
    )
    sram, rows = {}, []
    for tokens in TOKENS:
        try:
            buffers = {"sram": {"tokens": tokens}}
            run = m.run(GPT2_SMALL, winnow.Machine("spatten", qk=buffers, pv=buffers))
        except winnow.Error as error:
            rows.append([tokens, kilobytes(tokens), None, m.tidy(str(error))])
            continue
        sram[tokens] = run.value("summary.cycles")
        rows.append([tokens, kilobytes(tokens), sram[tokens], ""])
    made.tables.append(
        Table("sram", "SRAM of K, and of V as much", ["tokens a half", "kB of K", "cycles", "why not"], rows)
    )
    more = sram[1024] / sram[2048]
    made.besides.append(
        Beside(
            f"gain of twice the {paper.SRAM_KB} KB of K and V",
            0.0,
            100 * (more - 1),
            "%",
            "a half holds the longest sentence whole already; more of it stays empty",
        )
    )
    made.cause = (
        f"Sixteen comparators take {cycles[0] / cycles[3]:.2f} times fewer cycles than two here. Below "
        f"{kilobytes(1024):.0f} kB this machine refuses a sentence of 1,024 tokens, since a head's K and V lie in its "
        "half whole: a size cannot be too small and slow, as in the paper, only too small."
    )
    return made


ARTEFACT = Artefact(
    7,
    "design-space",
    "Top-k parallelism and SRAM size",
    f"Gains end at 16 comparators; SRAM beyond 196 KB gives almost nothing ({paper.EVALUATION}, design space)",
    "GPT-2-small by the authors' counts on machine `spatten` with other widths and other buffers.",
    reproduce,
)
