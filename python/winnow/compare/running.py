"""Runs a comparison: budgets by golden, cycles and joules by the machines, accuracy in the model."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas

import winnow
from winnow._core import Error
from winnow.compare.budget import bytes_of
from winnow.compare.spec import Candidate
from winnow.compare.tables import markdown
from winnow.compare.tasks import work
from winnow.sweep.workers import LocalWorkers
from winnow.whole_file import whole

VERSION = 1


@dataclass
class Comparison:
    """`table` has a row a policy and budget. `facts`: what was compared, in the order of printing."""

    facts: dict
    table: pandas.DataFrame


def _answers(workers, tasks):
    """The tasks' values, in their order. Raises Error for the first that was refused."""
    values = [None] * len(tasks)
    for number, answer in workers.run(tasks):
        if answer["state"] != "done":
            raise Error(answer["why"])
        values[number] = answer["value"]
    return values


# Columns of winnow.accuracy's table -> of ours.
ACCURACY = {
    key: key
    for key in ("change_per_cent", "standard_error", "interval_low", "interval_high", "cosine", "kv_bytes_a_token")
}
NEEDLE = {
    "found": "found",
    "found_low": "found_low",
    "found_high": "found_high",
    "answer_nll_change": "answer_nll_change",
    "standard_error": "answer_nll_standard_error",
    "kv_bytes_a_token": "needle_kv_bytes_a_token",
}


def _judge(options, rows, columns):
    """Adds what the model says under `options` to the rows, all policies on the same windows; returns its facts."""
    from winnow.accuracy import evaluate

    reached = [row for row in rows if row["reached"]]
    options = dict(options)
    model, text, windows = options.pop("model"), options.pop("text"), options.pop("windows", 12)
    words = list(dict.fromkeys(row["settings"] for row in reached))
    report = evaluate(model, words, text, windows_count=windows, **options)
    by_words = {one["policy"]: one for one in report.table.to_dict("records")}
    for row in reached:
        given = by_words[row["settings"]]
        row.update({mine: given[theirs] for theirs, mine in columns.items() if theirs in given})
    return report.facts


def run(spec, output, *, jobs=None, force=False, tell=lambda line: None):
    """Measures everything and writes compare.csv, compare.json and compare.md into `output`. Returns a Comparison.
    Raises Error where the folder holds something and `force` is not given, or an input is refused."""
    output = Path(output)
    if output.exists() and any(output.iterdir()) and not force:
        raise Error(f"{output}: output: exists: --force replaces what it holds")
    whole_model = Candidate("dense", "dense", machine=spec.machine)
    dense = bytes_of(spec, whole_model.machine_of(spec.machines[0]), winnow.Policy("dense"))
    candidates = {one.label: one for one in spec.policies}
    workers = LocalWorkers(jobs or os.cpu_count() or 1, work)
    try:
        rows = []
        for made in _answers(workers, [("turn", (spec, one, dense)) for one in spec.policies]):
            rows += made
            tell(f"{made[0]['policy']}: " + ", ".join(f"{100 * one['bytes_of_dense']:.1f} %" for one in made))
        reached = [row for row in rows if row["reached"]]
        timed = _answers(workers, [("time", (spec, candidates[row["policy"]], row["x"])) for row in reached])
        for row, figures in zip(reached, timed):
            row.update(figures)
    finally:
        workers.close()
    facts = {
        "version": VERSION,
        "winnow": winnow.__version__,
        "trace": spec.trace,
        "steps": spec.steps or "all",
        "dense_bytes": int(dense),
        "budgets": spec.budgets,
        "machines": spec.machines,
    }
    if spec.accuracy:
        facts["accuracy"] = _judge(spec.accuracy, rows, ACCURACY)
    if spec.needle:
        facts["needle"] = _judge(spec.needle, rows, NEEDLE)
    table = pandas.DataFrame(rows)
    made = Comparison(facts, table)
    output.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("compare.csv", table.to_csv(index=False)),
        ("compare.json", json.dumps(facts, indent=1) + "\n"),
        ("compare.md", markdown(made)),
    ):
        with whole(output / name) as path:
            path.write_text(text, encoding="utf-8")
    return made
