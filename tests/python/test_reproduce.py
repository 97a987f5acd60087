"""`winnow reproduce`: its figures added up another way, same input same bytes, and what it refuses."""

import csv
import html.parser
import json
import re
from itertools import pairwise

import numpy as np
import pytest
import winnow
from conftest import DECODER, ENCODER, ROOT
from winnow import golden, reproduce
from winnow.__main__ import main
from winnow.reproduce import outputs, paper, places
from winnow.reproduce.artefact import Beside, figure
from winnow.reproduce.artefacts import dram_access, end_to_end, gpu, pruning, quantization, rivals, selection
from winnow.reproduce.measure import Measurements
from winnow.reproduce.techniques import NAMES, STEPS, policies, workloads
from winnow.reproduce.workload import COLUMNS, GPT2_MEDIUM, GPT2_SMALL

# Seconds each: what is end to end here. The others take minutes, and are held by their parts.
CHEAP = ["dram-access", "computation", "selection"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    lines = []
    done = reproduce.run(tmp_path_factory.mktemp("r") / "made", only=CHEAP, progress=lines.append)
    return done, lines


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- the workloads ---------------------------------------------------------------------------------------------------


def test_workload_of_the_authors(compared):
    """The closed form of their file, whose K and V are 82,428,256 bytes (docs/figures.md), and its shape."""
    found = [dict(zip(COLUMNS, row)) for row in GPT2_SMALL.rows()]
    assert len(found) == 32 * 12 * 12
    keys = sum(r["key_fetch_num"] * 64 * (r["quant_key_bit"] + 4 * r["if_requant"]) for r in found) // 8
    values = sum(r["value_fetch_num"] * 64 * r["quant_value_bit"] for r in found) // 8
    assert keys + values == 82_428_256
    assert [r["sentence_length_L"] for r in found][:: 12 * 12] == list(range(993, 1025))
    assert sum(r["if_requant"] for r in found) == 323
    # A top-k stands on a layer's last head, and keeps what the next layer fetches, be it the next step's first.
    cuts = [(row, after) for row, after in pairwise(found) if row["if_topk"]]
    assert len(cuts) == 31 * 4
    for row, after in cuts:
        assert row["head_id"] == 11 and row["topk"] == after["key_fetch_num"]
        assert row["topk"] < row["key_fetch_num"] or row["layer_id"] == 11
    medium = [dict(zip(COLUMNS, row)) for row in GPT2_MEDIUM.rows()]
    assert len(medium) == 32 * (16 * 16 + 13 * 6 + 10 * 2)
    compared(len(found) + len(medium))


def test_a_workload_runs_as_its_closed_form_says(tmp_path, compared):
    """Two steps on the machine, whose own check holds bytes; products against the counts."""
    m = Measurements(tmp_path)
    run = m.run(GPT2_SMALL, "spatten", steps=(1, 2))
    in_range = [dict(zip(COLUMNS, row)) for row in GPT2_SMALL.rows() if row[0] in (1, 2)]
    assert run.value("qk.multiplications") == 64 * sum(r["key_fetch_num"] * (1 + r["if_requant"]) for r in in_range)
    assert run.value("pv.multiplications") == 64 * sum(r["value_fetch_num"] for r in in_range)
    (command,) = m.commands()
    assert command.startswith("winnow run DIR/workloads/gpt2-small-tokens-values-heads-bits.csv --machine spatten ")
    compared(2)


def test_techniques_are_added_one_after_the_other(compared):
    """From dense to policy `spatten`: neighbours differ, the ends are what they are called."""
    made = policies(encoder=False)
    assert list(made) == STEPS and made["12 bit"] == winnow.Policy("dense")
    assert made["bits"].as_dict() == winnow.Policy("spatten").as_dict()
    for one, other in pairwise(STEPS):
        assert made[one].as_dict() != made[other].as_dict()
    sizes = [sum(file.products()) for file in workloads(GPT2_MEDIUM).values()]
    assert all(after <= before for before, after in pairwise(sizes))
    compared(len(STEPS) + len(sizes))


# --- what it writes --------------------------------------------------------------------------------------------------


def test_sums_of_dram_access(made, compared):
    """Bytes against golden's own walk, and factors against each other."""
    done, _ = made
    table = rows(done.folder / "dram-access.csv")
    for name, path, encoder in (("SmolLM2, 160 tokens", DECODER, False), ("MiniLM, 128 tokens", ENCODER, True)):
        mine = {row["what"]: float(row["bytes"]) for row in table if row["trace"] == name}
        for step, policy in policies(encoder).items():
            walked = golden.walk(winnow.Trace.open(str(path)), policy)
            bytes_ = sum(one.accesses.kv_bytes for one in walked if encoder or 29 <= one.step <= 32)
            assert mine[NAMES[step]] == bytes_, (name, step)
            compared(1)
        assert mine["all as FP32"] == 2 * mine["all as FP16"] == pytest.approx(32 / 12 * mine[NAMES["12 bit"]])
        compared(2)
    for row in table:
        assert float(row["below FP32"]) == pytest.approx(2 * float(row["below FP16"]))
    for name in {row["trace"] for row in table}:
        steps = [float(row["by this step"]) for row in table if row["trace"] == name]
        last = [float(row["below FP32"]) for row in table if row["trace"] == name][-1]
        assert np.prod(steps) == pytest.approx(last)
        compared(1)


def test_products_of_golden(made, compared):
    """Products of the machine against golden's decisions, and against the closed form of a dense step."""
    done, _ = made
    table = {(row["trace"], row["what"]): row for row in rows(done.folder / "computation.csv")}
    trace = winnow.Trace.open(str(DECODER))
    group = trace.heads // trace.kv_heads
    keys = values = 0
    for layer in golden.walk(trace, "dense"):
        if 29 <= layer.step <= 32:
            keys += layer.keys_seen * group * trace.head_dim
            values += layer.values * group * trace.head_dim
    row = table["SmolLM2, 160 tokens", "dense, 12 bit"]
    assert (int(row["products of Q x K"]), int(row["products of P x V"])) == (keys, values)
    closed = 2 * 30 * 9 * 64 * sum(range(128 + 29, 128 + 33))
    assert int(row["all"]) == closed == keys + values
    compared(3)


class Page(html.parser.HTMLParser):
    """Places of plots, and what the page would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.canvases, self.outside = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if found.get("class") == "canvas":
            self.canvases.append(found["id"])
        if tag in ("script", "img", "link", "iframe") and not (found.get("src") or "").startswith("data:"):
            self.outside += [found[key] for key in ("src", "href") if key in found and found[key] != "data:,"]


def test_page_and_files(made, compared):
    done, lines = made
    assert [line.split()[1] for line in lines] == [f"{name}:" for name in CHEAP]
    text = (done.folder / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.outside == [] and text.count("plotly.js v") == 1
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', text, re.S)[1])
    assert sorted(page.canvases) == sorted(plots)
    # A waterfall's steps add up to its end, which is the table's last row.
    table = rows(done.folder / "dram-access.csv")
    for i, name in enumerate(dict.fromkeys(row["trace"] for row in table)):
        fall = plots[f"plot-dram-access-dram-{i}"]["data"][0]["x"]
        last = float([row for row in table if row["trace"] == name][-1]["bytes"]) / 1e6
        assert sum(fall[:-1]) == pytest.approx(last) == pytest.approx(fall[-1])
        compared(1)
    beside = rows(done.folder / "beside.csv")
    assert len(beside) == sum(len(result.besides) for _, result in done.results) > 15
    for row in beside:
        if row["the paper"] and row["ours"] and float(row["the paper"]):
            ratio = float(row["ours"]) / float(row["the paper"])
            said = row["deviation"]
            value = 1 + float(said[:-2]) / 100 if said.endswith("%") else float(said.removesuffix(" times"))
            assert value == pytest.approx(ratio, rel=0.006, abs=0.006)
            compared(1)
    summary = " ".join((done.folder / "summary.md").read_text(encoding="utf-8").split())
    for artefact, result in done.results:
        assert f"## {artefact.number}. {artefact.title}" in summary and artefact.claim in summary
        assert result.cause in summary and all(f"| {one.what} |" in summary for one in result.besides)
    marker = json.loads((done.folder / "reproduce.json").read_text())
    assert marker["finished"] and marker["version"] == winnow.__version__ and marker["artefacts"] == CHEAP


def test_the_page_that_is_kept_is_of_these_figures(made, compared):
    """docs/reproduction.md is `winnow reproduce`'s summary: what is made here stands in it, line for line."""
    done, _ = made
    kept = set((ROOT / "docs/reproduction.md").read_text(encoding="utf-8").splitlines())
    lines = [line for line in (done.folder / "summary.md").read_text(encoding="utf-8").splitlines() if line]
    assert [line for line in lines if line not in kept] == [], "make docs/reproduction.md anew (docs/reproduce.md)"
    compared(len(lines))


def test_same_input_same_bytes(made, tmp_path, compared):
    done, _ = made
    again = reproduce.run(tmp_path / "elsewhere", only=CHEAP)
    names = sorted(str(path.relative_to(done.folder)) for path in done.files)
    assert names == sorted(str(path.relative_to(again.folder)) for path in again.files)
    for name in names:
        assert (done.folder / name).read_bytes() == (again.folder / name).read_bytes(), name
        compared(1)


def test_nothing_of_this_place_is_in_it(made):
    done, _ = made
    for path in done.files:
        assert str(ROOT) not in path.read_text(encoding="utf-8"), path


# --- parts of those that take minutes --------------------------------------------------------------------------------


def test_quantization_rows_are_as_flat_as_golden_says(compared):
    """Rows of float attention below the threshold, against golden's count of flat rows at the widest MSBs."""
    trace = winnow.Trace.open(str(DECODER))
    largest, errors = quantization.rows_of(trace, 12)
    assert len(largest) == 32 * 30 * 9 and (errors >= 0).all() and largest.max() <= 1
    flat = total = 0
    for layer in golden.walk(trace, winnow.Policy("dense", k_digits=[8, 4], threshold=0.1)):
        if layer.step:
            flat, total = flat + layer.flat, total + layer.row_heads
    assert total == len(largest)
    assert np.mean(largest < 0.1) == pytest.approx(flat / total, abs=0.005)
    compared(len(largest))


def test_quantization_bins_lose_no_row(compared):
    largest = np.array([0.0, 0.049, 0.05, 0.5, 0.95, 1.0])
    errors = np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0])
    bins = quantization.binned(largest, errors)
    assert sum(one[2] for one in bins) == 6 and sum(one[2] * one[4] for one in bins) == errors.sum()
    assert bins[0][2:] == (2, pytest.approx(0.0245), 2.0) and bins[-1][2] == 2
    codes = quantization.quantized(np.array([[-2.0, 0.85, 3.0]]), np.array([[1.4, -0.7, 0.2]]), 4)
    assert codes.tolist() == [[pytest.approx(-1.6), pytest.approx(0.8), pytest.approx(1.4)]]  # steps of 0.2, saturated
    compared(12)


def test_pruning_error_by_golden_s_walk(tmp_path, compared):
    """The run's mean over layers, added up again; a policy with heads counts what they leave out."""
    policies_of = pruning.variants()
    m = Measurements(tmp_path)
    trace = winnow.Trace.open(str(ENCODER))
    policy = policies_of["tokens, the paper's rule"][1](0.7)
    run = m.on_encoder("spatten", policy, engine="golden")
    layers = [layer.error for layer in golden.walk(trace, policy, errors=True)]
    mean = np.mean([np.sqrt(difference / reference) for difference, reference in layers])
    assert pruning.error_of(run, "tokens") == pytest.approx(mean, rel=1e-6)
    heads = m.on_encoder("spatten", policies_of["heads"][1](0.7), engine="golden")
    assert pruning.error_of(heads, "heads") > 5 * pruning.error_of(heads, "tokens") > 0
    for what, (shares, policy_of) in policies_of.items():
        assert shares[0] == 1 and policy_of(1.0).as_dict()["v_bits"] == 12, what
        compared(1)
    compared(len(layers))


def test_fc_model_by_hand(compared):
    """GPT-2-medium: 24 layers of 12 x 1,024 x 1,024, and 50,257 x 1,024 to predict a word."""
    parts = end_to_end.weights()
    assert parts["projections of attention"] + parts["FFN"] == 301_989_888
    assert parts["prediction of the word"] == 51_463_168
    # A million weights of 8 bit at 1 GB/s: a millisecond a token; on 1,000 multipliers at 1 GHz: a microsecond.
    assert end_to_end.fc_seconds(10**6, 8, 1e9, 1000, 1e9, tokens=1) == (pytest.approx(1e-3), pytest.approx(1e-6))
    assert end_to_end.fc_seconds(10**6, 12, 1e9, 1000, 1e9, tokens=32)[0] == pytest.approx(48e-3)
    compared(5)


def test_operations_are_those_of_dense(tmp_path, compared):
    """Counted by the machine's multipliers where nothing is pruned."""
    m = Measurements(tmp_path)
    run = m.run(DECODER, "spatten-eighth", "dense", steps=(29, 30))
    products = run.value("qk.multiplications") + run.value("pv.multiplications")
    assert rivals.operations(m, DECODER, (29, 30)) == products
    compared(1)


def test_a_run_is_made_once(tmp_path):
    m = Measurements(tmp_path)
    first = m.run(DECODER, "spatten", "dense", steps=(1, 1), layers=(0, 1))
    assert m.commands() == [
        "winnow run traces/samples/smollm2-160.safetensors --machine spatten --policy dense --layers 0-1 --steps 1-1"
    ]
    assert m.run(DECODER, "spatten", "dense", steps=(1, 1), layers=(0, 1)).result is first.result
    assert len(m.commands()) == 1 and m.commands() == []


def test_a_token_on_a_gpu_of_this_shape(compared):
    """SmolLM2's shape at 1,024 tokens, as the stored folder has it; a shape that nobody measured gives nothing."""
    stored = json.loads((ROOT / "cuda_ref/results/nvidia-h200/decode-smollm2-1024/result.json").read_text())["summary"]
    found = gpu.a_token(9, 3, 1024, 30)
    assert [(device, sequences) for device, sequences, _, _ in found] == [("NVIDIA H200", 1), ("NVIDIA H200", 8)]
    assert found[0][2:] == (30 * stored["time_a_layer"]["value"], 30 * stored["energy_a_layer_gpu"]["value"])
    assert found[1][3] == 30 * stored["energy_a_sequence_batch_8_gpu"]["value"]
    assert gpu.a_token(9, 3, 160, 30) == []
    compared(3)


def test_gpus_and_rivals_that_are_missing(tmp_path, monkeypatch):
    """Named as not had, and nothing fails."""
    monkeypatch.setattr(places, "GPUS", tmp_path)
    made = gpu.reproduce(Measurements(tmp_path))
    assert made.besides == [] and "No GPU was measured" in made.cause and made.not_had
    monkeypatch.setattr(winnow, "machines", lambda: ["spatten", "spatten-eighth", "mnnfast"])
    monkeypatch.setattr(rivals, "MACHINES", [*rivals.MACHINES[:2], ("a3", "a3")])
    made = rivals.reproduce(Measurements(tmp_path))
    assert [one.what.split()[0] for one in made.not_had] == ["a3"] and len(made.besides) == 4
    monkeypatch.setattr(places, "SYNTHESIS", tmp_path)
    (tmp_path / "nangate45.json").write_text((ROOT / "tests/rtl/synth/results/nangate45.json").read_text())
    made = selection.reproduce(Measurements(tmp_path))
    assert [one.what for one in made.not_had] == ["power against the sorter"]
    assert outputs.summary([(selection.ARTEFACT, made)], False).count("power against the sorter") == 1


def test_the_paper_s_factors(compared):
    """They are consistent with FP32 and not with 12 bit, as the page says."""
    product = paper.TOKENS_AND_VALUES * paper.HEADS * paper.QUANTIZATION
    assert product == pytest.approx(paper.DRAM_ACCESS, rel=0.1)
    assert sum(paper.POWER[part] for part in ("logic", "storage", "memory")) == pytest.approx(
        paper.POWER["all"], abs=0.02
    )
    assert paper.reported()["spatten_over_gpu"]["speedup"]["value"] == 162
    compared(3)


def test_figures_for_people(compared):
    for value, unit, text in (
        (None, "x", "-"),
        (12.9257, "mm²", "12.93 mm²"),
        (7.2, "x", "7.2x"),
        (1057766, "", "1,057,766"),
        (0.00012, "W", "1.20e-04 W"),
        ("word", "", "word"),
    ):
        assert figure(value, unit) == text
        compared(1)
    for said, ours, text in ((10.0, 11.2, "+12 %"), (10.0, 28.9, "2.89 times"), (10.0, None, "-"), (0.0, 1.0, "-")):
        assert Beside("w", said, ours, "x", "c").deviation == text
        compared(1)


# --- bad input -------------------------------------------------------------------------------------------------------


def refused(capsys, *words):
    code = main(["reproduce", *map(str, words)])
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and error.startswith("winnow: "), error
    return error


def test_bad_input(tmp_path, capsys, made):
    out = tmp_path / "r"
    error = refused(capsys, "--only", "dram-access,nosuch", "-o", out)
    assert "'nosuch'" in error and "dram-access" in error and "1..13" in error
    assert "'14'" in refused(capsys, "--only", "14", "-o", out)
    assert "unrecognized" in refused(capsys, "--fast", "-o", out)
    assert not out.exists()
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refused(capsys, "-o", tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    assert "holds other things" in refused(capsys, "--only", "9", "-o", tmp_path / "other", "--force")
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"
    folder = made[0].folder
    before = (folder / "summary.md").read_bytes()
    assert "--force" in refused(capsys, "--only", "9", "-o", folder)
    assert (folder / "summary.md").read_bytes() == before
    old = tmp_path / "old"
    old.mkdir()
    for text, words in (('{"format": "winnow-reproduce-0"}', "another version"), ("{", "no JSON"), ("[]", "another")):
        (old / "reproduce.json").write_text(text)
        assert words in refused(capsys, "--only", "9", "-o", old, "--force")


def test_force_replaces_what_it_wrote(tmp_path, capsys):
    out = tmp_path / "r"
    assert main(["reproduce", "--only", "9", "-o", str(out)]) == 0
    assert "1 artefacts" in capsys.readouterr().out
    (out / "mine.txt").write_text("kept")
    (out / "stale.csv").write_text("gone")
    assert main(["reproduce", "--only", "selection", "-o", str(out), "--force"]) == 0
    assert (out / "mine.txt").read_text() == "kept" and not (out / "stale.csv").exists()
    assert json.loads((out / "reproduce.json").read_text())["artefacts"] == ["selection"]


def test_ids_and_numbers(compared):
    ids = [one.id for one in reproduce.ARTEFACTS]
    assert len(set(ids)) == len(ids) == 13 and [one.number for one in reproduce.ARTEFACTS] == list(range(1, 14))
    assert [one.id for one in reproduce.chosen(["9", "dram-access", "9"])] == ["dram-access", "selection"]
    page = (ROOT / "docs/reproduce.md").read_text(encoding="utf-8")
    for name in ids:
        assert f"| `{name}` |" in page
        compared(1)
    assert dram_access.ARTEFACT in reproduce.ARTEFACTS
