"""A sweep read back from its folder: sweep.json and points.csv, as winnow.sweep writes them."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from winnow._core import Error
from winnow.sweep.folder import FORMAT
from winnow.sweep.metrics import METRICS, given


@dataclass
class Point:
    number: int
    state: str  # measured, refused, failed
    fidelity: str  # the highest that answered
    front: bool
    values: dict  # parameter -> text
    figures: dict  # "golden.bytes" -> number, of those that were measured
    why: str
    command: str


@dataclass
class StoredSweep:
    path: Path
    spec: dict
    about: dict  # all of sweep.json
    columns: list  # figures, "golden.bytes", in the order of the file
    points: list

    @property
    def label(self):
        return self.spec["name"]

    @property
    def parameters(self):
        return [one["name"] for one in self.spec["parameters"]]

    @property
    def stages(self):
        return [one["fidelity"] for one in self.spec["stages"]]

    @property
    def front(self):
        """Its points, by the first objective."""
        first = self.judged(self.spec["objectives"][0])
        return sorted(
            (one for one in self.points if one.front), key=lambda one: (one.figures.get(first, 0), one.number)
        )

    def judged(self, metric):
        """The column that the front is judged by, or None: the metric at the highest fidelity that gives it."""
        return next((f"{one}.{metric}" for one in reversed(self.stages) if f"{one}.{metric}" in self.columns), None)

    def is_over(self, point):
        """Whether it breaks a limit, by the highest fidelity that has measured it."""
        for metric, limit in self.spec["at_most"].items():
            found = [point.figures.get(f"{one}.{metric}") for one in reversed(self.stages)]
            value = next((one for one in found if one is not None), None)
            if value is not None and value > limit:
                return True
        return False


def is_sweep(folder):
    return (Path(folder) / "sweep.json").is_file()


def metric_of(column):
    """The Metric of a column of figures; None of another column."""
    fidelity, _, key = column.partition(".")
    return METRICS[key] if key in METRICS and key in given(fidelity) else None


def _number(file, line, head, text):
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise Error(f"{file}: line {line}: {head}: '{text}': must be a number") from error


def _about(file):
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        form, spec = about["format"], about["spec"]
        for key in ("name", "parameters", "stages", "objectives", "at_most", "traces", "method"):
            spec[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Error(f"{file}: is no sweep's: must be what winnow sweep wrote") from error
    if form != FORMAT:
        raise Error(f"{file}: format: {form}: must be {FORMAT}, which this winnow reads alone: sweep again")
    return about


def load_sweep(folder):
    """Raises Error when the folder holds no sweep of this version, or one without a finished stage."""
    folder = Path(folder)
    about = _about(folder / "sweep.json")
    spec, file = about["spec"], folder / "points.csv"
    try:
        with open(file, encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except OSError as error:
        raise Error(
            f"{file}: no such file: no stage of the sweep has finished: winnow sweep --resume goes on with it"
        ) from error
    heads = {head: head.partition(" [")[0] for head in (rows[0] if rows else ())}
    columns = [name for name in heads.values() if metric_of(name)]
    parameters = [one["name"] for one in spec["parameters"]]
    missing = [
        key for key in ("point", "state", "fidelity", "front", "why", "command", *parameters) if key not in heads
    ]
    if missing:
        raise Error(f"{file}: {missing[0]}: no such column: must be what winnow sweep wrote")
    points = []
    for line, row in enumerate(rows, 2):
        figures = {
            name: _number(file, line, head, row[head]) for head, name in heads.items() if name in columns and row[head]
        }
        points.append(
            Point(
                _number(file, line, "point", row["point"]),
                row["state"],
                row["fidelity"],
                row["front"] == "True",
                {name: row[name] for name in parameters},
                figures,
                row["why"],
                row["command"],
            )
        )
    return StoredSweep(folder, spec, about, columns, points)
