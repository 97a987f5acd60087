"""What may include what: rooms as docs/architecture.md's table says, blocks never another block."""

import pathlib
import re

import pytest
from names import ROOT, tree_files

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SOURCES = (".h", ".cpp", ".cuh", ".cu")
# Folders of models/ that blocks share; each may include what stands behind it.
SHARED = {"prim": {"prim"}, "links": {"links", "prim"}, "memories": {"memories", "prim"}}


def allowed_rooms(page):
    """Room -> rooms it may depend on, from the table under the heading "Rooms"."""
    table = page.split("\n## Rooms\n")[1].split("\n## ")[0]
    allowed = {}
    for row in re.findall(r"^\|(.+)\|$", table, re.M)[2:]:
        cells = [c.strip() for c in row.split("|")]
        room = re.search(r"[a-z_]+", cells[0])[0]
        allowed[room] = set(re.findall(r"`([a-z_]+)`", cells[2]))
    return allowed


def includes_of(root):
    for name in tree_files(root):
        if name.endswith(SOURCES):
            for included in INCLUDE.findall((root / name).read_text(encoding="utf-8")):
                if "/" in included:
                    yield name, included


def wrong(includes, allowed):
    """Lines that say which include breaks which rule, and how many were looked at."""
    found, looked_at = [], 0
    for name, included in includes:
        room, other = name.split("/")[0], included.split("/")[0]
        if room not in allowed or other not in allowed or room == "tests":
            continue
        looked_at += 1
        if other != room and other not in allowed[room]:
            found.append(
                f"{name}: includes {included}: {room} may depend on {', '.join(sorted(allowed[room])) or 'nothing'}"
            )
        if room == other == "models":
            block, part = name.split("/")[1], included.split("/")[1]
            if part != block and part not in SHARED.get(block, set(SHARED)):
                found.append(
                    f"{name}: includes {included}: a block includes links, memories, prim/ and golden, no other block"
                )
    return found, looked_at


def test_the_repository(capsys):
    allowed = allowed_rooms((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    assert {"golden", "models", "sim", "cuda_ref", "traces"} <= set(allowed)
    found, looked_at = wrong(includes_of(ROOT), allowed)
    with capsys.disabled():
        print(f"\n{looked_at} includes looked at")
    assert not found, "\n" + "\n".join(found)
    assert looked_at > 500


ALLOWED = {"golden": set(), "models": {"golden"}, "sim": {"models", "golden"}}


@pytest.mark.parametrize(
    "name, included, broken",
    [
        ("models/qk/qk.h", "models/links/qk_tasks.h", False),
        ("models/qk/qk.h", "models/memories/kv_buffer.h", False),
        ("models/qk/qk.cpp", "models/qk/qk.h", False),
        ("models/links/outputs.h", "models/prim/link.h", False),
        ("sim/machine/inventory.h", "models/qk/qk.h", False),
        ("models/pv/pv.h", "models/qk/qk.h", True),
        ("models/links/outputs.h", "models/pv/pv.h", True),
        ("models/prim/block.h", "models/links/outputs.h", True),
        ("models/links/outputs.h", "models/memories/lists.h", True),
        ("models/memories/lists.h", "models/links/outputs.h", True),
        ("models/qk/qk.h", "sim/machine/inventory.h", True),
        ("golden/num.h", "models/prim/fifo.h", True),
    ],
)
def test_planted_includes(name, included, broken):
    found, looked_at = wrong([(name, included)], ALLOWED)
    assert looked_at == 1
    assert bool(found) == broken, found


def test_includes_are_read(tmp_path):
    (tmp_path / "models/pv").mkdir(parents=True)
    (tmp_path / "models/pv/pv.h").write_text('#include <vector>\n#include "models/qk/qk.h"  // why\n# include "pv.h"\n')
    assert list(includes_of(pathlib.Path(tmp_path))) == [("models/pv/pv.h", "models/qk/qk.h")]
