"""Policies at equal budget: the knob finds the setting that reads most within it, whoever the policy is; the table says
what did not reach it; a spec that is wrong ends with one line."""

import json
import math
import sys

import pandas
import pytest
import winnow
from conftest import ROOT
from winnow import compare
from winnow.__main__ import main
from winnow.accuracy import evaluate
from winnow.compare.budget import turned

sys.path.append(str(ROOT / "traces/tests"))
from tiny_models import write_llama

TRACE = "synthetic:layers=3,heads=4,kv_heads=2,head_dim=16,tokens=72,prompt=64,causal=1,seed=5"
SPEC = f"""\
name: small
trace: {TRACE}
steps: 6-8
budgets: [0.5, 0.25]
machines: [spatten]
policies:
  - {{policy: select, knob: select_keep, from: 0.05}}
  - {{policy: early-exit, knob: score_threshold, from: 1, to: 0.0001, set: {{k_digits: "4,4"}}}}
  - policy: h2o
    knob: {{tokens.start: 1, tokens.end: 1, protect_newest_share: 0.5}}
    from: 0.02
    machine: {{importance.tokens: 2048}}
  - {{policy: sink-window, knob: protect_newest_share, from: 0.005}}
  - {{policy: duo-attention, knob: full_heads, from: 0.01}}
  - dense
"""


@pytest.fixture(scope="module")
def spec_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("compare") / "spec.yaml"
    path.write_text(SPEC)
    return path


def test_knob_finds_the_most_that_a_budget_allows():
    answers = 0
    for least, most in ((0.01, 1.0), (1.0, 0.0001)):
        up = most > least
        for power in (0.5, 1, 3):

            def read(x, up=up, power=power):
                return 1000 * (x if up else 0.0001 / x) ** power

            for budget in (3, 20, 250, 999.9, 1000):
                one = compare.Candidate("one", "select", knob={"select_keep": 1}, least=least, most=most)
                x, found = turned(one, budget, read)
                if read(least) > budget:
                    assert x is None and found == read(least)
                else:
                    assert found == read(x) <= budget
                    # A knob that is turned on by a hundredth of its range reads too much, or is at its end.
                    further = min(x * 1.01, 1) if up else max(x / 1.01, 0.0001)
                    assert x == most or read(further) > budget * 0.98
                answers += 1
    print(f"{answers} budgets compared")


def test_comparison_is_what_runs_say(spec_file, tmp_path):
    spec = compare.load(spec_file)
    made = compare.run(spec, tmp_path / "out", jobs=2)
    rows = made.table.to_dict("records")
    assert len(rows) == 12
    dense = winnow.run(TRACE, "spatten", "dense", engine="golden", steps="6-8").result.summary.dram_kv_useful.value
    checked = 0
    for row in rows:
        if not row["reached"]:
            assert row["bytes_of_dense"] > row["budget"] and math.isnan(row["spatten.cycles"])
            continue
        assert row["bytes_of_dense"] <= row["budget"]
        one = next(one for one in spec.policies if one.label == row["policy"])
        name, *words = row["settings"].split()
        policy = winnow.Policy(name)
        for word in words:
            key, _, text = word.partition("=")
            policy[key] = text
        run = winnow.run(TRACE, one.machine_of("spatten"), policy, steps="6-8")
        assert run.result.summary.dram_kv_useful.value / dense == row["bytes_of_dense"]
        assert run.result.summary.cycles.value / 3 == row["spatten.cycles"]
        if "cost" in run.result:
            assert run.result.cost.energy.value / 3 == row["spatten.joules"]
        else:
            assert row["policy"] == "h2o" and math.isnan(row["spatten.joules"])
        checked += 3
    by = {(row["policy"], row["budget"]): row for row in rows}
    assert not by["dense", 0.5]["reached"] and by["select", 0.25]["reached"] and by["h2o", 0.25]["reached"]
    # As much as there is: within a token a layer and head of the budget.
    assert by["h2o", 0.5]["bytes_of_dense"] > 0.45
    text = (tmp_path / "out" / "compare.md").read_text()
    assert "Not reached by" in text and "`dense` (100 %)" in text
    again = pandas.read_csv(tmp_path / "out" / "compare.csv")
    assert list(again["settings"].fillna("")) == [row["settings"] for row in rows]
    assert (tmp_path / "out" / "compare.csv").read_bytes() == (
        compare.run(spec, tmp_path / "again", jobs=1).table.to_csv(index=False).encode()
    )
    print(f"{checked} figures equal runs of their own")


def test_the_needle_test_is_a_column(tmp_path, compared):
    """Figures are those of winnow.accuracy, of the same settings on the same windows."""
    text = ROOT / "traces/samples/jargon-chapter1.txt"
    write_llama(tmp_path / "tiny.gguf", text.read_text(encoding="utf-8")[:20_000], layers=2, width=64, head_dim=16)
    (tmp_path / "spec.yaml").write_text(
        f"trace: {TRACE}\nsteps: 6-8\nbudgets: [0.5, 0.25]\nmachines: [spatten]\n"
        "policies: [{policy: select, knob: select_keep, from: 0.05}, dense]\n"
        f"needle: {{model: {tmp_path}/tiny.gguf, text: {text}, windows: 3, prompt: 120, steps: 60, depths: [20, 80]}}\n"
    )
    made = compare.run(compare.load(tmp_path / "spec.yaml"), tmp_path / "out", jobs=1)
    reached = made.table[made.table["reached"]]
    assert len(reached) == 2 and set(reached["policy"]) == {"select"}
    options = {"windows_count": 3, "prompt": 120, "steps": 60, "depths": [20, 80], "cache": None}
    report = evaluate(f"{tmp_path}/tiny.gguf", list(reached["settings"]), str(text), **options)
    for (_, mine), (_, theirs) in zip(reached.iterrows(), report.table.iterrows()):
        assert mine["found"] == theirs["found"] and mine["found_high"] == theirs["found_high"]
        assert mine["answer_nll_change"] == pytest.approx(theirs["answer_nll_change"], abs=1e-3)
        assert mine["answer_nll_standard_error"] == pytest.approx(theirs["standard_error"], abs=1e-3)
        compared(4)
    page = (tmp_path / "out/compare.md").read_text()
    assert "| facts found (dense float: 0 of 3) |" in page and page.count("| 0 of 3 |") == 2
    facts = json.loads((tmp_path / "out/compare.json").read_text())
    assert facts["needle"]["depths"] == [20, 80] and "accuracy" not in facts


@pytest.mark.parametrize(
    ("line", "instead", "error"),
    [
        ("budgets: [0.5, 0.25]", "budgets: [0.5, 0]", "line 4: budgets: 0: must be a number above 0, at most 1"),
        ("budgets: [0.5, 0.25]", "budgets: []", "line 4: budgets: missing: must be given"),
        ("name: small", "nom: small", "line 1: nom: unknown: known are name, trace"),
        ("  - dense", "  - densest", "'densest'"),
        ("  - dense", "  - {policy: select, knob: select_keep}", "'select': stands twice"),
        ("  - dense", "  - {policy: dense, knob: local_valu}", "local_valu"),
        ("  - dense", "  - {policy: h2o, set: {permanent: true}}", "permanent"),
        ("machine: {importance.tokens: 2048}", "machine: {importance.tokns: 2048}", "importance.tokns"),
        ("steps: 6-8", "steps: 6-8\nmachine: 4096", "machine: must be a mapping from keys of the machines to values"),
        ("steps: 6-8", "steps: 6-8\nmachine: {qk.tokens: 4096}", "qk.tokens"),
        ("machines: [spatten]", "machines: [sparten]", "machines: 'sparten': must be one of"),
        ("steps: 6-8", "steps: 6-8\naccuracy: {model: smollm2}", "accuracy: must be a mapping with model and text"),
        ("steps: 6-8", "steps: 6-8\nneedle: {text: test}", "needle: must be a mapping with model and text"),
        (
            "steps: 6-8",
            "steps: 6-8\nneedle: {model: a, text: b, deep: 1}",
            "needle.deep: unknown: known are model, text",
        ),
        (
            "steps: 6-8",
            "steps: 6-8\nneedle: {model: a, text: b, depths: 10}",
            "needle.depths: must be a list of numbers",
        ),
        (
            "steps: 6-8",
            "steps: 6-8\nneedle: {model: a, text: b, depths: [5, 101]}",
            "needle.depths: 101: must be 0..100",
        ),
    ],
)
def test_wrong_specs_end_with_one_line(tmp_path, capsys, line, instead, error):
    path = tmp_path / "spec.yaml"
    assert line in SPEC
    path.write_text(SPEC.replace(line, instead))
    assert main(["compare", str(path), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert error in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_that_holds_something_is_refused(spec_file, tmp_path, capsys):
    (tmp_path / "mine").write_text("precious")
    assert main(["compare", str(spec_file), "-o", str(tmp_path), "--no-accuracy"]) == 2
    assert "--force" in capsys.readouterr().err and (tmp_path / "mine").read_text() == "precious"
