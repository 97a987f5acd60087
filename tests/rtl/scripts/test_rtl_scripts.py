"""scripts/rtl/*: what is wrong must not pass, and is said in one line. Needs neither Verilator nor pyosys."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def run(script, *args, **kwargs):
    return subprocess.run([ROOT / "scripts/rtl" / script, *args], capture_output=True, text=True, timeout=120, **kwargs)


EQUAL = 'echo "topk x, pivot {}, seed $4: $2 cycles, 9 values compared, 5 jobs, 1.00 M cycles/s: equal"\n'
BOTH = EQUAL.format("random") + EQUAL.format("sampled")


@pytest.mark.parametrize(
    "stub, last",
    [
        (BOTH + "kill -ABRT $$\n", "8 of 8 runs equal, 800 of 800 lockstep cycles, 1 programs failed"),
        (EQUAL.format("random") + "exit 0\n", "7 of 8 runs equal, 700 of 800 lockstep cycles, 0 programs failed"),
        (BOTH.replace("$2 cycles", "99 cycles"), "8 of 8 runs equal, 798 of 800 lockstep cycles, 0 programs failed"),
        ("exit 0\n", "6 of 8 runs equal, 600 of 800 lockstep cycles, 0 programs failed"),
    ],
)
def test_full_fails(tmp_path, stub, last):
    tools = tmp_path / "tools"
    tools.mkdir()
    programs = {tools / "ninja": "exit 0\n", tools / "verilator": "exit 0\n"}
    for name in ("tiny", "p8", "spatten", "p32"):
        programs[tmp_path / f"lockstep_topk_{name}"] = stub if name == "p8" else BOTH
    for path, text in programs.items():
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
    done = run("full", tmp_path, "100", "1", env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert done.returncode == 1, done.stdout
    assert done.stdout.splitlines()[-1] == last


def refused(done, *texts):
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1 and all(t in done.stderr for t in texts), done.stderr


def test_prove_unknown_name():
    refused(run("prove", "fifo", "nosuch"), "no proof nosuch;", "engine-mass-n4-p2")


def test_lint_unknown_file(tmp_path):
    (tmp_path / "nosuch.sv").touch()
    refused(run("lint", "/nosuch/prim_fifo.sv"), "no such file")
    refused(run("lint", tmp_path / "nosuch.sv"), "rtl/ has no file of this name")


VCD = """$timescale 1ps $end
$scope module top $end
$var wire 4 a rtl_x $end
$var wire 4 b model_x $end
$upscope $end
$enddefinitions $end
""" + "".join(f"#{2 * t}\nb{t % 16:b} a\nb{(t + (t > 20)) % 16:b} b\n" for t in range(100))


@pytest.fixture
def wave(tmp_path):
    pytest.importorskip("pywellen")
    file = tmp_path / "w.vcd"
    file.write_text(VCD)
    return file


@pytest.mark.parametrize(
    "args, text",
    [
        (["-o", "/nonexist/a.png"], "/nonexist/a.png: No such file or directory"),
        (["-o", "a.xyz"], "a.xyz: Format 'xyz' is not supported"),
        (["--from", "5000", "--to", "100"], "nothing to draw from 5000 to 100 ps"),
        (["nosuch"], "has no signal nosuch"),
    ],
)
def test_wave_refuses(wave, args, text):
    pytest.importorskip("matplotlib")
    refused(run("wave", "png", wave, *args), text)


def test_wave_draws(wave, tmp_path):
    pytest.importorskip("matplotlib")
    assert run("wave", "png", wave, "--from", "0", "--to", "60", "-o", tmp_path / "a.svg").returncode == 0
    assert (tmp_path / "a.svg").stat().st_size > 1000


def test_wave_closed_pipe(wave):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [ROOT / "scripts/rtl/wave", wave], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert run("wave", "diff", wave).returncode == 1


def test_lint_without_verilator(tmp_path):
    lint, env = ROOT / "scripts/rtl/lint", {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, lint], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 77 and "lint: verilator is missing" in done.stdout, done.stdout + done.stderr
    if "verible-verilog-lint is missing" not in done.stdout:  # what it finds is still an error
        bad = tmp_path / "prim_fifo.sv"
        bad.write_text((ROOT / "rtl/prim/prim_fifo.sv").read_text() + "// \t\n")
        done = subprocess.run([sys.executable, lint, bad], capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 1, done.stdout + done.stderr
