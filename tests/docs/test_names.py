"""What comments and pages name exists (names.py), and the check that says so finds planted rot of every kind."""

import os
import pathlib
import shutil
import types

import pytest
from names import ROOT, Check, Commands, keys_of_yaml, slug

WINNOW = os.environ.get("WINNOW", str(ROOT / "build" / "winnow"))

# At least so many names of each kind are in the repository; fewer would mean that the check no longer sees them.
LEAST = {
    "contract": 100,
    "link": 80,
    "anchor": 30,
    "heading": 10,
    "path": 250,
    "program": 10,
    "command": 80,
    "option": 50,
    "value": 10,
    "test": 5,
    "type": 50,
    "function": 40,
}


@pytest.fixture(scope="module")
def commands():
    if not pathlib.Path(WINNOW).is_file():
        pytest.fail(f"{WINNOW} is not built; WINNOW=PROGRAM names another")
    return Commands(WINNOW)


def test_the_repository(commands, capsys):
    check = Check(ROOT, commands)
    with capsys.disabled():
        counted = ", ".join(f"{n} {kind}" for kind, n in sorted(check.followed.items()))
        print(f"\n{sum(check.followed.values())} names followed: {counted}")
    assert not check.rot, "\n" + "\n".join(map(str, check.rot))
    for kind, least in LEAST.items():
        assert check.followed[kind] >= least, f"{kind}: {check.followed[kind]} followed, expected at least {least}"


# --- the check itself, on a small tree -------------------------------------------------------------------------------


HELP = {"run": "--machine TEXT  --policy TEXT  --set TEXT ...", "table": "--all"}
COMMANDS = types.SimpleNamespace(
    names=set(HELP), machines={"tiny"}, policies={"dense"}, keys={"qk", "qk.multipliers"}, help=HELP.__getitem__
)


SOUND = {
    "CMakeLists.txt": "add_executable(winnow sim/main.cpp)\nadd_executable(bench_qk qk.cpp)\nadd_test(NAME qk.rate)\n",
    "README.md": """# A tree

See [the page](docs/page.md#what-it-is), `models/qk/qk.h`, `qk.h`, `models/<block>/`, `sim/config/*.yaml`,
`build/bench_qk`. `qk.multipliers` is a key, `--all` an option, `QkTask` a type with `level()`. Results: `result.json`.

    scripts/go --fast
    ctest -R qk.rate
    winnow run T --machine tiny --policy dense --set qk.multipliers=8    # a comment --not-an-option
""",
    "docs/page.md": "# Page\n\n## What it is\n\nText.\n",
    "models/qk/qk.h": """#pragma once
// Multiplies. In: Fifo<QkTask>, at most kMost of them; level() says how many. Paper: section 3.
// docs/page.md, "What it is". Its twin: models/qk/qk.cpp, in scripts/go and sim/config/*.yaml.
struct QkTask {};
constexpr int kMost = 3;
template <class T> struct Fifo { int level() const; };
""",
    "models/qk/qk.cpp": '#include "models/qk/qk.h"\nconst char* out = "result.json";\n',
    "sim/main.cpp": 'int main() { parse("--all"); }\n',
    "sim/config/tiny.yaml": "qk:\n  multipliers: 8  # see models/qk/qk.h\n",
    "scripts/go": "#!/bin/sh\n# Goes; see docs/page.md.\ncase $1 in --fast) ;; esac\n",
}


def plant(folder, changes=()):
    """The sound tree with (file, old, new) changed."""
    files = dict(SOUND)
    for name, old, new in changes:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Check(folder, COMMANDS)


def test_a_sound_tree_has_no_rot(tmp_path):
    check = plant(tmp_path)
    assert [str(r) for r in check.rot] == []
    # Each kind was seen, so that the planted rot below differs from this in one name only.
    for kind in (
        "link",
        "anchor",
        "heading",
        "path",
        "program",
        "command",
        "option",
        "value",
        "type",
        "function",
        "section",
    ):
        assert check.followed[kind] > 0, kind


ROTTEN = [
    ("link", "README.md", "(docs/page.md#what", "(docs/pages.md#what"),
    ("anchor", "README.md", "#what-it-is", "#what-it-was"),
    ("heading", "models/qk/qk.h", '"What it is"', '"What it was"'),
    ("path", "README.md", "`models/qk/qk.h`", "`models/qk/kq.h`"),
    ("path", "README.md", "`qk.h`", "`side.h`"),
    ("path", "README.md", "`models/<block>/`", "`modules/qk/qk.h`"),
    ("path", "README.md", "`sim/config/*.yaml`", "`sim/machines/*.yaml`"),
    ("path", "README.md", "`result.json`", "`results.json`"),
    ("path", "models/qk/qk.h", "models/qk/qk.cpp", "models/kq/qk.cpp"),
    ("path", "models/qk/qk.h", "in scripts/go", "in scripts/went"),
    ("path", "models/qk/qk.h", "Paper: section 3", "Spec: decisions.md"),
    ("path", "sim/config/tiny.yaml", "models/qk/qk.h", "models/qk/qk.hpp.h"),
    ("path", "scripts/go", "docs/page.md", "docs/spatten.md"),
    ("program", "README.md", "`build/bench_qk`", "`build/bench_pv`"),
    ("command", "README.md", "winnow run T", "winnow walk T"),
    ("command", "README.md", "scripts/go --fast", "scripts/stop --fast"),
    ("option", "README.md", "scripts/go --fast", "scripts/go --slow"),
    ("option", "README.md", "--machine tiny", "--machines tiny"),
    ("option", "README.md", "`--all`", "`--most`"),
    ("test", "README.md", "-R qk.rate", "-R qk.speed"),
    ("value", "README.md", "--machine tiny", "--machine huge"),
    ("value", "README.md", "--policy dense", "--policy sparse"),
    ("value", "README.md", "--set qk.multipliers=8", "--set qk.adders=8"),
    ("value", "README.md", "`qk.multipliers`", "`qk.adders`"),
    ("type", "README.md", "`QkTask`", "`RankJob`"),
    ("function", "README.md", "`level()`", "`depth()`"),
    ("type", "models/qk/qk.h", "// Multiplies. In: Fifo<QkTask>", "// Multiplies. In: Fifo<RankJob>"),
    ("type", "models/qk/qk.h", "// Multiplies. In: Fifo<QkTask>", "// Multiplies. In: Fifo<Verdict>"),
    ("type", "models/qk/qk.h", "at most kMost", "at most kLeast"),
    ("function", "models/qk/qk.h", "level() says", "outputs_written() says"),
    ("contract", "models/qk/qk.h", "#pragma once\n", "#pragma once\n#include <vector>\n"),
    ("section", "models/qk/qk.h", "Paper: section 3", "Spec: section 3"),
    ("section", "models/qk/qk.h", "Paper: section 3", "Paper: 3.4"),
    ("heading", "models/qk/qk.h", "Paper: section 3", 'README, "Time"'),
    ("path", "README.md", "`models/<block>/`", "`modules/`"),
    ("outside", "README.md", "Results:", "Results in /home/someone/results:"),
    ("outside", "scripts/go", "Goes;", "Goes to ~/elsewhere;"),
]


@pytest.mark.parametrize("kind, file, old, new", ROTTEN, ids=[f"{r[0]}-{r[3][:24]}" for r in ROTTEN])
def test_planted_rot_is_found(tmp_path, kind, file, old, new):
    rot = plant(tmp_path, [(file, old, new)]).rot
    assert [r.kind for r in rot] == [kind], [str(r) for r in rot]
    assert rot[0].file == file
    assert rot[0].line > 0


def test_rot_by_a_rename(tmp_path):
    """A file that moves leaves every mention of it rotten."""
    plant(tmp_path)
    shutil.move(tmp_path / "models/qk", tmp_path / "models/multiply")
    rot = {(r.file, r.kind, r.name) for r in Check(tmp_path, COMMANDS).rot}
    assert ("README.md", "path", "models/qk/qk.h") in rot
    assert ("sim/config/tiny.yaml", "path", "models/qk/qk.h") in rot
    assert ("models/multiply/qk.h", "path", "models/qk/qk.cpp") in rot


def test_anchors_are_those_of_github():
    assert slug("A real decoder at 1,024 tokens") == "a-real-decoder-at-1024-tokens"
    assert slug("`winnow run`: what it prints") == "winnow-run-what-it-prints"
    assert slug("Q x K") == "q-x-k"


def test_keys_of_a_machine_file():
    keys = keys_of_yaml("name: a\nqk:\n  multipliers: 8   # doc\n  sram:\n    tokens: 4\npv:\n  multipliers: 8\n")
    assert keys == {"name", "qk", "qk.multipliers", "qk.sram", "qk.sram.tokens", "pv", "pv.multipliers"}
