"""What a process of a comparison does: turns one policy's knob, or times one setting. SystemC has one kernel a
process."""

import winnow
from winnow._core import Error
from winnow.compare.budget import bytes_of, turned


def turn(spec, candidate, dense):
    """Rows, one a budget: what the policy is set to there."""
    known = {}

    def measure(x):
        if x not in known:
            known[x] = bytes_of(spec, candidate.machine_of(spec.machines[0]), candidate.made(x))
        return known[x]

    rows = []
    for budget in spec.budgets:
        x, read = turned(candidate, budget * dense, measure)
        rows.append(
            {
                "policy": candidate.label,
                "budget": budget,
                "reached": x is not None,
                "settings": "" if x is None else candidate.words(x),
                "x": x,
                "bytes_of_dense": read / dense,
            }
        )
    return rows


def time(spec, candidate, x):
    """Figures of a step on every machine, with the policy's knob at x."""
    options = {} if spec.steps is None else {"steps": spec.steps}
    figures = {}
    for machine in spec.machines:
        run = winnow.run(spec.trace, candidate.machine_of(machine), candidate.made(x), **options)
        steps, summary = run.layers["step"].nunique(), run.result.summary
        figures[f"{machine}.cycles"] = summary.cycles.value / steps
        # A memory of a size that the technology's table lacks has no energy: winnow cost names it.
        known = "cost" in run.result
        figures[f"{machine}.joules"] = run.result.cost.energy.value / steps if known else None
        # Memories that the comparison enlarges are not what the policy adds.
        figures[f"{machine}.added_mm2"] = run.result.cost.added_area.value if known else None
        figures["output_error"] = summary.output_error_mean.value
        figures["burst_bytes_a_step"] = summary.dram_all_bursts.value / steps
    return figures


def work(task):
    """A task is ("turn" or "time", arguments). Returns {"state": "done", "value"} or {"state": "refused", "why"}."""
    kind, arguments = task
    try:
        return {"state": "done", "value": {"turn": turn, "time": time}[kind](*arguments)}
    except Error as error:
        return {"state": "refused", "why": str(error)}
