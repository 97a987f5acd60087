"""What a run measured: typed statistics, and tables.

run.summary.cycles.value         41412
run.summary.cycles.unit          "cycles"
run.statistics                   a row a statistic: part, key, value, unit, label
run.layers                       a row a layer, as layers.csv
"""

import functools
import json
from dataclasses import dataclass


class Mismatch(RuntimeError):
    """The machine and golden differ: a fault of Winnow. The command line ends with code 1 there."""


@dataclass(frozen=True)
class Statistic:
    """One figure: an int where it counts, else a float; its unit ("" for counts and ratios); what people call it."""

    key: str
    value: int | float
    unit: str
    label: str

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __str__(self):
        return f"{self.label}: {self.value:,} {self.unit}".rstrip()


class Part:
    """Statistics and further parts by their keys: part.cycles, part["cycles"], part.topk.busy."""

    def __init__(self, key, tree):
        self.key, self.label = key, tree["label"]
        self._members = {}
        for name, inner in tree.items():
            if not isinstance(inner, dict):
                continue
            if "unit" in inner:
                self._members[name] = Statistic(name, inner["value"], inner["unit"], inner["label"])
            else:
                self._members[name] = Part(name, inner)

    def __getitem__(self, key):
        if key not in self._members:
            raise KeyError(f"{self.key}: {key}: no such statistic: known are {', '.join(self._members)}")
        return self._members[key]

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __dir__(self):
        return [*super().__dir__(), *self._members]

    def __iter__(self):
        return iter(self._members.values())

    def __contains__(self, key):
        return key in self._members

    def statistics(self, path=""):
        """(path of the part, Statistic) of all that is in it, in the order of result.json."""
        for member in self:
            if isinstance(member, Statistic):
                yield path, member
            else:
                yield from member.statistics(f"{path}.{member.key}" if path else member.key)

    def __repr__(self):
        return f"<Part {self.key}: {', '.join(self._members)}>"


class Run:
    """The outcome of winnow.run."""

    def __init__(self, outcome):
        self._outcome = outcome
        self.command = outcome.command  # the same on the command line
        self.compared = outcome.compared  # values held against golden
        if outcome.different:
            raise Mismatch(f"{outcome.first_difference} ({outcome.different} differences)")

    @functools.cached_property
    def result(self):
        """All statistics, a Part."""
        return Part("result", json.loads(self.result_json))

    @property
    def summary(self):
        return self.result.summary

    @property
    def result_json(self):
        """result.json as `winnow run` writes it, byte for byte."""
        return self._outcome.result_json

    @functools.cached_property
    def manifest(self):
        """manifest.json: machine, policy and options in full."""
        return json.loads(self._outcome.manifest_json)

    @functools.cached_property
    def statistics(self):
        """A data frame: part, key, value, unit, label."""
        import pandas

        rows = [(path, one.key, one.value, one.unit, one.label) for path, one in self.result.statistics()]
        return pandas.DataFrame(rows, columns=["part", "key", "value", "unit", "label"])

    @functools.cached_property
    def layers(self):
        """A data frame: a row a layer of a step, the columns of layers.csv. Empty cells are missing values."""
        import pandas  # takes half a second, which a program without tables need not wait for

        frame = pandas.DataFrame(self._outcome.rows, columns=self._outcome.columns)
        return frame.apply(pandas.to_numeric)

    def __repr__(self):
        return f"<Run {self.command}: {self.compared:,} values equal golden's>"
