"""The spec of a sweep: a YAML file, checked as a whole before anything is measured."""

import itertools
import math
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from winnow._core import Error, Trace
from winnow.settings import Machine, Policy
from winnow.sweep import yaml_file
from winnow.sweep.metrics import FIDELITIES, METRICS, given

MOST_POINTS = 1_000_000_000
MOST_VALUES = 1_000_000  # of a range with a step
METHODS = ("tpe", "nsga2", "gp", "random", "grid")
_KINDS = {"machine": Machine, "policy": Policy}


@dataclass
class Parameter:
    """`name` is "machine", "policy", "machine.KEY" or "policy.KEY". Either `choices`, or a range with its ends."""

    name: str
    choices: list | None = None
    low: float | int | None = None
    high: float | int | None = None
    step: float | int | None = None
    log: bool = False

    def values(self):
        """All values, for a grid; None if there is no end of them."""
        if self.choices is not None:
            return self.choices
        if self.step is None:
            return None
        return [self.tidy(self.low + i * self.step) for i in range(self.count())]

    def count(self):
        """Of values; None if there is no end of them."""
        if self.choices is not None:
            return len(self.choices)
        return None if self.step is None else math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def tidy(self, value):
        """Without what adding steps leaves behind: 0.95, not 0.9500000000000001."""
        return float(f"{value:.12g}") if isinstance(value, float) else value


@dataclass
class Stage:
    """One fidelity: where it looks, and how many points go on to the next."""

    fidelity: str
    keep: int | None = None  # None: those that nothing beats
    options: dict = field(default_factory=dict)  # of winnow.run: layers, steps; of winnow.accuracy.evaluate


@dataclass
class Spec:
    name: str
    traces: list
    machines: list
    policies: list
    fixed: dict  # "machine.KEY", "policy.KEY" -> text, for every point
    parameters: list
    objectives: list
    at_most: dict
    method: str
    points: int | None  # different points at the first stage; None: all of a grid
    batch: int
    seed: int
    stages: list
    storage: str

    def as_dict(self):
        """All that results depend on, as JSON has it: where Optuna's studies stand changes none."""
        return {key: value for key, value in asdict(self).items() if key != "storage"}

    @property
    def shown_storage(self):
        """Without a password."""
        return re.sub(r"([?&]password=)[^&]*", r"\1...", re.sub(r"//.*@", "//", self.storage))

    def grid(self):
        """Parameters of all points of a grid, in order."""
        names = [one.name for one in self.parameters]
        for values in itertools.product(*(one.values() for one in self.parameters)):
            yield dict(zip(names, values))


def text_of(value):
    """A value as --set has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(text_of(one) for one in value)
    return str(value)


class _Reader:
    def __init__(self, document):
        self.doc = document

    def keys(self, place, value, known):
        """A mapping of known keys, which may be absent as a whole."""
        value = self.mapping(place, value)
        for key in value:
            if key not in known:
                raise self.doc.error((*place, key), None, f"no such key: must be one of {', '.join(known)}")
        return value

    def mapping(self, place, value):
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.doc.error(place, value, "must be a mapping of keys to values")
        return value

    def names(self, place, value):
        """A text, or a list of them."""
        many = value if isinstance(value, list) else [value]
        if not many:
            raise self.doc.error(place, value, "is empty: must name at least one")
        for one in many:
            if not isinstance(one, str):
                raise self.doc.error(place, one, "must be a text")
        if len(set(many)) != len(many):
            raise self.doc.error(place, value, "names one twice")
        return many

    def count(self, place, value, least=1, most=MOST_POINTS):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.doc.error(place, value, f"must be an integer, at least {least}")
        if value > most:
            raise self.doc.error(place, value, f"must be at most {most:,}")
        return value

    def number(self, place, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.doc.error(place, value, "must be a number")
        return value

    def one_of(self, place, value, known):
        if value not in known:
            raise self.doc.error(place, value, f"must be one of {', '.join(known)}")
        return value

    def check_setting(self, place, kind, bases, key, value):
        """The command line's own words where a key or value is wrong for any of the bases."""
        for base in bases:
            try:
                _KINDS[kind](base)[key] = text_of(value)
            except Error as error:
                raise self.doc.error(place, None, str(error).removeprefix("--set: ")) from error

    def parameter(self, place, kind, bases, key, value):
        name = f"{kind}.{key}"
        if isinstance(value, list):
            if not value:
                raise self.doc.error(place, value, "is empty: must have at least one value")
            for one in value:
                self.check_setting(place, kind, bases, key, one)
            choices = [one if isinstance(one, (int, float, str)) else text_of(one) for one in value]
            choices = [text_of(one) if isinstance(one, bool) else one for one in choices]
            if len(set(choices)) != len(choices):
                raise self.doc.error(place, value, "has a value twice")
            return Parameter(name, choices)
        if not isinstance(value, dict):
            raise self.doc.error(place, value, "must be a list, or a range {from: A, to: B}; one value stands in `set`")
        found = self.keys(place, value, ("from", "to", "step", "log"))
        for end in ("from", "to"):
            if end not in found:
                raise self.doc.error(place, None, f"has no `{end}`: a range is {{from: A, to: B}}")
        low, high = (self.number((*place, end), found[end]) for end in ("from", "to"))
        step, log = found.get("step"), found.get("log", False)
        if step is not None and self.number((*place, "step"), step) <= 0:
            raise self.doc.error((*place, "step"), step, "must be above 0")
        if not isinstance(log, bool):
            raise self.doc.error((*place, "log"), log, "must be true or false")
        if log and (step is not None or low <= 0):
            raise self.doc.error((*place, "log"), log, "must go with a `from` above 0 and without `step`")
        if low > high:
            raise self.doc.error(place, None, f"{low}..{high}: is empty: `from` must not be above `to`")
        if all(isinstance(one, int) for one in (low, high, step or 0)):
            step = step or (None if log else 1)
        else:
            low, high, step = float(low), float(high), None if step is None else float(step)
        made = Parameter(name, None, low, high, step, log)
        for end in (low, high):
            self.check_setting(place, kind, bases, key, end)
        if step is not None:
            if made.count() > MOST_VALUES:
                rule = f"{low}..{high}: has {made.count():,} values: must be at most {MOST_VALUES:,}"
                raise self.doc.error(place, None, rule)
            made.high = made.values()[-1]  # the last that a step reaches
        return made

    def stage(self, place, value):
        if not isinstance(value, dict):
            value = {"fidelity": value}
        fidelity = self.one_of((*place, "fidelity"), value.get("fidelity"), FIDELITIES)
        options = ("layers", "steps") if fidelity != "accuracy" else _ACCURACY
        found = self.keys(place, value, ("fidelity", "keep", *options))
        keep = found.get("keep")
        if keep is not None:
            self.count((*place, "keep"), keep)
        made = {key: found[key] for key in options if key in found}
        if fidelity == "accuracy":
            for key in ("model", "text"):
                if key not in made:
                    raise self.doc.error((*place, key), None, "is missing: a stage `accuracy` needs a model and a text")
            for key in ("windows", "steps", "prompt", "seed"):
                if key in made:
                    self.count((*place, key), made[key], 0 if key == "seed" else 1)
            self.one_of((*place, "mode"), made.get("mode", "decode"), ("decode", "whole"))
        else:
            for key, one in made.items():
                made[key] = text_of(one)
                if not re.fullmatch(r"\d+(-\d*)?", made[key]):
                    raise self.doc.error((*place, key), one, "must be a number A, a range A-B, or A- for all from A")
        return Stage(fidelity, keep, made)


_ACCURACY = ("model", "text", "windows", "prompt", "steps", "mode", "seed")
_TOP = ("name", "traces", "machine", "policy", "set", "vary", "objectives", "at_most", "search", "stages", "storage")


def _stages(reader, value):
    place = ("stages",)
    if not isinstance(value, list) or not value:
        raise reader.doc.error(place, value, "must be a list of stages, the cheapest first")
    stages = [reader.stage((*place, i), one) for i, one in enumerate(value)]
    order = [FIDELITIES.index(one.fidelity) for one in stages]
    if order != sorted(set(order)):
        raise reader.doc.error(
            place, [one.fidelity for one in stages], "must be in the order golden, machine, accuracy, each at most once"
        )
    return stages


def _require_given(reader, stages, objectives, at_most):
    gives = {one.fidelity: given(one.fidelity) for one in stages}
    for place, keys in (("objectives", objectives), ("at_most", at_most)):
        for key in keys:
            reader.one_of((place,) if place == "objectives" else (place, key), key, list(METRICS))
            if not any(key in one for one in gives.values()):
                offers = "; ".join(f"{fidelity} gives {', '.join(one)}" for fidelity, one in gives.items())
                needs = " or ".join(METRICS[key].given_by)
                rule = f"no stage gives it: it needs a stage {needs}; {offers}"
                raise reader.doc.error((place,), key, rule)
    for i, stage in enumerate(stages):
        if not set(objectives) & set(gives[stage.fidelity]):
            rule = f"{stage.fidelity} gives none of the objectives {', '.join(objectives)}"
            raise reader.doc.error(("stages", i), None, f"{rule}: it gives {', '.join(gives[stage.fidelity])}")


def _bases(reader, kind, value, default):
    names = reader.names((kind,), value if value is not None else default)
    for one in names:
        try:
            _KINDS[kind](one)
        except Error as error:
            raise reader.doc.error((kind,), None, str(error).removeprefix(f"--{kind}: ")) from error
    return names


def _search(reader, value, parameters):
    found = reader.keys(("search",), value, ("method", "points", "batch", "seed"))
    method = reader.one_of(("search", "method"), found.get("method", "tpe"), METHODS)
    batch = reader.count(("search", "batch"), found.get("batch", 16))
    seed = reader.count(("search", "seed"), found.get("seed", 1), 0)
    points = found.get("points")
    if points is not None:
        reader.count(("search", "points"), points)
    if method == "grid":
        for one in parameters:
            if one.count() is None:
                raise reader.doc.error(("vary", *one.name.split(".", 1)), None, "a grid needs a `step`")
        size = math.prod(one.count() for one in parameters)
        if size > MOST_POINTS:
            rule = f"the grid has {size:,} points: must be at most {MOST_POINTS:,}"
            raise reader.doc.error(("search", "method"), method, rule)
        if points is not None and size > points:
            raise reader.doc.error(("search", "points"), points, f"the grid has {size:,} points: must be at least that")
    elif points is None:
        raise reader.doc.error(("search", "points"), None, f"is missing: {method} needs the number of points")
    return method, points, batch, seed


def load(path):
    """The Spec of a YAML file. Raises Error with file, line, key, value and rule."""
    document = yaml_file.read(path)
    reader = _Reader(document)
    found = reader.keys((), document.value, _TOP)
    for key in ("traces", "objectives"):
        if found.get(key) is None:
            raise document.error((key,), None, "is missing")
    name = found.get("name", Path(path).stem)
    if not isinstance(name, str) or not re.fullmatch(r"[^/\x00-\x1f]{1,200}", name) or name in (".", ".."):
        raise document.error(("name",), name, "must be a text that can name a folder")
    traces = reader.names(("traces",), found["traces"])
    for one in traces:
        try:
            if not one.endswith(".csv"):  # a workload of shapes, which is no trace
                Trace.open(one)
        except Error as error:
            raise document.error(("traces",), None, str(error)) from error
    bases = {
        "machine": _bases(reader, "machine", found.get("machine"), "spatten"),
        "policy": _bases(reader, "policy", found.get("policy"), "select"),
    }
    parameters = [Parameter(kind, names) for kind, names in bases.items() if len(names) > 1]
    fixed = {}
    both = {part: reader.keys((part,), found.get(part), tuple(_KINDS)) for part in ("set", "vary")}
    for kind in _KINDS:
        for key, value in reader.mapping(("set", kind), both["set"].get(kind)).items():
            reader.check_setting(("set", kind, key), kind, bases[kind], key, value)
            fixed[f"{kind}.{key}"] = text_of(value)
        for key, value in reader.mapping(("vary", kind), both["vary"].get(kind)).items():
            if f"{kind}.{key}" in fixed:
                raise document.error(("vary", kind, key), None, "stands in `set` too: must stand in one of them")
            parameters.append(reader.parameter(("vary", kind, key), kind, bases[kind], key, value))
    if not parameters:
        raise document.error(("vary",), None, "nothing varies: must have a key with a list or a range")
    objectives = reader.names(("objectives",), found["objectives"])
    at_most = reader.mapping(("at_most",), found.get("at_most"))
    for key, limit in at_most.items():
        reader.number(("at_most", key), limit)
    stages = _stages(reader, found.get("stages", ["golden"]))
    _require_given(reader, stages, objectives, at_most)
    method, points, batch, seed = _search(reader, found.get("search"), parameters)
    storage = found.get("storage", "journal")
    if not isinstance(storage, str) or (storage not in ("journal", "sqlite") and "://" not in storage):
        raise document.error(("storage",), storage, "must be journal, sqlite, or an address such as postgresql://...")
    return Spec(
        name=name,
        traces=traces,
        machines=bases["machine"],
        policies=bases["policy"],
        fixed=fixed,
        parameters=parameters,
        objectives=objectives,
        at_most=at_most,
        method=method,
        points=points,
        batch=batch,
        seed=seed,
        stages=stages,
        storage=storage,
    )
