"""What an artefact is, and what it gives: tables, plots, and the paper's figures beside ours."""

from collections.abc import Callable
from dataclasses import dataclass, field

from winnow.report.figures import Figure


@dataclass(frozen=True)
class Artefact:
    """One quantitative thing that the paper shows, and how ours is measured."""

    number: int
    id: str
    title: str
    claim: str  # what the paper says, with the place
    how: str  # how ours is measured
    run: Callable  # takes Measurements, gives a Result


@dataclass
class Table:
    """Rows of cells: numbers as measured, texts, or None where there is nothing. `key` is the CSV's name."""

    key: str
    title: str
    columns: list
    rows: list


@dataclass
class Beside:
    """A figure of the paper beside ours. A side that cannot be had is None; `cause` says why they differ."""

    what: str
    paper: float | None
    ours: float | None
    unit: str  # "x", "W", "mm²", "%", ...
    cause: str

    @property
    def deviation(self):
        """Of ours from the paper's: "+12 %", "2.4 times", or "-"."""
        if self.paper is None or self.ours is None or not self.paper:
            return "-"
        ratio = self.ours / self.paper
        return f"{100 * (ratio - 1):+.0f} %" if 0.5 < ratio < 2 else f"{ratio:.3g} times"


@dataclass
class NotHad:
    """A figure of the paper that is not reproduced."""

    what: str
    why: str


@dataclass
class Result:
    besides: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    cause: str = ""  # the sentences under the table: what bounds, what differs
    not_had: list = field(default_factory=list)
    commands: list = field(default_factory=list)  # filled by Measurements


def figure(value, unit=""):
    """A number as people read it; the CSV has it in full."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        text = f"{value:,}"
    elif value == 0:
        text = "0"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    elif abs(value) >= 0.001:
        text = f"{value:.3g}" if abs(value) < 10 else f"{value:.4g}"
    else:
        text = f"{value:.2e}"
    return text + ("x" if unit == "x" else f" {unit}" if unit else "")
