"""Tests of the capture. Each prints how many values it compared, so run pytest with -s."""

import subprocess
import sys
from pathlib import Path

import pytest

TRACES = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TRACES), str(Path(__file__).resolve().parent)]


@pytest.fixture
def compared():
    """compared(what, count): prints the count; a test that compared nothing fails."""
    total = []

    def note(what, count):
        assert count > 0, f"{what}: nothing was compared"
        total.append(count)
        print(f"\n  compared {count:,} {what}", end="")

    yield note
    assert total, "the test compared nothing"


@pytest.fixture
def winnow():
    """winnow(*arguments) -> (exit code, stdout, stderr) of the command line in a process of its own."""

    def run(*arguments, **options):
        done = subprocess.run(
            [sys.executable, "-m", "winnow_traces", *map(str, arguments)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(TRACES), "PATH": "/usr/bin:/bin"},
            timeout=300,
            **options,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def text_file():
    return TRACES / "samples" / "jargon-chapter1.txt"
