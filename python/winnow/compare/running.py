"""Runs a comparison: budgets by golden, cycles and joules by the machines, accuracy in the model."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas

import winnow
from winnow._core import Error
from winnow.compare.budget import bytes_of, turned
from winnow.compare.tables import markdown

VERSION = 1


@dataclass
class Comparison:
    """`table` has a row a policy and budget. `facts`: what was compared, in the order of printing."""

    facts: dict
    table: pandas.DataFrame


def _turn(spec, dense, candidate):
    """A row a budget of what the policy is set to."""
    known = {}

    def measure(x):
        if x not in known:
            known[x] = bytes_of(spec, candidate.made(x))
        return known[x]

    rows = []
    for budget in spec.budgets:
        x, read = turned(candidate, budget * dense, measure)
        rows.append(
            {
                "policy": candidate.label,
                "budget": budget,
                "reached": x is not None,
                "settings": "" if x is None else candidate.words(x),
                "x": x,
                "bytes_of_dense": read / dense,
            }
        )
    return rows


def _time(spec, candidates, row):
    """Cycles and joules of a step on every machine."""
    if not row["reached"]:
        return
    options = {} if spec.steps is None else {"steps": spec.steps}
    policy = candidates[row["policy"]].made(row["x"])
    for machine in spec.machines:
        run = winnow.run(spec.trace, spec.machine(machine), policy, **options)
        steps = run.layers["step"].nunique()
        row[f"{machine}.cycles"] = run.result.summary.cycles.value / steps
        row[f"{machine}.joules"] = run.result.cost.energy.value / steps
        row["output_error"] = run.result.summary.output_error_mean.value
        row["burst_bytes_a_step"] = run.result.summary.dram_all_bursts.value / steps


def _judge(spec, rows):
    """Change of perplexity in the model, all policies on the same windows."""
    from winnow.accuracy import evaluate

    reached = [row for row in rows if row["reached"]]
    options = dict(spec.accuracy)
    model, text, windows = options.pop("model"), options.pop("text"), options.pop("windows", 12)
    words = list(dict.fromkeys(row["settings"] for row in reached))
    report = evaluate(model, words, text, windows_count=windows, **options)
    by_words = {one["policy"]: one for one in report.table.to_dict("records")}
    for row in reached:
        found = by_words[row["settings"]]
        for key in ("change_per_cent", "standard_error", "interval_low", "interval_high", "cosine", "kv_bytes_a_token"):
            if key in found:
                row[key] = found[key]
    return report.facts


def run(spec, output, *, jobs=None, force=False, tell=lambda line: None):
    """Measures everything and writes compare.csv, compare.json and compare.md into `output`. Returns a Comparison.
    Raises Error where the folder holds something and `force` is not given, or an input is refused."""
    output = Path(output)
    if output.exists() and any(output.iterdir()) and not force:
        raise Error(f"{output}: output: exists: --force replaces what it holds")
    dense = bytes_of(spec, winnow.Policy("dense"))
    candidates = {one.label: one for one in spec.policies}
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        rows = []
        for made in pool.map(lambda one: _turn(spec, dense, one), spec.policies):
            rows += made
            tell(f"{made[0]['policy']}: " + ", ".join(f"{100 * one['bytes_of_dense']:.1f} %" for one in made))
        list(pool.map(lambda row: _time(spec, candidates, row), rows))
    facts = {
        "version": VERSION,
        "winnow": winnow.__version__,
        "trace": spec.trace,
        "steps": spec.steps or "all",
        "dense_bytes": int(dense),
        "budgets": spec.budgets,
        "machines": spec.machines,
        "set": spec.set,
    }
    if spec.accuracy:
        facts["accuracy"] = _judge(spec, rows)
    table = pandas.DataFrame(rows)
    made = Comparison(facts, table)
    output.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("compare.csv", table.to_csv(index=False)),
        ("compare.json", json.dumps(facts, indent=1) + "\n"),
        ("compare.md", markdown(made)),
    ):
        partial = output / f".{name}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.replace(output / name)
    return made
