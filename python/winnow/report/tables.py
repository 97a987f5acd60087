"""The report's tables: rows of cells, each with the exact value that result.json has."""

from dataclasses import dataclass

from winnow.report.sentences import comparable
from winnow.report.units import percent, shown

# Rows of the table that compares, by their place in result.json; whether less is better (True), worse, or neither.
COMPARED = [
    ("summary.dram_kv_bursts", True),
    ("summary.dram_kv_useful", True),
    ("summary.kv_reduction_fp32", False),
    ("summary.kv_reduction_fp16", False),
    ("summary.kv_reduction_dense_12_bit", False),
    ("summary.cycles", True),
    ("summary.time_at_the_clock", True),
    ("summary.time_qk", None),
    ("summary.time_memory", True),
    ("summary.time_softmax", True),
    ("summary.time_topk", True),
    ("summary.time_drain", True),
    ("summary.bandwidth_achieved", None),
    ("summary.tokens_kept", None),
    ("summary.query_heads_kept", None),
    ("summary.bits_read_kept_element", None),
    ("summary.output_error_mean", True),
    ("summary.output_error_worst_layer", True),
    ("cost.energy", True),
    ("cost.chip.energy", True),
    ("cost.memory.energy", True),
    ("cost.power", True),
    ("cost.area", True),
    ("summary.dram_energy", True),
    ("summary.time_a_layer", True),
    ("summary.dram_bytes_a_layer", True),
    ("summary.energy_a_layer_gpu", True),
]
_LABELS = {
    "cost.energy": "energy of the run",
    "cost.chip.energy": "energy, chip",
    "cost.memory.energy": "energy, memory off the chip",
    "cost.power": "mean power",
    "cost.area": "area of the chip",
    "summary.dram_energy": "DRAM energy, by the memory model",
}


@dataclass
class Cell:
    text: str
    path: str = ""  # in result.json; "" for a cell without a figure
    exact: str = ""
    change: str = ""  # against the reference
    kind: str = ""  # better, worse, other: how the change is marked


# Ratios that people read as shares.
_SHARES = {"tokens_kept", "query_heads_kept", "output_error_mean", "output_error_worst_layer"}


def _cell(run, path, plain=False):
    one = run.find(path)
    if one is None:
        return Cell("-")
    text = shown(one)
    if not plain and one.key in _SHARES:
        text = percent(one.value)
    elif not plain and one.key.startswith("kv_reduction_"):
        text = f"{one.value:.2f}x"
    return Cell(text, path, repr(one.value))


def _mark(cell, value, base, less_is_better):
    if value == base:
        cell.change, cell.kind = "same", "same"
        return
    ratio = value / base if base else None
    cell.change = "new" if ratio is None else f"{100 * (ratio - 1):+.1f} %" if ratio < 2 else f"{ratio:.2f}x"
    cell.kind = "other" if less_is_better is None else "better" if (value < base) == less_is_better else "worse"


def compared(runs, reference):
    """[(label, [Cell of each run])]: differences from the reference are marked where runs may be compared."""
    rows = []
    for path, less_is_better in COMPARED:
        found = [run.find(path) for run in runs]
        if not any(found):
            continue
        label = _LABELS.get(path) or next(one.label for one in found if one)
        cells = [_cell(run, path) for run in runs]
        base = reference.value(path) if reference else None
        for run, cell, one in zip(runs, cells, found):
            if one is not None and base is not None and run is not reference and comparable(run, reference):
                _mark(cell, one.value, base, less_is_better)
        rows.append((label, cells))
    return rows


def settings_that_differ(runs):
    """[(key, [text of each run])] of machine, policy and options."""
    keys = {}
    for run in runs:
        for section in ("options", "machine", "policy"):
            keys.update({(section, key): None for key in run.manifest.get(section, {})})
    rows = []
    for section, key in keys:
        texts = [str(run.manifest.get(section, {}).get(key, "-")) for run in runs]
        if len(set(texts)) > 1:
            rows.append((f"{section}.{key}", texts))
    return rows


def every_statistic(runs):
    """[(part, label, [Cell of each run])] of all that stands in result.json of any run."""
    rows, place = [], {}
    for i, run in enumerate(runs):
        for part, one in run.result.statistics():
            path = f"{part}.{one.key}" if part else one.key
            if path not in place:
                place[path] = len(rows)
                rows.append((part, one.label, [Cell("-") for _ in runs]))
            rows[place[path]][2][i] = _cell(run, path, plain=True)
    return rows
