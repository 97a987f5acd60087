"""The package as it stands: typed stubs of all that there is, one version, quick to import."""

import ast
import pathlib
import subprocess
import sys
import tomllib

import winnow
from conftest import ROOT
from winnow import _core, golden

FOLDER = pathlib.Path(_core.__file__).parent


def classes_of(stub):
    """{class: names in it} of a stub file."""
    tree = ast.parse((FOLDER / stub).read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {
                one.target.id if isinstance(one, ast.AnnAssign) else one.name
                for one in node.body
                if isinstance(one, (ast.AnnAssign, ast.FunctionDef))
            }
    return found


def test_stubs_have_every_parameter(compared):
    classes = classes_of("settings.pyi")
    for made, example in ((winnow.Policy, "dense"), (winnow.Machine, "spatten")):
        infos = made(example).parameters()
        for info in infos:
            *sections, name = info.key.split(".")
            owner = made.__name__ + "".join(part.capitalize() for part in sections)
            assert name in classes[owner], info.key
        compared(len(infos))


def test_stubs_have_every_name_of_the_extension(compared):
    classes = classes_of("_core.pyi")
    for name, member in vars(_core).items():
        if isinstance(member, type) and not name.startswith("_"):
            public = {one for one in vars(member) if not one.startswith("_")}
            assert public <= classes[name], public - classes[name]
            compared(1 + len(public))
    assert (FOLDER / "py.typed").exists()


def test_names_are_there():
    for module in (winnow, golden):
        for name in module.__all__:
            assert hasattr(module, name)


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert winnow.__version__.split("+")[0] == project["project"]["version"]
    pinned = (ROOT / "scripts/requirements-python.txt").read_text()
    for requirement in project["build-system"]["requires"]:
        assert requirement in pinned


def test_the_import_brings_no_tables():
    """pandas takes longer than all the rest: it is loaded by whoever asks for a table."""
    code = "import sys, winnow; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
