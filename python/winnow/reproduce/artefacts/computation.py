"""(2) Computation saved."""

from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, Result, Table
from winnow.reproduce.techniques import NAMES, STEPS, subjects


def reproduce(m):
    made, rows = Result(), []
    found = subjects(m)
    left = {subject.name: [subject.below_dense(step) for step in STEPS] for subject in found}
    for subject in found:
        for step in STEPS:
            qk, pv = subject.products[step]
            rows.append([subject.name, NAMES[step], qk, pv, qk + pv, subject.below_dense(step)])
        again = subject.products["bits"][0] / subject.products["local values"][0]
        made.besides.append(
            Beside(
                f"computation, {subject.name}",
                paper.COMPUTATION,
                left[subject.name][-1],
                "x",
                f"rows whose LSBs are fetched multiply Q x K twice: {100 * (again - 1):.0f} % more of it"
                if again > 1.0005
                else "bits change no number of products here; tokens and heads do",
            )
        )
    made.tables.append(
        Table(
            "computation",
            "Products, technique by technique",
            ["trace", "what", "products of Q x K", "products of P x V", "all", "below dense"],
            rows,
        )
    )
    made.figures.append(
        plots.bars(
            "computation",
            "Products below dense",
            "How many times fewer products are left when a technique is added to those above it.",
            "qk.multiplications + pv.multiplications of each run",
            [NAMES[step] for step in STEPS],
            {**left, "the paper": [None] * (len(STEPS) - 1) + [paper.COMPUTATION]},
            "times fewer products (more is better)",
        )
    )
    small, encoder = found[0], found[-1]
    share = small.products["bits"][1] / sum(small.products["bits"])
    made.cause = (
        f"Local value pruning touches P x V alone, and leaves {100 * share:.0f} % of all products there on "
        "GPT-2-small. An encoder keeps V resident and prunes no local values by default; its "
        f"{left[encoder.name][-1]:.2f}x are tokens and heads. Tokens bring {encoder.below_dense('tokens'):.2f}x of it, "
        "since one that is dropped is missing as a query and as a key."
    )
    return made


ARTEFACT = Artefact(
    2,
    "computation",
    "Computation",
    f"2.1x fewer operations ({paper.EVALUATION})",
    "Products that the arrays of machine `spatten` did, by the same policies as the DRAM access.",
    reproduce,
)
