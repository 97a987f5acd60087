"""scripts/rtl/*: what is wrong must not pass, and is said in one line. Needs neither Verilator nor pyosys."""

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
LISTS = ROOT / "tests/rtl/topk/CMakeLists.txt"


def run(script, *args, **kwargs):
    return subprocess.run([ROOT / "scripts/rtl" / script, *args], capture_output=True, text=True, timeout=120, **kwargs)


EQUAL = 'echo "topk x, pivot {}, seed $4: $2 cycles, 9 values compared, 5 jobs, 1.00 M cycles/s: equal"\n'
ALL = "".join(EQUAL.format(rules) for rules in ("random", "sampled", "mixed"))
SETS = {"tiny": ALL, "p8": ALL, "spatten": ALL, "p32": ALL, "random": EQUAL.format("random"), "smallest": ALL}
SETS |= {"p16_random": SETS["random"], "p2_deep": ALL, "p64": ALL, "p64_deep": SETS["random"]}


@pytest.mark.parametrize(
    "stub, last",
    [
        (ALL + "kill -ABRT $$\n", "24 runs equal, 2400 lockstep cycles, 1 programs failed"),
        (EQUAL.format("random") + "exit 0\n", "22 runs equal, 2200 lockstep cycles, 1 programs failed"),
        (ALL.replace("$2 cycles", "99 cycles"), "24 runs equal, 2397 lockstep cycles, 1 programs failed"),
        ("exit 0\n", "21 runs equal, 2100 lockstep cycles, 1 programs failed"),
    ],
)
def test_full_fails(tmp_path, stub, last):
    tools = tmp_path / "tools"
    tools.mkdir()
    programs = {tools / "ninja": "exit 0\n", tools / "verilator": "exit 0\n"}
    for name, text in SETS.items():
        programs[tmp_path / f"lockstep_topk_{name}"] = stub if name == "p8" else text
    for path, text in programs.items():
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
    done = run("full", tmp_path, "100", "1", env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert done.returncode == 1, done.stdout
    assert done.stdout.splitlines()[-1] == last


def refused(done, *texts):
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1 and all(t in done.stderr for t in texts), done.stderr


@pytest.mark.parametrize("script", ["full", "coverage", "samples"])
def test_other_checkout(tmp_path, script):
    (tmp_path / "CMakeCache.txt").write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/nonexist\n")
    if not shutil.which("verilator") or not shutil.which("ninja"):
        pytest.skip("verilator or ninja is missing")
    refused(run(script, tmp_path), str(tmp_path), "a build folder of another checkout, /nonexist")


def test_every_set_is_simulated():
    """What is linted or synthesised has a lockstep program, and scripts/rtl/full runs it."""
    spec = importlib.util.spec_from_loader(
        "lint", importlib.machinery.SourceFileLoader("lint", f"{ROOT}/scripts/rtl/lint")
    )
    lint = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts/rtl"))
    spec.loader.exec_module(lint)
    simulated = {(4, 64, 20, 1): "tiny", (16, 64, 20, 1): "spatten"}  # of sim/machines
    for name, sizes in re.findall(r"^topk_lockstep\((\w+) tiny (.*)\)$", LISTS.read_text(), re.MULTILINE):
        found = dict(re.findall(r"-G(\w+)=(?:1'b)?(\d+)", sizes))
        if found:
            key = [int(found[k]) for k in ("Parallelism", "FifoDepth", "ItemBits")] + [int(found.get("WithSampler", 1))]
            simulated[tuple(key)] = name
    synthesised = [(16, 64, 20, 0), (16, 64, 20, 1)]
    assert not [s for s in [*lint.ENGINES, *synthesised] if s not in simulated]
    full = (ROOT / "scripts/rtl/full").read_text()
    assert not [n for n in simulated.values() if not re.search(rf"^(?:sets=\")?{n} \d", full, re.MULTILINE)]


def test_prove_unknown_name():
    refused(run("prove", "fifo", "nosuch"), "no proof nosuch;", "engine-mass-n4-p2")


def test_lint_unknown_file(tmp_path):
    (tmp_path / "nosuch.sv").touch()
    refused(run("lint", "/nosuch/prim_fifo.sv"), "no such file")
    refused(run("lint", tmp_path / "nosuch.sv"), "rtl/ has no file of this name")


@pytest.fixture
def moved(tmp_path):
    """A copy of what knows the engine's ranges, in which every upper bound of models/topk/ranges.h is another one."""
    for folder in ("models/topk", "golden", "rtl", "scripts/rtl", "sim/machines"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    header = tmp_path / "models/topk/ranges.h"
    text = header.read_text()
    for name, bound in (("Parallelism", 8), ("Fifo", 128), ("ItemBits", 24), ("SumBits", 30)):
        text, count = re.subn(rf"(k{name}Max) = \d+;", rf"\1 = {bound};", text)
        assert count == 1, name
    header.write_text(text)
    return tmp_path


BAD_SETS = [  # parallelism, FIFO, item bits, what is said of it with those bounds
    (16, 64, 20, "topk.parallelism 16 is not a power of two in 2..8"),
    (4, 256, 20, "topk.fifo 256 is not a power of two in 2..128"),
    (4, 64, 25, "topk.item_bits 25 is not in 1..24"),
    (8, 128, 24, "topk.item_bits 24 and parallelism * fifo give sums of more than 30 bits"),
]


def test_ranges_move_package(moved):
    for p, fifo, _, text in BAD_SETS[:2]:
        machine = moved / "m.yaml"
        machine.write_text(f"topk: {{parallelism: {p}, fifo: {fifo}, pivot: random}}\n")
        done = subprocess.run(
            [sys.executable, moved / "scripts/rtl/package.py", machine, moved / "pkg.sv"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode != 0 and done.stderr.strip() == f"{machine}: {text}", done.stderr
    header = moved / "models/topk/ranges.h"
    header.write_text(header.read_text().replace("kFifoMax", "kFifoMost"))
    done = subprocess.run(
        [sys.executable, moved / "scripts/rtl/package.py", machine, moved / "pkg.sv"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0 and "no line `inline constexpr unsigned kFifoMax = NUMBER;`" in done.stderr, done.stderr


def test_ranges_move_elaboration(moved):
    if not shutil.which("verilator"):
        pytest.skip("verilator is missing")
    package = moved / "winnow_machine_pkg.sv"
    command = [sys.executable, moved / "scripts/rtl/package.py", moved / "sim/machines/tiny.yaml", package]
    subprocess.run(command, check=True, timeout=60)
    rest = [
        p
        for d in ("links", "prim", "topk")
        for p in sorted((moved / "rtl" / d).glob("*.sv"))
        if p.name != "topk_pkg.sv"
    ]
    for p, fifo, bits, text in [*BAD_SETS, (8, 64, 21, None)]:
        done = subprocess.run(
            ["verilator", "--lint-only", "-Wno-lint", "-Wno-style", "--top-module", "topk_engine"]
            + [f"-GParallelism={p}", f"-GFifoDepth={fifo}", f"-GItemBits={bits}"]
            + [moved / "rtl/verilator.vlt", package, moved / "rtl/topk/topk_pkg.sv", *rest],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode == 0) == (text is None) and (text or "") in done.stderr, done.stderr


def test_ranges_move_model(moved):
    if not shutil.which("g++"):
        pytest.skip("g++ is missing")
    sets = ", ".join(f"winnow::topk::Config{{{p}, {fifo}, {bits}}}" for p, fifo, bits, _ in BAD_SETS)
    (moved / "main.cpp").write_text(
        '#include <cstdio>\n#include "golden/error.h"\n#include "models/topk/types.h"\n'
        f"int main() {{ for (const auto& c : {{{sets}}})\n"
        "  try { winnow::topk::check(c); } catch (const winnow::Error& e) { std::puts(e.what()); } }\n"
    )
    command = ["g++", "-std=c++20", "-O0", "-I", moved, "-I", ROOT, moved / "main.cpp", moved / "models/topk/types.cpp"]
    subprocess.run([*command, "-o", moved / "main"], check=True, timeout=300)
    done = subprocess.run([moved / "main"], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [text for *_, text in BAD_SETS]


PROBES = """
[top]
module b_lockstep (
  input logic clk_i
);
  b u_dut (
    .clk_i
  );

[probes]
narrow:kind_e | u_dut.narrow_q | m.narrow() | -
lanes[4]      | u_dut.lanes_q[lane] | m.lane(lane) | lane < m.count()
whole(200)    | u_dut.wide_q | m.word(lane) | -
"""
B = """module b (
  input logic clk_i
);
  kind_e narrow_q;
  logic [3:0][7:0] lanes_q;
  logic [{}:0] wide_q;
endmodule
"""


def generate(tmp_path, probes, width=200):
    folder = tmp_path / "rtl/b"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "b.probes").write_text(probes)
    kind = "typedef enum logic {A, B} kind_e;\n"
    (folder / "b.sv").write_text(kind + B.format(width - 1))
    script = [sys.executable, ROOT / "scripts/rtl/lockstep_top.py", folder / "b.probes", tmp_path / "out"]
    return subprocess.run(script, capture_output=True, text=True, timeout=60)


def test_probes(tmp_path):
    assert generate(tmp_path, PROBES).returncode == 0
    places = (tmp_path / "out/b_probe_places.inc").read_text().splitlines()
    assert places[0] == '{"narrow", "u_dut.narrow_q", "rtl/b/b.sv:5"},'
    assert "(200 + 63) / 64" in (tmp_path / "out/b_probes.inc").read_text()
    done = generate(tmp_path, PROBES + "narrow | u_dut.narrow_q | m.narrow() | -\n")
    assert done.returncode == 1 and "two probes are called narrow" in done.stderr


@pytest.mark.parametrize("probes, width, good", [(PROBES, 200, True), (PROBES, 201, False)])
def test_probe_too_wide(tmp_path, probes, width, good):
    """A signal that is wider than its probe stops the build, and the line that is shown names the probe."""
    if not shutil.which("verilator"):
        pytest.skip("verilator is missing")
    assert generate(tmp_path, probes, width).returncode == 0
    command = ["verilator", "--lint-only", "-Wno-lint", "-Wno-style", "--top-module", "b_lockstep"]
    command += [tmp_path / "rtl/b/b.sv", tmp_path / "out/b_lockstep.sv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode == 0) == good, done.stderr
    assert good or "probe_whole_fits_in_200_bits" in done.stderr, done.stderr


VCD = """$timescale 1ns $end
$scope module top $end
$var wire 4 a rtl_x $end
$var wire 4 b model_x $end
$upscope $end
$enddefinitions $end
""" + "".join(f"#{t}\nb{t % 16:b} a\nb{(t + (t > 20)) % 16:b} b\n" for t in range(100))


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
        (["--from", "5000", "--to", "100"], "nothing to draw from cycle 5000 to 100"),
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


def test_wave_counts_cycles(wave, tmp_path):
    """A unit of time is a cycle: in the list of differences, and on a picture's axis around the first."""
    pytest.importorskip("matplotlib")
    done = run("wave", "diff", wave)
    assert done.stdout.splitlines()[0].split() == ["cycle", "21", "rtl_x", "5", "against", "6"], done.stdout
    done = run("wave", "png", wave, "-o", tmp_path / "a.svg")
    assert done.returncode == 0, done.stderr
    words = re.findall(r"<!-- (.*?) -->", (tmp_path / "a.svg").read_text())  # matplotlib names each text it draws
    assert "cycle; values in hexadecimal" in words
    assert f"{wave.name}: first difference in cycle 21, rtl_x" in words
    ticks = [int(w) for w in words if re.fullmatch(r"\d{2,}", w)]
    assert ticks and max(ticks) <= 25, ticks


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
