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


@pytest.mark.parametrize("stub, last", [
    (BOTH + "kill -ABRT $$\n", "8 of 8 runs equal, 800 of 800 lockstep cycles, 1 programs failed"),
    (EQUAL.format("random") + "exit 0\n", "7 of 8 runs equal, 700 of 800 lockstep cycles, 0 programs failed"),
    (BOTH.replace("$2 cycles", "99 cycles"), "8 of 8 runs equal, 798 of 800 lockstep cycles, 0 programs failed"),
    ("exit 0\n", "6 of 8 runs equal, 600 of 800 lockstep cycles, 0 programs failed"),
])
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
