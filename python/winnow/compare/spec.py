"""The spec of a comparison: which policies, by which knob each is brought to a budget, and what is measured then."""

from dataclasses import dataclass, field

import winnow
from winnow._core import Error
from winnow.sweep.yaml_file import read

KEYS = ("name", "trace", "steps", "budgets", "machines", "machine", "policies", "accuracy", "needle")
ACCURACY_KEYS = ("model", "text", "windows", "prompt", "steps", "mode", "seed")
NEEDLE_KEYS = (*ACCURACY_KEYS, "depths")


@dataclass
class Candidate:
    """A policy with a knob: at x, key k of the policy is x times its factor, but at most 1."""

    label: str
    policy: str
    set: dict = field(default_factory=dict)  # fixed settings
    machine: dict = field(default_factory=dict)  # settings of every machine: a rule may need a memory that they lack
    knob: dict = field(default_factory=dict)  # key -> factor; empty: the policy has no knob and stands as it is
    least: float = 0.001  # the x that reads least,
    most: float = 1.0  # and the one that reads most; either may be the larger

    def settings(self, x):
        """{key: text}: what the policy is set to at x."""
        turned = {key: f"{min(1.0, x * factor):.4g}" for key, factor in self.knob.items()}
        return {**self.set, **turned}

    def made(self, x):
        """The Policy at x. Raises Error where its parameters contradict each other."""
        made = winnow.Policy(self.policy)
        for key, text in self.settings(x).items():
            made[key] = text
        made.check()
        return made

    def machine_of(self, name):
        """The Machine of that name as the rule needs it."""
        made = winnow.Machine(name)
        for key, text in self.machine.items():
            made[key] = text
        made.check()
        return made

    def words(self, x):
        """As `--policy` of `winnow accuracy` takes it."""
        return " ".join([self.policy, *(f"{key}={text}" for key, text in self.settings(x).items())])


@dataclass
class Spec:
    name: str
    trace: str
    steps: str | None
    budgets: list  # shares of the bytes of K and V that dense reads at 12 bits
    machines: list
    machine: dict  # settings of the machines for all policies
    policies: list
    accuracy: dict | None  # options of winnow.accuracy.evaluate
    needle: dict | None


def _number(document, place, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low < value <= high:
        raise document.error(place, value, f"must be a number above {low}, at most {high}")
    return float(value)


def _sizes(document, place, value):
    """Settings of machines, as text."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.error(place, None, "must be a mapping from keys of the machines to values")
    return {key: str(text) for key, text in value.items()}


def _candidate(document, at, value, common):
    """`common`: settings of the machines for all policies."""
    place = ("policies", at)
    if isinstance(value, str):
        value = {"policy": value}
    if not isinstance(value, dict) or "policy" not in value:
        raise document.error(place, None, "must be a policy's name, or a mapping with the key policy")
    for key in value:
        if key not in ("policy", "label", "set", "machine", "knob", "from", "to"):
            raise document.error((*place, key), None, "unknown: known are policy, label, set, machine, knob, from, to")
    knob = value.get("knob", {})
    if isinstance(knob, str):
        knob = {knob: 1}
    if not isinstance(knob, dict):
        raise document.error((*place, "knob"), None, "must be a key of the policy, or a mapping from keys to factors")
    for key, factor in knob.items():
        _number(document, (*place, "knob", key), factor, 0, 1)
    least = _number(document, (*place, "from"), value.get("from", 0.001), 0, 1)
    most = _number(document, (*place, "to"), value.get("to", 1), 0, 1)
    if least == most:
        raise document.error((*place, "from"), least, "must be another than to")
    fixed = {key: str(text) for key, text in (value.get("set") or {}).items()}
    sizes = {**common, **_sizes(document, (*place, "machine"), value.get("machine"))}
    made = Candidate(value.get("label", value["policy"]), value["policy"], fixed, sizes, knob, least, most)
    try:
        made.made(most)
    except Error as error:
        raise document.error(place, None, str(error)) from error
    return made


def _judge(document, name, known):
    """The options of a model's judgement, or None."""
    value = document.value.get(name)
    if value is None:
        return None
    if not isinstance(value, dict) or not {"model", "text"} <= set(value):
        raise document.error((name,), None, "must be a mapping with model and text")
    for key in value:
        if key not in known:
            raise document.error((name, key), None, f"unknown: known are {', '.join(known)}")
    return dict(value)


def _depths(document, value):
    from winnow.accuracy.needle import DEPTHS, check_depths  # only where they are asked for: it brings the models along

    place = ("needle", "depths")
    if value is None:
        return list(DEPTHS)
    if not isinstance(value, list) or not all(isinstance(one, (int, float)) for one in value):
        raise document.error(place, None, "must be a list of numbers")
    try:
        check_depths(value)
    except Error as error:
        raise document.error(place, None, str(error).removeprefix("--depths: ")) from error
    return value


def load(path):
    """The Spec of a YAML file. Raises Error: file, line, key, value, rule."""
    document = read(path)
    value = document.value
    if not isinstance(value, dict):
        raise document.error((), None, f"must be a mapping with the keys {', '.join(KEYS)}")
    for key in value:
        if key not in KEYS:
            raise document.error((key,), None, f"unknown: known are {', '.join(KEYS)}")
    for key in ("trace", "budgets", "policies"):
        if not value.get(key):
            raise document.error((key,), None, "missing: must be given")
    if not isinstance(value["budgets"], list) or not isinstance(value["policies"], list):
        raise document.error(("budgets",), None, "must be a list, and policies too")
    budgets = [_number(document, ("budgets", i), one, 0, 1) for i, one in enumerate(value["budgets"])]
    common = _sizes(document, ("machine",), value.get("machine"))
    policies = [_candidate(document, i, one, common) for i, one in enumerate(value["policies"])]
    labels = [one.label for one in policies]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise document.error(("policies", i), label, "stands twice: give one of them a label of its own")
    accuracy, needle = (_judge(document, *of) for of in (("accuracy", ACCURACY_KEYS), ("needle", NEEDLE_KEYS)))
    if needle is not None:
        needle["depths"] = _depths(document, needle.get("depths"))
    machines = value.get("machines") or ["spatten", "winnow"]
    for i, machine in enumerate(machines):
        if machine not in winnow.machines():
            raise document.error(("machines", i), machine, f"must be one of {', '.join(winnow.machines())}")
    steps = value.get("steps")
    made = Spec(
        str(value.get("name") or "compare"),
        str(value["trace"]),
        None if steps is None else str(steps),
        budgets,
        machines,
        common,
        policies,
        accuracy,
        needle,
    )
    for i, candidate in enumerate(policies):
        for machine in machines:
            try:
                candidate.machine_of(machine)
            except Error as error:
                raise document.error(("policies", i, "machine"), None, str(error)) from error
    return made
