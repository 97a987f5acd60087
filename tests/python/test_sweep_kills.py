"""kill -9 of a sweep, again and again at random moments. WINNOW_KILLS: how many (4); WINNOW_SEED: the moments of an
earlier test, whose seed it printed."""

import json
import os
import random
import secrets
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
import optuna
from test_sweep import begin, children_of, files, journal, lines_of, written
from winnow import sweep
from winnow.sweep import measure as measuring

KILLS = int(os.environ.get("WINNOW_KILLS", "4"))


def named(tasks):
    return [json.dumps([task["fidelity"], task["set"]], sort_keys=True) for task in tasks]


def measured(log, since):
    """The tasks that workers have begun, from a place in their log on, and where it ends now."""
    data = log.read_bytes() if log.exists() else b""
    return named(json.loads(line) for line in data[since:].splitlines()), len(data)


def finished(spec, folder):
    """The tasks whose answers stand in the journal."""
    entries, numbers = [json.loads(line) for line in lines_of(folder)], {}
    for batch in (one["asked"] for one in entries if "asked" in one):
        for params, _ in batch:
            params = {one.name: one.tidy(params[one.name]) for one in spec.parameters}
            numbers.setdefault(json.dumps(params, sort_keys=True), params)
    points = list(numbers.values())
    tasks = [
        measuring.task_of(spec, spec.stages[one["stage"]], points[one["point"]]) for one in entries if "point" in one
    ]
    return named(tasks)


def end_of(pid):
    """Waits for a worker whose sweep is gone; the kernel ends it. The test's own time limit is the limit."""
    try:
        while "winnow" in Path(f"/proc/{pid}/cmdline").read_text():
            time.sleep(0.002)
    except OSError:
        pass


def test_a_killed_sweep_goes_on(tmp_path, compared, capsys, monkeypatch):
    """What was finished stays, nothing finished is measured again, and the end is that of a sweep that nobody killed,
    byte for byte."""
    seed = int(os.environ.get("WINNOW_SEED") or secrets.randbelow(2**32))
    with capsys.disabled():
        print(f"seed {seed}", end=" ", flush=True)
    rng = random.Random(seed)
    path = written(tmp_path / "s.yaml", search="{method: tpe, points: 80, batch: 8, seed: 3}")
    path.write_text(path.read_text().replace("keep: 4", "keep: 8"))
    spec = sweep.load(path)
    sweep.run(spec, tmp_path / "whole", jobs=2)
    total, asked = len(lines_of(tmp_path / "whole")), len(finished(spec, tmp_path / "whole"))
    assert asked > 80
    folder, log = tmp_path / "killed", tmp_path / "log"
    monkeypatch.setenv("WINNOW_MEASURED", str(log))
    kills = read = 0
    # By how many lines the journal then has; 0: while it starts. The last: while the tables are written, or nearly.
    for at in sorted(rng.choices(range(total + 1), k=KILLS)):
        before, done = lines_of(folder), finished(spec, folder)
        process = begin(path, folder)
        while len(lines_of(folder)) < at and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 1.5 if at <= len(before) else 0.3))
        if process.poll() is None:
            workers = children_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            for pid in workers:
                end_of(pid)
        assert process.returncode in (0, -signal.SIGKILL)
        assert lines_of(folder)[: len(before)] == before
        again, read = measured(log, read)
        assert set(again).isdisjoint(done)
        # Of each of two workers at most its point, and the one before, whose answer was being noted.
        noted = finished(spec, folder)
        assert len(again) - (len(noted) - len(done)) <= (4 if process.returncode else 0)
        compared(len(before) + len(again))
    with open(folder / "points.jsonl", "a") as opened:  # a kill in the midst of a line
        opened.write('{"stage": 1, "poi')
    outcome = sweep.run(spec, folder, jobs=2, resume=True)
    answered = [(one["stage"], one["point"]) for one in journal(folder) if "point" in one]
    assert len(answered) == len(set(answered)) == asked and len(lines_of(folder)) == total
    assert files(folder) == files(tmp_path / "whole")
    assert not list(folder.glob("*.partial"))
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "study.journal"))
    study = optuna.load_study(study_name="small", storage=optuna.storages.JournalStorage(backend))
    assert [one.user_attrs["point"] for one in study.trials] == outcome.points.point.tolist()
    again = sweep.run(spec, folder, jobs=1, resume=True, measure=None)  # nothing is left to measure
    assert again.points.equals(outcome.points)
    compared(len(answered))
    with capsys.disabled():
        print(f"{kills} of {KILLS} killed", end=" ")
    assert kills >= KILLS - 1 - KILLS // 5  # the others had come to their end first
