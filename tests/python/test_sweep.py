"""Sweeps: what is measured, what a crash stops, what does not depend on the number of processes, what is refused."""

import itertools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
import sweep_measures
import winnow
from conftest import winnow as command

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
import optuna
from pyarrow import parquet
from winnow import sweep
from winnow.sweep import measure as measuring
from winnow.sweep import promotion, search
from winnow.sweep.metrics import METRICS
from winnow.sweep.workers import LocalWorkers

TRACE = "synthetic:layers=1,heads=2,kv_heads=1,head_dim=32,tokens=24,prompt=20,causal=1"
SPEC = f"""\
name: small
traces: "{TRACE}"
machine: tiny
policy: select
vary:
  policy:
    v_bits: {{from: 4, to: 10}}
    select_keep: {{from: 0.8, to: 0.99, step: 0.01}}
    k_digits: [[4, 4], [3, 3], [6, 6]]
objectives: [bytes, output_error, cycles]
at_most: {{output_error: 0.2}}
search: {{method: tpe, points: 24, batch: 6, seed: 3}}
stages:
  - {{fidelity: golden, keep: 4}}
  - {{fidelity: machine, steps: 1-2}}
"""


def written(path, text=SPEC, **replaced):
    """The spec with some of its lines (`key: ...`) given anew."""
    lines = text.splitlines()
    for key, value in replaced.items():
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
        lines[at] = lines[at].split(":")[0] + f": {value}"
    path.write_text("\n".join(lines) + "\n")
    return path


def spec_of(tmp_path, **replaced):
    return sweep.load(written(tmp_path / "s.yaml", **replaced))


def files(folder):
    return [(folder / name).read_bytes() for name in ("points.csv", "points.parquet")]


def journal(folder):
    return [json.loads(line) for line in (folder / "points.jsonl").read_text().splitlines()]


def test_the_seed_and_the_answers_steer(tmp_path, compared):
    """Each of seed, batch, figures and limits changes what is asked next; a random search sees no answers."""
    for method in ("tpe", "nsga2", "random"):
        spec = spec_of(tmp_path, search=f"{{method: {method}, points: 24, batch: 12, seed: 3}}")
        first = search.ask(spec, 0, 12, [], 2)
        history = [(p, a, [p["policy.v_bits"] * 100, 1 / p["policy.v_bits"]], {"output_error": -1}) for p, a in first]
        cheap = [(p, a, [p["policy.select_keep"], -p["policy.v_bits"]], {"output_error": -1}) for p, a in first]
        limited = [(*one[:3], {"output_error": p["policy.v_bits"] - 5}) for one, (p, _) in zip(history, first)]

        def asked(spec=spec, batch=1, history=history):
            return [params for params, _ in search.ask(spec, batch, 12, history, 2)]

        assert asked() == asked() != asked(batch=2)
        spec.seed = 4
        assert search.ask(spec, 0, 12, [], 2) != first
        spec.seed = 3
        assert (asked(history=cheap) == asked()) == (asked(history=limited) == asked()) == (method == "random")
        compared(12)


@pytest.mark.parametrize("method", ["tpe", "nsga2"])
def test_jobs_do_not_change_a_byte(method, tmp_path, compared):
    spec = spec_of(tmp_path, search=f"{{method: {method}, points: 24, batch: 6, seed: 3}}")
    outcomes = [sweep.run(spec, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2)]
    assert files(tmp_path / "1") == files(tmp_path / "2")
    frame = outcomes[0].points
    assert len(frame) == len(frame[["policy.v_bits", "policy.select_keep", "policy.k_digits"]].drop_duplicates()) == 24
    assert (frame.fidelity == "machine").sum() == 4 and frame.front.any()
    compared(sum(len(data) for data in files(tmp_path / "1")))


def test_figures_are_those_of_their_commands(tmp_path, compared):
    outcome = sweep.run(spec_of(tmp_path), tmp_path / "r", jobs=1)
    for fidelity in ("golden", "machine"):
        point = outcome.points[outcome.points.fidelity == fidelity].iloc[-1]
        assert point["command"].startswith("winnow run ")
        code, out, error = command(*shlex.split(point["command"])[1:], "-o", tmp_path / "one", "--force")
        assert code == 0, out + error
        result = json.loads((tmp_path / "one/result.json").read_text())
        for key in ("bytes", "output_error", "cycles"):
            path = METRICS[key].given_by.get(fidelity)
            if path:
                assert point[f"{fidelity}.{key}"] == result["summary"][path.split(".")[1]]["value"]
                compared(1)


def test_the_front_is_what_nothing_beats(tmp_path, compared):
    """A grid against all of its points measured here, one after the other."""
    spec = spec_of(tmp_path, search="{method: grid}", v_bits="[4, 6, 8]", select_keep="[0.8, 0.9, 0.99]")
    assert spec.stages[0].keep == 4
    spec.stages = spec.stages[:1]
    spec.objectives = spec.objectives[:2]
    outcome = sweep.run(spec, tmp_path / "r", jobs=2)
    figures = []
    for v_bits, keep, digits in itertools.product([4, 6, 8], [0.8, 0.9, 0.99], [[4, 4], [3, 3], [6, 6]]):
        policy = winnow.Policy("select", v_bits=v_bits, select_keep=[keep], k_digits=digits)
        summary = winnow.run(TRACE, "tiny", policy, engine="golden").summary
        figures.append((summary.dram_kv_useful.value, summary.output_error_mean.value))
    assert list(zip(outcome.points["golden.bytes"], outcome.points["golden.output_error"])) == figures
    fine = [one for one in figures if one[1] <= 0.2]
    beaten = [any(all(b <= a for a, b in zip(one, o)) and o != one for o in fine) for one in figures]
    expected = [not is_beaten and one in fine for one, is_beaten in zip(figures, beaten)]
    assert outcome.points.front.tolist() == expected and 1 < sum(expected) < len(expected)
    compared(len(figures))


def test_ranks_and_crowding(compared):
    rng = np.random.default_rng(5)
    values = rng.integers(0, 12, (120, 3))
    rank = promotion.ranks(values)
    for i, one in enumerate(values):
        beats = [r for r, o in zip(rank, values) if (o <= one).all() and (o < one).any()]
        assert rank[i] == (max(beats) + 1 if beats else 0)
        compared(1)
    line = [(0, 10), (1, 9), (2, 8), (9, 1), (10, 0)]
    assert promotion.crowding(line)[1:4].tolist() == pytest.approx([0.4, 1.6, 1.6])
    assert promotion.promoted([3, 5, 7, 8, 9], line, 3) == [3, 7, 9]
    assert promotion.promoted([3, 5], [(1, 1), (2, 2)], None) == [3]
    assert promotion.promoted([], [], 4) == []


def begin(spec, folder, where="jobs=2", measure="slow"):
    """A sweep in a process of its own that can be killed, its points a little slow."""
    code = (
        "import sys; from winnow import sweep; import sweep_measures; "
        f"sweep.run(sweep.load(sys.argv[1]), sys.argv[2], {where}, resume=True, measure=sweep_measures.{measure})"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *(path for path in sys.path if path)])
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen([sys.executable, "-c", code, str(spec), str(folder)], env=environment)


def lines_of(folder):
    file = folder / "points.jsonl"
    return file.read_bytes().split(b"\n")[:-1] if file.exists() else []


def children_of(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_crash_stops_nothing(tmp_path, compared):
    spec = spec_of(tmp_path, search="{method: grid}", select_keep="[0.9]", k_digits="[[4, 4], [3, 3]]")
    outcome = sweep.run(spec, tmp_path / "r", jobs=2, measure=sweep_measures.fragile)
    for row in outcome.points.to_dict("records"):
        died, fault = row["policy.v_bits"] == 5, row["policy.v_bits"] == 6
        assert row["state"] == ("failed" if died or fault else "measured")
        assert row["why"] == ("its process was ended by SIGSEGV" if died else "RuntimeError: planted" if fault else "")
        assert f"--set v_bits={row['policy.v_bits']}" in row["command"]
        compared(1)
    failed = [one for one in journal(tmp_path / "r") if one.get("state") == "failed"]
    assert len(failed) == 4 and all(one["command"].startswith("winnow run ") for one in failed)
    assert "10 points measured, 4 failed" in outcome.lines[0]


def test_a_worker_that_dies_idle(tmp_path, compared):
    """Between two batches: it has no point, so none is lost."""
    workers = LocalWorkers(2, sweep_measures.slow)
    try:
        for _ in range(3):
            task = measuring.task_of(spec := spec_of(tmp_path), spec.stages[0], {"policy.v_bits": 4})
            answers = dict(workers.run([task] * 4))
            assert [answers[i]["state"] for i in range(4)] == ["measured"] * 4
            compared(len(answers))
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)
    finally:
        workers.close()


def test_a_script_needs_no_main_guard(tmp_path, compared):
    """Processes that measure do not run the caller's script again."""
    spec = written(tmp_path / "s.yaml", search="{method: random, points: 4}")
    script = tmp_path / "mine.py"
    script.write_text(
        "print('once')\nfrom winnow import sweep\n"
        f"print(*sweep.run(sweep.load({str(spec)!r}), {str(tmp_path / 'r')!r}, jobs=2).points.state)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "once\nmeasured measured measured measured\n" and done.stderr == "", done.stderr
    compared(4)


def test_a_contradiction_is_recorded(tmp_path):
    """Values that are right one by one and wrong together."""
    spec = spec_of(tmp_path, search="{method: grid}", v_bits="[4]", select_keep='["0.9", "none"]', k_digits='["4,4"]')
    spec.stages, spec.objectives = spec.stages[:1], ["bytes"]
    outcome = sweep.run(spec, tmp_path / "r", jobs=1)
    assert outcome.points.state.tolist() == ["measured", "refused"]
    code, _, error = command(*shlex.split(outcome.points.command[1])[1:])
    assert code == 2 and error == f"winnow: {outcome.points.why[1]}\n"


def test_area_and_joules(tmp_path):
    """Area from golden's stage on is the machine's; joules are those of the run's report."""
    path = written(
        tmp_path / "s.yaml",
        objectives="[joules, area, bytes]",
        machine="spatten",
        at_most="{area: 1000}",
        search="{method: grid}",
        v_bits="[4, 8]",
        select_keep="[0.9]",
        k_digits="[[4, 4]]",
    )
    frame = sweep.run(sweep.load(path), tmp_path / "r", jobs=1).points
    assert frame.state.tolist() == ["measured"] * 2
    assert (frame["golden.area"] == frame["machine.area"].fillna(frame["golden.area"])).all()
    row = frame[frame.fidelity == "machine"].iloc[0]
    run = winnow.run(TRACE, "spatten", winnow.Policy("select", v_bits=4, select_keep=[0.9]), steps=(1, 2))
    assert row["machine.joules"] == run.result.cost.energy.value > 0
    assert row["machine.area"] == run.result.cost.area.value > 1


def test_files_have_units(tmp_path):
    outcome = sweep.run(spec_of(tmp_path), tmp_path / "r", jobs=1)
    csv = pandas.read_csv(tmp_path / "r/points.csv")
    assert {"golden.bytes [bytes]", "machine.cycles [cycles]", "golden.output_error [ratio]"} <= set(csv.columns)
    table = parquet.read_table(tmp_path / "r/points.parquet")
    assert table.schema.field("machine.cycles").metadata == {b"unit": b"cycles"}
    assert table.column("golden.bytes").to_pylist() == csv["golden.bytes [bytes]"].tolist()
    assert len(outcome.points) == len(csv) == 24


def test_other_storages(tmp_path):
    address = f"sqlite:///{tmp_path}/all.sqlite"
    small = {"search": "{method: random, points: 4}", "storage": address}
    path = written(tmp_path / "s.yaml", SPEC + "storage: journal\n", **small)
    sweep.run(sweep.load(path), tmp_path / "r", jobs=1)
    names = {one.study_name: one.n_trials for one in optuna.get_all_study_summaries(address)}
    assert names == {"small": 4, "small/machine": 4}
    sweep.run(sweep.load(path), tmp_path / "r", jobs=1, resume=True)
    assert {one.study_name: one.n_trials for one in optuna.get_all_study_summaries(address)} == names
    with pytest.raises(winnow.Error, match="holds another sweep's study 'small': give this one another `name`"):
        sweep.run(sweep.load(path), tmp_path / "other", jobs=1)
    path = written(tmp_path / "s.yaml", SPEC + "storage: sqlite\n", search=small["search"])
    sweep.run(sweep.load(path), tmp_path / "q", jobs=1)
    assert (tmp_path / "q/study.sqlite").exists()


def test_storages_that_do_not_answer(tmp_path):
    """One line without a password, soon, and nothing is left that would be in the way."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for address, shown in (
            ("postgresql://a:secret@127.0.0.1:9/x", "postgresql://127.0.0.1:9/x"),
            ("postgresql://a:se/c@127.0.0.1:9/x?password=secret", "postgresql://127.0.0.1:9/x?password=..."),
            (f"postgresql://a:secret@127.0.0.1:{port}/x", f"postgresql://127.0.0.1:{port}/x"),
            ("nosuch://a:secret@127.0.0.1/x", "nosuch://127.0.0.1/x"),
            ("sqlite:////no/such/folder/x.sqlite", "sqlite:////no/such/folder/x.sqlite"),
            ("postgresql://127.0.0.1:many/x", "postgresql://127.0.0.1:many/x"),
        ):
            path = written(tmp_path / "s.yaml", SPEC + "storage: journal\n", storage=address)
            since = time.monotonic()
            code, out, error = main("sweep", path, "-o", tmp_path / "r")
            assert (code, out) == (2, "") and error.startswith(f"winnow: storage: {shown}: "), error
            assert "secret" not in error and "se/c" not in error and error.count("\n") == 1, error
            assert time.monotonic() - since < 60  # starts too; without a limit it is minutes
            assert not (tmp_path / "r/sweep.json").exists()


BAD_SPECS = [
    ({"machine": "tyni"}, "line 3: machine: 'tyni': no such machine"),
    ({"policy": "selct"}, "line 4: policy: 'selct': no such policy"),
    ({"traces": "no/such.safetensors"}, "line 2: traces: no/such.safetensors: "),
    ({"v_bits": "{from: 10, to: 4}"}, "line 7: vary.policy.v_bits: 10..4: is empty: `from` must not be above `to`"),
    ({"v_bits": "{from: 4, to: 60}"}, "line 7: vary.policy.v_bits: v_bits: '60': must be an integer 2..12"),
    ({"v_bits": "{from: 4}"}, "line 7: vary.policy.v_bits: has no `to`: a range is {from: A, to: B}"),
    ({"v_bits": "{from: 4, to: 8, step: 0}"}, "line 7: vary.policy.v_bits.step: 0: must be above 0"),
    ({"v_bits": "{from: 4, to: 8, log: 1}"}, "line 7: vary.policy.v_bits.log: 1: must be true or false"),
    ({"v_bits": "[]"}, "line 7: vary.policy.v_bits: []: is empty: must have at least one value"),
    ({"v_bits": "[4, 4]"}, "line 7: vary.policy.v_bits: [4, 4]: has a value twice"),
    ({"v_bits": "6"}, "line 7: vary.policy.v_bits: 6: must be a list, or a range"),
    ({"objectives": "[bytes, loss]"}, "objectives: 'loss': no stage gives it: it needs a stage accuracy; golden gives"),
    ({"objectives": "[bites]"}, "line 10: objectives: 'bites': must be one of cycles, joules, bytes"),
    ({"objectives": "[cycles]"}, "stages: golden gives none of the objectives cycles: it gives bytes"),
    ({"objectives": "[]"}, "line 10: objectives: []: is empty: must name at least one"),
    ({"at_most": "{loss: 1}"}, "line 11: at_most: 'loss': no stage gives it"),
    ({"at_most": "{bytes: few}"}, "line 11: at_most.bytes: 'few': must be a number"),
    ({"search": "{method: best}"}, "line 12: search.method: 'best': must be one of tpe, nsga2, gp, random, grid"),
    ({"search": "{method: tpe}"}, "line 12: search.points: is missing: tpe needs the number of points"),
    ({"search": "{points: 0}"}, "line 12: search.points: 0: must be an integer, at least 1"),
    ({"search": "{method: grid, points: 9}"}, "search.points: 9: the grid has 420 points: must be at least that"),
]


@pytest.mark.parametrize("replaced, line", BAD_SPECS)
def test_bad_specs_are_one_line(replaced, line, tmp_path):
    with pytest.raises(winnow.Error) as caught:
        spec_of(tmp_path, **replaced)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}/s.yaml: line ") and line in text and "\n" not in text, text


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("name: small", "nme: small", "line 1: nme: no such key: must be one of name, traces, machine"),
        ("    v_bits", "    v_bit", "line 7: vary.policy.v_bit: 'v_bit': '4': no such key"),
        ("  policy:", "  polcy:", "line 6: vary.polcy: no such key: must be one of machine, policy"),
        ("vary:", "set: {policy: {v_bits: 4}}\nvary:", "vary.policy.v_bits: stands in `set` too"),
        ("keep: 4", "kept: 4", "line 14: stages.kept: no such key: must be one of fidelity, keep, layers, steps"),
        ("steps: 1-2", "steps: [1, 2]", "stages.steps: [1, 2]: must be a number A, a range A-B"),
        ("fidelity: golden, keep: 4", "fidelity: fast", "stages.fidelity: 'fast': must be one of golden, machine"),
        ("{fidelity: machine, steps: 1-2}", "golden", "must be in the order golden, machine, accuracy"),
        ("{fidelity: machine, steps: 1-2}", "accuracy", "stages.model: is missing: a stage `accuracy` needs a model"),
        ("machine: tiny", "machine: tiny\nmachine: tiny", "line 4: machine: stands here a second time"),
        ("machine: tiny", "machine: [tiny", "must be YAML"),
        ("    k_digits", "\tk_digits", "must be YAML"),
        ("select_keep: {from: 0.8, to: 0.99, step: 0.01}", "threshold: {from: 0.1, to: 0.5}", None),
        ("search:", "storage: disk\nsearch:", "storage: 'disk': must be journal, sqlite, or an address"),
    ],
)
def test_bad_lines_are_one_line(old, new, line, tmp_path):
    assert old in SPEC
    path = tmp_path / "s.yaml"
    text = SPEC.replace(old, new, 1)
    path.write_text(text if line else text.replace("method: tpe", "method: grid"))
    with pytest.raises(winnow.Error) as caught:
        sweep.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: line ") and (line or "a grid needs a `step`") in text and "\n" not in text, text


def test_folders_that_are_refused(tmp_path):
    spec = spec_of(tmp_path, search="{method: random, points: 2}")
    folder = tmp_path / "r"
    sweep.run(spec, folder, jobs=1)

    def refused(line, **options):
        with pytest.raises(winnow.Error) as caught:
            sweep.run(spec, folder, jobs=1, **options)
        assert line in str(caught.value) and "\n" not in str(caught.value), caught.value

    refused("holds a sweep: --resume goes on with it")
    about = json.loads((folder / "sweep.json").read_text())
    for key, value, line in (
        ("format", 99, "sweep.json: format: 99: must be 1"),
        ("version", "0.0.1", "sweep.json: version: '0.0.1': must be"),
        ("traces_sha256", {"t": "0"}, "sweep.json: traces: must be the traces that it began with"),
        ("spec", {}, "sweep.json: spec: must be the spec that it began with"),
    ):
        (folder / "sweep.json").write_text(json.dumps({**about, key: value}))
        refused(line, resume=True)
    (folder / "sweep.json").write_text("{}")
    refused("sweep.json: is no sweep's", resume=True)
    (folder / "sweep.json").write_text(json.dumps(about))
    damaged = (folder / "points.jsonl").read_text().splitlines()
    (folder / "points.jsonl").write_text("\n".join([damaged[0], "{", *damaged[1:]]) + "\n")
    refused("points.jsonl: line 2: is damaged", resume=True)


def test_two_sweeps_in_one_folder(tmp_path):
    path = written(tmp_path / "s.yaml")
    process = begin(path, tmp_path / "r")
    try:
        while not lines_of(tmp_path / "r") and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(winnow.Error, match="r: another sweep is at work in it"):
            sweep.run(sweep.load(path), tmp_path / "r", jobs=1, resume=True)
    finally:
        process.kill()
        process.wait()
    assert len(sweep.run(sweep.load(path), tmp_path / "r", jobs=1, resume=True).points) == 24


def main(*arguments):
    """(exit code, stdout, stderr) of `winnow`'s Python commands, without the C++ program in front."""
    words = [sys.executable, "-m", "winnow", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_command_line(tmp_path):
    path = written(tmp_path / "s.yaml", search="{method: random, points: 6}")
    code, out, error = main("sweep", path, "-o", tmp_path / "r", "--jobs", 2)
    assert code == 0 and error == "", error
    assert "golden: 6 points measured" in out and "points that nothing beats" in out
    front = pandas.read_csv(tmp_path / "r/points.csv").query("front")
    assert f"{len(front)} points that nothing beats" in out
    for words, line in (
        ((path, "-o", tmp_path / "r"), "holds a sweep: --resume goes on with it"),
        ((path, "-o", tmp_path / "r", "--jobs", 0), "--jobs: 0: must be at least 1"),
        ((path, "-o", tmp_path / "r", "--ray", "127.0.0.1:9"), "--ray: 127.0.0.1:9: does not answer: "),
        ((path, "-o", tmp_path / "r", "--ray", "where"), "--ray: 'where': must be HOST:PORT"),
        ((tmp_path / "none.yaml",), "none.yaml: No such file or directory"),
        ((), "sweep: the following arguments are required: SPEC.yaml"),
    ):
        code, out, error = main("sweep", *words)
        assert code == 2 and out == "" and line in error and error.count("\n") == 1, error
        assert error.startswith("winnow: ")


def test_the_program_hands_over(tmp_path):
    code, _, error = command("sweep", tmp_path / "none.yaml")
    assert code == 2 and error == f"winnow: {tmp_path}/none.yaml: No such file or directory\n"
