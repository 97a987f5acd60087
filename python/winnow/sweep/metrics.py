"""What can be measured, in which unit, and which fidelity gives it. Of every metric less is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    key: str
    unit: str
    label: str
    # Fidelity -> where the figure stands: a path in result.json, a column of the accuracy table, or "" where measure.py
    # knows it by name.
    given_by: dict


def _of(key, unit, label, **given_by):
    return Metric(key, unit, label, given_by)


_KV, _BURSTS, _ERROR = "summary.dram_kv_useful", "summary.dram_all_bursts", "summary.output_error_mean"
METRICS = {
    one.key: one
    for one in (
        _of("cycles", "cycles", "cycles of all steps and layers that ran", machine="summary.cycles"),
        _of("joules", "J", "chip and memory, whole run", machine="cost.energy"),
        _of("bytes", "bytes", "K and V read, with their scales", golden=_KV, machine=_KV),
        _of("burst_bytes", "bytes", "all that the memory moves", golden=_BURSTS, machine=_BURSTS),
        _of("area", "mm2", "the chip", golden="", machine="cost.area"),
        _of("output_error", "ratio", "against float attention, mean of layers", golden=_ERROR, machine=_ERROR),
        _of("loss", "%", "perplexity above dense float's, in the model", accuracy="change_per_cent"),
        _of("disagreement", "ratio", "1 - cosine to dense float's embedding", accuracy=""),
        _of("bytes_a_token", "bytes", "K and V a generated token reads, in the model", accuracy="kv_bytes_a_token"),
    )
}
FIDELITIES = ("golden", "machine", "accuracy")


def given(fidelity):
    """Keys of what a fidelity can give, in the order above."""
    return [key for key, one in METRICS.items() if fidelity in one.given_by]
