"""The commands of pages for newcomers run as they stand there, one after the other, in a folder like the tree."""

import os
import re
import shlex
import subprocess

import pytest
from conftest import ROOT, WINNOW

PAGES = ["docs/first-steps.md", "docs/timeline.md", "docs/report.md"]
# Needs a sweep's folder, which tests/python/test_report_sweep.py has.
LEFT_OUT = {"winnow report results/sweep -o sweep.html"}


def commands(text):
    """Lines of code that call winnow, continued ones whole."""
    blocks = re.sub(r"\\\n\s*", "", text)
    found = re.findall(r"^    (?:build/)?(winnow (?:run|report|diff|machines|policies) .*?)(?:\s+#.*)?$", blocks, re.M)
    return [one for one in found if one not in LEFT_OUT]


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_run(page, tmp_path, compared):
    (tmp_path / "traces").symlink_to(ROOT / "traces")
    found = commands((ROOT / page).read_text(encoding="utf-8"))
    assert found
    for line in found:
        words = shlex.split(line)
        done = subprocess.run(
            [WINNOW, *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=600, env=dict(os.environ)
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        for option in ("-o", "--timeline"):
            if option in words:
                made = tmp_path / words[words.index(option) + 1]
                assert made.exists(), line
                compared(1)
        compared(1)
