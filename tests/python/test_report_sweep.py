"""`winnow report` of a sweep: its figures are points.csv's, its shares are counted another way, and what it refuses."""

import html.parser
import json
import random
import re
from dataclasses import replace

import numpy as np
import pandas
import pytest

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
from test_report import Cells, refused
from test_sweep import written
from winnow import sweep
from winnow.report import write
from winnow.report.influence import GROUPS, grouped, influence
from winnow.report.stored_sweep import load_sweep
from winnow.report.sweep_page import MOST_POINTS, figure_text, plotted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small sweep: golden, then the machine for four of its points."""
    at = tmp_path_factory.mktemp("sweep")
    spec = sweep.load(written(at / "s.yaml", search="{method: random, points: 60, batch: 60, seed: 3}"))
    sweep.run(spec, at / "sweep", jobs=2)
    return at / "sweep"


@pytest.fixture(scope="module")
def page(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "sweep.html"
    made = write([folder], path)
    return made, path.read_text(encoding="utf-8")


def embedded(text):
    return json.loads(re.search(r'id="sweep">(.*?)</script>', text, re.S)[1])


def test_every_point_is_in_the_page(folder, page, compared):
    made, text = page
    table = pandas.read_parquet(folder / "points.parquet")
    data = embedded(text)
    assert made.points == len(table) == len(data["points"]) == 60
    by_number = {one["n"]: one for one in data["points"]}
    for row in table.itertuples():
        point = by_number[row.point]
        assert point["command"] == row.command and (point["kind"] == "front") == row.front
        for column, value in zip(data["columns"], point["figures"]):
            expected = table.loc[row.Index, column["key"]]
            assert value == expected if value is not None else pandas.isna(expected)
            compared(1)
        assert point["values"] == [str(table.loc[row.Index, name]) for name in data["parameters"]]
    assert made.statistics == sum(value is not None for one in data["points"] for value in one["figures"])


class Front(html.parser.HTMLParser):
    """Rows of the table of the front: {(point, column): exact text}, and points in order."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.points = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "data-point" in found:
            self.points.append(int(found["data-point"]))
        if "data-point-figure" in found:
            point, column = found["data-point-figure"].split()
            self.cells[int(point), column] = found["data-exact"]


def test_the_table_of_the_front(folder, page, compared):
    table = pandas.read_parquet(folder / "points.parquet")
    front = table[table.front].sort_values(["machine.bytes", "point"])
    rows = Front(page[1])
    assert rows.points == list(front.point) and len(rows.points) > 1
    for row in front.itertuples():
        for column in ("golden.bytes", "golden.output_error", "machine.bytes", "machine.cycles"):
            assert float(rows.cells[row.point, column]) == table.loc[row.Index, column]
            compared(1)


def test_one_file_that_asks_for_nothing(page):
    made, text = page
    assert Cells(text).outside == []
    assert made.plots == text.count('class="canvas"') == 3


def test_same_input_same_bytes(folder, page, tmp_path):
    write([folder], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page[1]


def test_shares_of_variance(compared):
    """Against numbers that are known, and against a count written with NumPy."""
    a, b = ["x"] * 8 + ["y"] * 8, ["p", "q"] * 8
    assert influence(a, [float(one == "y") for one in a]) == 1
    assert influence(b, [float(one == "y") for one in a]) == 0  # less than chance
    assert influence(a, [3.0] * 16) is None and influence(["x"], [1.0]) is None
    dice = random.Random(7)
    texts = [dice.choice(["4", "5", "6", "10"]) for _ in range(200)]
    values = [int(text) + dice.gauss(0, 2) for text in texts]
    y, g = np.array(values), np.array(texts)
    within = sum(((y[g == one] - y[g == one].mean()) ** 2).sum() for one in np.unique(g))
    total = ((y - y.mean()) ** 2).sum()
    assert influence(texts, values) == pytest.approx(1 - within / 196 / (total / 199))
    # Nothing decides nothing, however many values a parameter has.
    shares = [influence([str(i) for i in range(400)], [dice.gauss(0, 1) for _ in range(400)]) for _ in range(20)]
    assert np.mean(shares) < 0.02
    many = grouped([str(i) for i in range(400)])
    assert len(set(many)) == GROUPS and all(many.count(one) == 400 // GROUPS for one in set(many))
    compared(8)


def test_what_is_written(compared):
    for column, value, text in (
        ("golden.bytes", 17520408, "17.52 MB"),
        ("machine.joules", 0.0001583, "158.3 µJ"),
        ("machine.cycles", 22545, "22,545"),
        ("golden.output_error", 0.1437, "14.4 %"),
        ("machine.area", 32.7, "32.7 mm²"),
        ("accuracy.loss", 1.02, "+1.02 %"),
    ):
        assert figure_text(column, value) == text
        compared(1)


def test_very_many_points(folder):
    """The front stays whole."""
    stored = load_sweep(folder)
    rest = [one for one in stored.points if not one.front and one.fidelity == "golden"]
    copies = range(1, 2 * MOST_POINTS // len(rest) + 2)
    stored.points += [replace(one, number=one.number + 1000 * copy) for copy in copies for one in rest]
    drawn = plotted(stored)["points"]
    assert len(drawn) < 1.1 * MOST_POINTS
    assert sum(one["kind"] == "front" for one in drawn) == len(stored.front)


def test_bad_input(folder, tmp_path, capsys):
    out = tmp_path / "r.html"
    assert "must be the only folder" in refused(capsys, folder, tmp_path, "-o", out)
    broken = tmp_path / "broken"
    broken.mkdir()
    about, points = ((folder / name).read_text() for name in ("sweep.json", "points.csv"))
    (broken / "sweep.json").write_text("{}")
    assert "is no sweep's" in refused(capsys, broken, "-o", out)
    (broken / "sweep.json").write_text(about.replace('"format": 1', '"format": 9'))
    assert "format: 9: must be 1" in refused(capsys, broken, "-o", out)
    (broken / "sweep.json").write_text(about)
    assert "--resume goes on with it" in refused(capsys, broken, "-o", out)
    (broken / "points.csv").write_text(points.replace("policy.v_bits", "policy.w_bits", 1))
    assert "policy.v_bits: no such column" in refused(capsys, broken, "-o", out)
    first = pandas.read_csv(folder / "points.csv", dtype=str)["golden.bytes [bytes]"][0]
    (broken / "points.csv").write_text(points.replace(f",{first},", ",many,", 1))
    assert "must be a number" in refused(capsys, broken, "-o", out)
    assert not out.exists()


def test_text_is_no_markup(folder, tmp_path):
    """A name may hold anything."""
    other = tmp_path / "other"
    other.mkdir()
    about = json.loads((folder / "sweep.json").read_text())
    about["spec"]["name"] = "</script><img src=x onerror=alert(1)>"
    (other / "sweep.json").write_text(json.dumps(about))
    (other / "points.csv").write_text((folder / "points.csv").read_text())
    write([other], tmp_path / "r.html")
    assert "<img" not in (tmp_path / "r.html").read_text(encoding="utf-8").split("plotly.js v")[0]
