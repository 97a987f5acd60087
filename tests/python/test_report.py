"""`winnow report` without a browser: its figures are result.json's, same input same bytes, and what it refuses."""

import html.parser
import json
import re
from itertools import pairwise

import numpy as np
import pytest
import winnow
from conftest import DECODER, ENCODER, ROOT
from conftest import winnow as command
from winnow import golden
from winnow.__main__ import main
from winnow.report import figures, load_run, write
from winnow.report import stored_run as stored
from winnow.report.sentences import sentences
from winnow.report.tokens import survival
from winnow.report.units import percent, scaled, times
from winnow.results import Part, Statistic


def keep(folder, trace, policy, *words):
    """The folder of `winnow run`."""
    code, out, error = command("run", trace, "--machine", "spatten", "--policy", policy, *words, "-o", folder)
    assert code == 0, out + error
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Runs of a decoder and of an encoder, a few layers each."""
    at = tmp_path_factory.mktemp("runs")
    return [
        keep(at / "dense", DECODER, "dense", "--steps", "2-2"),
        keep(at / "spatten", DECODER, "spatten", "--steps", "2-2"),
        keep(at / "select", DECODER, "select", "--steps", "2-2", "--against", "dense"),
        keep(at / "encoder", ENCODER, "spatten", "--layers", "3-5"),
    ]


class Cells(html.parser.HTMLParser):
    """Every element with data-value: (run, path, exact value, text). And what the page would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.outside, self.open, self.words = [], [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.open = None
        if "data-value" in found:
            self.open = [int(found["data-run"]), found["data-path"], found["data-value"], ""]
            self.cells.append(self.open)
        if "data-token" in found:
            self.words.append(float(found["data-share"]))
        for key in ("src", "href"):
            if found.get(key) and not found[key].startswith(("#", "data:")):
                self.outside.append(found[key])

    def handle_data(self, text):
        if self.open:
            self.open[3] += text


@pytest.fixture(scope="module")
def page(folders, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    made = write(folders, path)
    return made, path.read_text(encoding="utf-8")


def values_of(tree, place=""):
    for key, entry in tree.items():
        if isinstance(entry, dict):
            here = f"{place}.{key}" if place else key
            if "unit" in entry:
                yield here, entry["value"]
            else:
                yield from values_of(entry, here)


def test_every_figure_is_result_json_s(page, folders, compared):
    made, text = page
    cells = Cells(text).cells
    stored_values = [dict(values_of(json.loads((folder / "result.json").read_text()))) for folder in folders]
    seen = set()
    for run, path, exact, _ in cells:
        value = stored_values[run][path]
        assert type(value)(exact) == value, (run, path)
        seen.add((run, path))
        compared(1)
    everything = {(i, path) for i, values in enumerate(stored_values) for path in values}
    assert seen == everything and made.statistics == len(everything)


def test_plots_are_of_result_json(page, folders, compared):
    """What the plots draw, added up again from the files."""
    _, text = page
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', text, re.S)[1])
    results = [dict(values_of(json.loads((folder / "result.json").read_text()))) for folder in folders]

    def totals(key):
        bars = [trace for trace in plots[key]["data"] if trace["type"] == "bar"]
        return [sum(trace["x"][i] for trace in bars) for i in range(len(folders))]

    for i, result in enumerate(results):
        assert totals("plot-time")[i] == sum(v for k, v in result.items() if re.match(r"summary\.time_(?!at)", k))
        useful = sum(v for k, v in result.items() if re.match(r"summary\.dram_\w+_useful$", k) and "_kv_" not in k)
        assert totals("plot-traffic")[i] == pytest.approx(useful / 1e6)
        compared(2)
        if "cost.energy" in result:
            assert totals("plot-energy")[i] == pytest.approx(result["cost.energy"] * 1e6)
            assert totals("plot-area")[i] == pytest.approx(result["cost.area"])
            compared(2)
        fall = plots[f"plot-{i}-waterfall"]["data"][0]["x"]
        assert sum(fall[:-1]) == pytest.approx(result["summary.dram_kv_bursts"] / 1e6) == pytest.approx(fall[-1])
        assert fall[0] / fall[-1] >= 1
        for row in range(len(plots[f"plot-{i}-blocks"]["data"][0]["x"])):
            parts = [trace["x"][row] for trace in plots[f"plot-{i}-blocks"]["data"]]
            assert sum(parts) == pytest.approx(100)
            compared(1)
        compared(2)


def test_waterfall_reaches_the_reductions(folders, compared):
    for folder in folders:
        run = load_run(folder)
        steps = figures.waterfall_steps(run)
        first, useful = steps[0][1], steps[4][1]
        assert first / useful == pytest.approx(run.value("summary.kv_reduction_fp32"))
        assert steps[1][1] / useful == pytest.approx(run.value("summary.kv_reduction_fp16"))
        assert steps[2][1] / useful == pytest.approx(run.value("summary.kv_reduction_dense_12_bit"))
        compared(3)


def test_words_are_golden_s(folders, compared):
    """Shares of tokens against a count of golden's lists, written another way."""
    for folder, name, trace, step in (
        (folders[1], "spatten", DECODER, 2),
        (folders[2], "select", DECODER, 2),
        (folders[3], "spatten", ENCODER, 0),
    ):
        made = survival(load_run(folder))
        assert made.step == step and len(made.texts) == len(made.live[0]) and made.compared > 0
        for layer in golden.walk(winnow.Trace.open(str(trace)), name):
            if layer.step != step or layer.layer not in made.layers:
                continue
            at = made.layers.index(layer.layer)
            working = [kv for kv, heads in enumerate(layer.heads) if heads]
            lists = [set(np.asarray(layer.live(kv)).tolist()) for kv in working]
            for token in range(layer.tokens):
                assert made.live[at][token] == pytest.approx(
                    sum(token in living for living in lists) / len(working), abs=1e-4
                )
            pairs = len(working) * len(layer.positions)
            assert sum(made.used[at]) * pairs == pytest.approx(layer.values, abs=1e-4 * pairs * layer.tokens)
            assert sum(made.importance[at]) == pytest.approx(1)
            compared(layer.tokens + 2)


def test_pruned_stays_pruned_and_chosen_anew_does_not(folders):
    cascade, chosen = (survival(load_run(folders[i])) for i in (1, 2))
    for token in range(len(cascade.texts)):
        column = [row[token] for row in cascade.live]
        assert all(later <= earlier for earlier, later in pairwise(column))
    assert min(min(row) for row in cascade.live) == 0
    assert min(min(row) for row in chosen.live) == 1 and min(min(row) for row in chosen.used) == 0


def test_one_file_that_asks_for_nothing(page):
    made, text = page
    assert Cells(text).outside == []
    assert text.count("Plotly.newPlot(") == 1 and text.count("plotly.js v") == 1
    assert made.plots == text.count('class="canvas"')


def test_a_gpu_beside(folders, tmp_path, compared):
    """A measured folder stands beside a run, in time a layer, and is compared in nothing."""
    measured = ROOT / "cuda_ref/results/nvidia-h100-80gb-hbm3/decode-1024"
    write([folders[0], measured], tmp_path / "r.html", tokens=False)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    bars = json.loads(re.search(r'id="plots">(.*?)</script>', text, re.S)[1])["plot-gpu"]["data"]
    run, gpu = (dict(values_of(json.loads((folder / "result.json").read_text()))) for folder in (folders[0], measured))
    machine = run["summary.time_at_the_clock"] * run["summary.cycles"] / run["summary.cycles_whole_run"]
    assert bars[0]["x"] == [pytest.approx(1e6 * machine / run["summary.layers_run"])]
    assert bars[1]["x"] == [pytest.approx(1e6 * gpu["summary.time_a_layer"])]
    compared(2)
    write([measured], tmp_path / "alone.html")
    assert "measured on a GPU" in (tmp_path / "alone.html").read_text(encoding="utf-8")


def test_same_input_same_bytes(folders, tmp_path):
    for name in ("a", "b"):
        write(folders[:2], tmp_path / name, tokens=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_text_is_no_markup(folders, tmp_path):
    """A command, or a word of the text, may hold anything."""
    folder = tmp_path / "<script>alert(1)<"
    folder.mkdir()
    for file in folders[0].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["command"] = "winnow run </script><img src=x onerror=alert(2)>"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write([folder], tmp_path / "r.html", tokens=False)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<img" not in text.split("plotly.js v")[0]


def test_the_sentences_name_what_matters(folders):
    runs = [load_run(folder) for folder in folders]
    said = sentences(runs)
    assert len(said) == 3
    fewest = min(runs[:3], key=lambda run: run.value("summary.dram_kv_bursts"))
    assert said[0].startswith(f"{fewest.label} reads least") and "FP32" in said[0] and "12 bit" in said[0]
    assert "is fastest" in said[1] and "cycles than" in said[1]
    assert "Output error" in said[2] and "encoder" not in " ".join(said)  # another trace is not compared


def test_a_missing_trace_costs_its_picture_alone(folders, tmp_path):
    folder = tmp_path / "moved"
    folder.mkdir()
    for file in folders[1].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["trace"] = "elsewhere/lost.safetensors"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    made = write([folder], tmp_path / "r.html")
    assert any("--trace FILE" in note for note in made.notes)
    assert not any("No picture" in note for note in write([folder], tmp_path / "r.html", trace=str(DECODER)).notes)
    assert any("SHA-256" in note for note in write([folder], tmp_path / "r.html", trace=str(ENCODER)).notes)


def test_this_version_s_format(folders):
    assert json.loads((folders[0] / "result.json").read_text())["format"] == stored.FORMAT


def refused(capsys, *words):
    code = main(["report", *map(str, words)])
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and error.startswith("winnow: "), error
    return error


def test_bad_input(folders, tmp_path, capsys):
    out = tmp_path / "r.html"
    assert "no such folder" in refused(capsys, tmp_path / "none", "-o", out)
    (tmp_path / "empty").mkdir()
    assert "must be the output of winnow run" in refused(capsys, tmp_path / "empty", "-o", out)
    broken = tmp_path / "broken"
    broken.mkdir()
    result, manifest = ((folders[0] / name).read_text() for name in ("result.json", "manifest.json"))
    (broken / "manifest.json").write_text(manifest)
    assert "did not finish" in refused(capsys, broken, "-o", out)
    for text, words in (
        (result.replace(stored.FORMAT, "winnow-result-1"), "another version"),
        ("{}", "version 1"),
        ("[1]", "no object"),
        ("{", "no JSON"),
        (json.dumps({"format": stored.FORMAT, "label": "r", "summary": {"label": "s", "x": 3}}), "summary.x"),
        (json.dumps({"format": stored.FORMAT, "label": "r", "x": {"label": "s", "unit": "count"}}), "a value with a"),
    ):
        (broken / "result.json").write_text(text)
        assert words in refused(capsys, broken, "-o", out)
    (broken / "result.json").write_text(result)
    (broken / "manifest.json").write_text("{}")
    assert "engine" in refused(capsys, broken, "-o", out)
    assert "named twice" in refused(capsys, folders[0], folders[0], "-o", out)
    assert "no such folder" in refused(capsys, folders[0], "-o", tmp_path / "no/r.html")
    assert "--trace" in refused(capsys, folders[0], "-o", out, "--trace", tmp_path / "none")
    assert "is a folder" in refused(capsys, folders[0], "-o", tmp_path)
    assert "DIR" in refused(capsys)
    assert not out.exists()
    out.write_text("mine")
    assert "--force" in refused(capsys, folders[0], "-o", out)
    assert out.read_text() == "mine"


def test_counts_that_golden_denies(folders, tmp_path, capsys):
    folder = tmp_path / "other"
    folder.mkdir()
    for file in folders[1].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    lines = (folder / "layers.csv").read_text().splitlines()
    cells = lines[5].split(",")
    cells[lines[0].split(",").index("survivors")] = "3"
    lines[5] = ",".join(cells)
    (folder / "layers.csv").write_text("\n".join(lines) + "\n")
    assert "survivors: 3: golden counts" in refused(capsys, folder, "-o", tmp_path / "r.html")


def test_units(compared):
    for value, symbol, text in (
        (1003584, "B", "1.004 MB"),
        (0, "B", "0 B"),
        (999.96, "B", "1 kB"),
        (2e-6, "J", "2 µJ"),
    ):
        assert scaled(value, symbol) == text
        compared(1)
    assert percent(0.0597) == "6.0 %" and percent(0.0012) == "0.12 %" and percent(0) == "0.0 %"
    assert times(2.09) == "2.09 times more" and times(0.5) == "2.00 times fewer" and times(1.001) == ""
    assert times(1.07) == "7 % more" and times(1 / 1.07) == "7 % fewer"
    part = Part("p", {"label": "P", "a": {"value": 1, "unit": "count", "label": "A"}})
    assert [one for _, one in part.statistics()] == [Statistic("a", 1, "count", "A")]
    compared(6)
