"""One point at one fidelity: what a worker does. Tasks and answers are plain values, which any process can be sent."""

import functools
import math
import os
import shlex

import winnow
from winnow._core import Error
from winnow.sweep.metrics import METRICS
from winnow.sweep.spec import text_of


def task_of(spec, stage, params):
    """All that a worker needs: {"fidelity", "options", "traces", "machine", "policy", "set", "wanted", "cwd"}."""
    values = {**spec.fixed, **{name: text_of(value) for name, value in params.items()}}
    wanted = [key for key in (*spec.objectives, *spec.at_most) if stage.fidelity in METRICS[key].given_by]
    return {
        "fidelity": stage.fidelity,
        "options": stage.options,
        "traces": spec.traces,
        "machine": values.pop("machine", spec.machines[0]),
        "policy": values.pop("policy", spec.policies[0]),
        "set": values,
        "wanted": list(dict.fromkeys(wanted)),
        "cwd": os.getcwd(),
    }


def _settings(task, kind):
    return {name.split(".", 1)[1]: text for name, text in task["set"].items() if name.startswith(f"{kind}.")}


def _policy_words(task):
    return " ".join([task["policy"], *(f"{key}={text}" for key, text in _settings(task, "policy").items())])


def command_of(task):
    """The command lines that repeat the point, joined by &&."""
    if task["fidelity"] == "accuracy":
        words = ["winnow", "accuracy", task["options"]["model"], "--policy", _policy_words(task)]
        for key, value in task["options"].items():
            if key != "model":
                words += [f"--{key}", str(value)]
        return shlex.join(words)
    lines = []
    for trace in task["traces"]:
        words = ["winnow", "run", trace, "--machine", task["machine"], "--policy", task["policy"]]
        if task["fidelity"] == "golden":
            words += ["--engine", "golden"]
        for key, value in task["options"].items():
            words += [f"--{key}", str(value)]
        for name, text in task["set"].items():
            words += ["--set", f"{name.split('.', 1)[1]}={text}"]
        lines.append(shlex.join(words))
    return " && ".join(lines)


def _made(kind, base, settings):
    made = kind(base)
    for key, text in settings.items():
        made[key] = text
    made.check()
    return made


def _at(run, path, what):
    part = run.result
    for key in path.split("."):
        if key not in part:
            why = "; winnow cost names what the technology lacks" if path.startswith("cost.") else ""
            raise Error(f"{what}: this run has no such figure{why}")
        part = part[key]
    return part.value


@functools.lru_cache(maxsize=256)
def _area(base, settings):
    """Of a machine, which needs a run but not a long one: the shortest that there is."""
    machine = _made(winnow.Machine, base, dict(settings))
    return _at(winnow.run("synthetic:layers=1,heads=1,head_dim=32,tokens=8", machine, "dense"), "cost.area", "area")


def _runs(task):
    """Sums over traces; of ratios the mean. The area is the machine's."""
    machine = _made(winnow.Machine, task["machine"], _settings(task, "machine"))
    policy = _made(winnow.Policy, task["policy"], _settings(task, "policy"))
    engine = "golden" if task["fidelity"] == "golden" else "systemc"
    runs = [winnow.run(trace, machine, policy, engine=engine, **task["options"]) for trace in task["traces"]]
    figures = {}
    for key in task["wanted"]:
        path = METRICS[key].given_by[task["fidelity"]]
        if key == "area":
            figures[key] = (
                _at(runs[0], path, key)
                if path
                else _area(task["machine"], tuple(sorted(_settings(task, "machine").items())))
            )
            continue
        values = [_at(run, path, key) for run in runs]
        figures[key] = sum(values) / len(values) if METRICS[key].unit == "ratio" else sum(values)
    return figures


def _in_the_model(task):
    from winnow.accuracy import evaluate

    options = dict(task["options"])
    model, text = options.pop("model"), options.pop("text")
    windows = options.pop("windows", 24)
    report = evaluate(model, [_policy_words(task)], text, windows_count=windows, threads=task.get("threads"), **options)
    row = report.table.iloc[0]
    figures = {}
    for key in task["wanted"]:
        column = METRICS[key].given_by["accuracy"]
        if (column or "cosine") not in row:
            raise Error(f"{key}: model {model} does not give it: loss is a decoder's, disagreement an encoder's")
        figures[key] = float(row[column]) if column else 1 - float(row["cosine"])
    return figures


def measure(task):
    """{"state": "measured", "figures": {...}}, or {"state": "refused" or "failed", "why": one line}. Does not raise."""
    from winnow_traces.errors import CaptureError

    try:
        os.chdir(task["cwd"])
        figures = _in_the_model(task) if task["fidelity"] == "accuracy" else _runs(task)
        for key, value in figures.items():
            if not math.isfinite(value):
                raise ArithmeticError(f"{key} is {value}")
        return {"state": "measured", "figures": figures}
    except (Error, CaptureError) as error:
        return {"state": "refused", "why": " ".join(str(error).split())}
    except Exception as error:  # whatever it is, the other points go on
        return {"state": "failed", "why": " ".join(f"{type(error).__name__}: {error}".split())}
