"""The three sentences at the report's head: bytes, time, energy and error."""

from winnow.report.figures import TIME
from winnow.report.units import percent, scaled, times


def comparable(a, b):
    """Whether two runs had the same trace, layers and steps, so that their figures may stand beside each other."""
    options = [run.manifest.get("options", {}) for run in (a, b)]
    return (
        not a.is_gpu
        and not b.is_gpu
        and a.manifest.get("trace_sha256") == b.manifest.get("trace_sha256")
        and all(options[0].get(key) == options[1].get(key) for key in ("layers", "steps", "batch", "with"))
    )


def reference_of(runs):
    """The run that others are compared with: the first dense one, else the first; None without a simulated run."""
    simulated = [run for run in runs if not run.is_gpu]
    return next((run for run in simulated if run.policy == "dense"), simulated[0] if simulated else None)


def bound_by(run):
    """("waiting for softmax", 0.356): where most of the time goes, or None."""
    parts = [(run.value(f"summary.{key}", 0), name) for key, name, _, _ in TIME]
    total = sum(count for count, _ in parts)
    if not total:
        return None
    most = max(parts, key=lambda part: part[0])
    return most[1], most[0] / total


def _than(run, other, path, noun):
    """ "2.09 times more cycles than dense"."""
    change = times(run.value(path) / other.value(path))
    return f"{change} {noun} than {other.label}" if change else f"as many {noun} as {other.label}"


def _beside(best, runs, reference, path, noun):
    """How the best stands to the reference; where it is the reference, how the others stand to it."""
    if best is not reference and reference in runs:
        return ", " + _than(best, reference, path, noun)
    others = [f"{run.label} takes {_than(run, best, path, noun)}" for run in runs if run is not best]
    return "; " + ", ".join(others[:3]) if others else ""


def _bytes(runs, reference):
    runs = [run for run in runs if run.value("summary.dram_kv_bursts")]
    if not runs:
        return None
    run = min(runs, key=lambda one: one.value("summary.dram_kv_bursts"))
    names = (("fp32", "FP32"), ("fp16", "FP16"), ("dense_12_bit", "all at 12 bit"))
    below = [f"{run.value(f'summary.kv_reduction_{key}'):.2f} times less than {name}" for key, name in names]
    who = f"{run.label} reads least: " if len(runs) > 1 else f"{run.label} reads "
    return f"{who}{scaled(run.value('summary.dram_kv_bursts'), 'B')} of K and V. That is {', '.join(below)}."


def _time(runs, reference):
    runs = [run for run in runs if run.value("summary.cycles")]
    if not runs:
        return "No time was simulated: these runs are golden's, values and bytes only."
    run = min(runs, key=lambda one: one.value("summary.cycles"))
    who = f"{run.label} is fastest: " if len(runs) > 1 else f"{run.label} takes "
    text = f"{who}{run.value('summary.cycles'):,} cycles{_beside(run, runs, reference, 'summary.cycles', 'cycles')}."
    bound = bound_by(run)
    return text + (f" Most of its cycles, {percent(bound[1])}, go into {bound[0]}." if bound else "")


def _energy_and_error(runs, reference):
    text, costed = "", [run for run in runs if run.value("cost.energy")]
    if costed:
        run = min(costed, key=lambda one: one.value("cost.energy"))
        share = run.value("cost.memory.energy") / run.value("cost.energy")
        who = f"{run.label} needs least energy: " if len(costed) > 1 else f"{run.label} needs "
        text = f"{who}{scaled(run.value('cost.energy'), 'J')}, {percent(share)} of it in the memory off the chip"
    errors = [(run.value("summary.output_error_mean"), run.label) for run in runs]
    errors = [f"{percent(error)} ({label})" for error, label in errors if error is not None]
    if errors:
        text += (". " if text else "") + f"Output error, against float attention: {', '.join(errors)}"
    return text + "." if text else None


def sentences(runs):
    """At most three; of the runs that may be compared with the reference."""
    reference = reference_of(runs)
    if reference is None:
        return ["These runs were measured on a GPU; there is no simulated run beside them."]
    group = [run for run in runs if run is reference or comparable(run, reference)]
    made = [_bytes(group, reference), _time(group, reference), _energy_and_error(group, reference)]
    return [one for one in made if one]
