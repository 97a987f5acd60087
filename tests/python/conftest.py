"""What tests of the Python package share: the command line beside it, and a count of compared values."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WINNOW = os.path.abspath(os.environ.get("WINNOW", ROOT / "build/winnow"))
DECODER = ROOT / "traces/samples/smollm2-160.safetensors"
ENCODER = ROOT / "traces/samples/minilm-128.safetensors"


def winnow(*arguments, cwd=None):
    """(exit code, stdout, stderr) of the command line."""
    done = subprocess.run(
        [WINNOW, *map(str, arguments)], capture_output=True, text=True, timeout=600, cwd=cwd, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


def line_of_error(*arguments):
    """The line that the command line ends with, without its name in front."""
    code, _, error = winnow(*arguments)
    assert code == 2, error
    return error.removeprefix("winnow: ").rstrip("\n")


@pytest.fixture
def compared(capsys):
    """Call it with how many values were compared; a test that has it must compare some, and prints how many."""
    counts = []
    yield counts.append
    assert sum(counts) > 0, "nothing was compared"
    with capsys.disabled():
        print(f"{sum(counts):,} values compared", end=" ")
