"""Specs that are wrong on purpose. Each ends with one short line and exit code 2, at once, and writes nothing."""

import os
import time

import pytest

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
from test_sweep import SPEC
from winnow.__main__ import main

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
RANGE = "    v_bits: {from: 4, to: 10}"


def changed(old, new):
    assert SPEC.count(old) == 1, old
    return SPEC.replace(old, new)


HOSTILE = {
    "nothing": ("", "traces: is missing"),
    "a scalar": ("hello", "must be a mapping of keys to values"),
    "a list": ("[1, 2]", "must be a mapping of keys to values"),
    "no text": (b"name: \xff\xfe", "is not UTF-8"),
    "control characters": (b"name: a\0b", "must be YAML"),
    "many megabytes": ("name: " + "x" * 5_000_000, "must be at most"),
    "two documents": (SPEC + "---\n" + SPEC, "must be YAML"),
    "an alias that grows": (LAUGHS, "must have no aliases"),
    "an alias of itself": ("traces: &a [*a]\n", "must have no aliases"),
    "very deep": ("traces: " + "[" * 20_000, "must be at most 20 levels deep"),
    "deep and whole": ("traces: " + "[" * 500 + "]" * 500, "must be at most 20 levels deep"),
    "a tag that calls": ("name: !!python/object/apply:os.system ['touch owned']", "must be"),
    "a tag of nobody": ("name: !mine x", "must be"),
    "no such day": ("name: 2001-99-99", "must be"),
    "a key that is a list": ("? [a, b]\n: c\n", "must be a text"),
    "a name that is a path": (changed("name: small", "name: ../../etc/small"), "name: '../../etc/small': must be"),
    "an absolute name": (changed("name: small", "name: /etc/small"), "name: '/etc/small': must be"),
    "an empty name": (changed("name: small", "name: ''"), "name: '': must be"),
    "a name of dots": (changed("name: small", "name: '..'"), "name: '..': must be"),
    "a mapping of traces": (changed('traces: "', 'traces: {a: 1}\n#"'), "traces"),
    "a trace with a NUL": (changed('traces: "', 'traces: "a\\0b"\n#"'), "traces"),
    "set is a list": (SPEC + "set: [1]\n", "set: [1]: must be a mapping"),
    "set of a list": (SPEC + "set: {policy: [v_bits]}\n", "set.policy: ['v_bits']: must be a mapping"),
    "vary of a number": (
        changed(RANGE, "").replace("  policy:\n", "  machine: 5\n  policy:\n"),
        "vary.machine: 5: must be",
    ),
    "a mapping as a value": (changed(RANGE, "    v_bits: [{a: 1}]"), "vary.policy.v_bits"),
    "not a number": (changed(RANGE, "    v_bits: {from: .nan, to: .inf}"), "must be a number"),
    "a step without end": (
        changed(RANGE, "    threshold: {from: 0.1, to: 0.9, step: 1.0e-12}"),
        "vary.policy.threshold: 0.1..0.9: has 800,000,000,001 values: must be at most 1,000,000",
    ),
    "more points than there can be": (changed("points: 24", f"points: {10**30}"), "search.points"),
    "a batch without end": (changed("batch: 6", f"batch: {10**30}"), "search.batch"),
    "a number without end": (changed("points: 24", "points: " + "9" * 5000), "must be"),
    "a stage that is nothing": (changed("  - {fidelity: golden, keep: 4}", "  - null"), "stages.fidelity"),
    "a stage of a list": (
        changed("{fidelity: golden, keep: 4}", "{fidelity: [golden]}"),
        "stages.fidelity: ['golden']",
    ),
    "storage of a list": (SPEC + "storage: [a, b]\n", "storage: ['a', 'b']: must be"),
    "objectives in objectives": (
        changed("[bytes, output_error, cycles]", "[[bytes]]"),
        "objectives: ['bytes']: must be",
    ),
    "limits that are a list": (changed("{output_error: 0.2}", "[0.2]"), "at_most: [0.2]: must be a mapping"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_specs(kind, tmp_path, capsys, monkeypatch):
    text, line = HOSTILE[kind]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    since = time.process_time()
    assert main(["sweep", "s.yaml"]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and len(error) < 500, error[:1000]
    assert error.startswith("winnow: s.yaml: ") and line in error and "Error:" not in error, error
    assert time.process_time() - since < 5
    assert os.listdir(tmp_path) == ["s.yaml"]


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_no_files(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", path]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and error.startswith(f"winnow: {path}: "), error


@pytest.mark.parametrize(
    "words, line",
    [
        (["--jobs", "many"], "argument --jobs: invalid int value: 'many'"),
        (["--jobs", "-1"], "--jobs: -1: must be at least 1"),
        (["--jobs", "9" * 30], "--jobs: " + "9" * 30 + ": must be at most 1,024"),
        (["-o", "/proc/nowhere"], "/proc/nowhere: "),
        (["-o", "s.yaml"], "s.yaml: "),
        (["-o", "x" * 5000], "File name too long"),
        (["--ray", "127.0.0.1:99999999"], "--ray: 127.0.0.1:99999999: "),
        (["--ray", ""], "--ray: '': must be HOST:PORT"),
    ],
)
def test_hostile_options(words, line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SPEC)
    assert main(["sweep", "s.yaml", *words]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and line in error, error
    assert os.listdir(tmp_path) == ["s.yaml"]
