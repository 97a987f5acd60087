"""docs/first_steps.ipynb: its cells run, one after the other, and it is stored without what they gave."""

import ast
import os
import sys

import pytest
from conftest import ROOT

nbformat = pytest.importorskip("nbformat", reason="scripts/setup --python brings it")
NOTEBOOK = ROOT / "docs/first_steps.ipynb"


def run(source, names):
    """A cell as Jupyter runs it: its statements, and the value of an expression at its end."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names) if last else None


@pytest.fixture(scope="module")
def book():
    made = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(made)
    return made


def test_it_is_stored_without_outputs(book):
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert len(code) == 10
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_its_cells_run(book, capsys, compared, monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)
    names, values = {"__name__": "__main__"}, []
    for cell in book.cells:
        if cell.cell_type == "code":
            values.append(run(cell.source, names))
            compared(1)
    printed = capsys.readouterr().out
    assert "v_bits: '99'" in printed  # the refused value
    dense, select = names["dense"], names["select"]
    assert select.summary.dram_kv_useful.value < dense.summary.dram_kv_useful.value
    table = values[6]
    assert list(table.columns) == ["dense", "select"] and len(table) == 5
    assert table["select"].iloc[0] == select.summary.cycles.value
    found = names["found"]
    assert list(found.bytes) == sorted(found.bytes) and list(found.error) == sorted(found.error, reverse=True)
    line = values[-1].data[0]
    assert list(line.x) == list(found.bytes) and list(line.y) == list(found.error)
    assert os.getcwd() == str(NOTEBOOK.parent) and "winnow" in sys.modules
    compared(10)
