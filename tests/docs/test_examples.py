"""The worked examples of docs/how-to-add.md do what the page says they do."""

import os
import shutil
from pathlib import Path

import pytest
from examples import Copy, blocks

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WINNOW", ROOT / "build/winnow")).parent
if not (BUILD / "build.ninja").exists():
    pytest.skip(f"{BUILD} is no build of Ninja's", allow_module_level=True)


@pytest.fixture(scope="module")
def copy():
    """With the page's patches. Always in the same place: the compiler's cache then knows what has not changed."""
    folder = BUILD / "examples"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = Copy(ROOT, BUILD, folder)
    found = blocks((ROOT / "docs/how-to-add.md").read_text(encoding="utf-8"))
    made.texts = [text for language, text in found if language == "sh"]
    for text in (text for language, text in found if language == "diff"):
        made.patch(text)
    made.compiled = made.make()
    return made


def outputs(copy, which):
    """Of the commands of a block, each of which must succeed."""
    found = []
    for line in copy.texts[which].splitlines():
        code, out = copy.run(line)
        assert code == 0, f"{line}\n{out}"
        found.append(out)
    return found


def test_each_recipe_has_one(copy, capsys):
    assert len(copy.texts) == 1 and copy.compiled == 2  # the policy's file, and the registry with its name
    # Another policy touches one folder.
    assert copy.patched == {"golden/policies/rules/careful.cpp"}
    with capsys.disabled():
        print(f"{len(copy.patched)} files patched, {copy.compiled} objects compiled", end=" ")


def test_a_policy(copy):
    listed, checked = outputs(copy, 0)
    assert "select with more of the probability and finer V" in listed
    what, compared, differences = checked.splitlines()[-1].split()
    assert what == "all" and int(compared.replace(",", "")) > 6000 and differences == "0", checked
