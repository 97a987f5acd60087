"""The worked examples of docs/how-to-add.md do what the page says they do."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from examples import Copy, blocks

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WINNOW", ROOT / "build/winnow")).parent
if not (BUILD / "build.ninja").exists():
    pytest.skip(f"{BUILD} is no build of Ninja's", allow_module_level=True)


@pytest.fixture(scope="module")
def copy():
    """With all three patches. Always in the same place: the compiler's cache then knows what has not changed."""
    folder = BUILD / "examples"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = Copy(ROOT, BUILD, folder)
    found = blocks((ROOT / "docs/how-to-add.md").read_text(encoding="utf-8"))
    made.texts = [text for language, text in found if language == "sh"]
    made.diffs = [text for language, text in found if language == "diff"]
    for text in made.diffs:
        made.patch(text)
    made.compiled = made.make()
    # Machine files state every key: the parameter's comes first, whichever test runs.
    code, out = made.run(made.texts[1].splitlines()[0])
    assert code == 0, out
    return made


def outputs(copy, which, first=0):
    """Of the commands of a block from the `first` on, each of which must succeed."""
    found = []
    for line in copy.texts[which].splitlines()[first:]:
        code, out = copy.run(line)
        assert code == 0, f"{line}\n{out}"
        found.append(out)
    return found


def result(copy, folder):
    return json.loads((copy.folder / "results" / folder / "result.json").read_text())


def test_each_recipe_has_one(copy, capsys):
    assert len(copy.texts) == 3 and len(copy.patched) == 6
    # Another policy touches one folder, with one new file.
    assert re.findall(r"^\+\+\+ b/(.*)$", copy.diffs[0], re.M) == ["golden/policies/rules/careful.cpp"]
    with capsys.disabled():
        print(f"{len(copy.patched)} files patched, {copy.compiled} objects compiled", end=" ")


def test_a_policy(copy):
    listed, checked = outputs(copy, 0)
    assert "select with more of the probability and finer V" in listed
    what, compared, differences = checked.splitlines()[-1].split()
    assert what == "all" and int(compared.replace(",", "")) > 6000 and differences == "0", checked


def test_a_machine_parameter(copy):
    shown, _, _, _ = outputs(copy, 1, first=1)
    assert "write_interval: 1" in shown
    one, slow = (result(copy, name)["summary"] for name in ("one", "slow"))
    assert slow["cycles"]["value"] > 64 * 2 * 48 * 0.9 > one["cycles"]["value"]
    for key in ("output_error_mean", "dram_kv_useful", "dram_all_bursts"):
        assert one[key] == slow[key]
    code, out = copy.run(copy.texts[1].splitlines()[3].replace("=64", "=65"))
    assert code == 2 and "write_interval" in out


def test_a_statistic(copy):
    _, table = outputs(copy, 2)
    row = next(line for line in table.splitlines() if "zeros behind a last word" in line)
    assert "768" in row
    plain = subprocess.run(
        [BUILD / "winnow", *copy.texts[2].splitlines()[0].split()[1:-3], "-o", copy.folder / "results/plain"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert plain.returncode == 0
    assert result(copy, "plain")["summary"]["cycles"] == result(copy, "padding")["summary"]["cycles"]
