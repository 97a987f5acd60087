"""`winnow run --timeline`: the file parses, and adds up to what the same run counted."""

import json
from itertools import pairwise

import pytest
from conftest import DECODER, ENCODER, ROOT, line_of_error
from conftest import winnow as command
from winnow.report import timeline as reader
from winnow.report.stored_run import load_run

CASES = {
    # A selection in generation: two passes, gathers, lists.
    "select": (DECODER, "--policy", "select", "--steps", "1-1", "--layers", "0-3"),
    # Cascade pruning of a prompt: importances, the second top-k engine.
    "encoder": (ENCODER, "--policy", "spatten", "--layers", "0-1"),
    "batch": (
        DECODER,
        "--policy",
        "winnow",
        "--machine",
        "winnow",
        "--batch",
        "2",
        "--steps",
        "20-20",
        "--layers",
        "0-1",
    ),
}


def run(folder, *words):
    """Of `winnow run` with a timeline in its folder: (the file, stdout)."""
    file = folder / "timeline.json"
    code, out, error = command("run", *words, "-o", folder, "--force", "--timeline", file)
    assert code == 0, out + error
    return file, out


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    at = tmp_path_factory.mktemp("timelines")
    return {name: run(at / name, *words) for name, words in CASES.items()}


def cycles(microseconds):
    assert abs(1000 * microseconds - round(1000 * microseconds)) < 1e-3
    return round(1000 * microseconds)


def read(file):
    """(tracks: label -> [(from, to, arguments)], counters, otherData)"""
    tree = json.loads(file.read_text())
    names = {e["tid"]: e["args"]["name"] for e in tree["traceEvents"] if e["name"] == "thread_name"}
    tracks = {name: [] for name in names.values()}
    for event in tree["traceEvents"]:
        if event["ph"] == "X":
            start = cycles(event["ts"])
            tracks[names[event["tid"]]].append((start, start + cycles(event["dur"]), event["args"]))
    counters = [event for event in tree["traceEvents"] if event["ph"] == "C"]
    assert {event["ph"] for event in tree["traceEvents"]} == {"M", "X", "C"}
    return tracks, counters, tree["otherData"]


@pytest.mark.parametrize("name", CASES)
def test_it_adds_up_to_what_the_run_counted(made, name, compared):
    file, _ = made[name]
    tracks, counters, other = read(file)
    result = json.loads((file.parent / "result.json").read_text())
    blocks = {part["label"]: part for part in result.values() if isinstance(part, dict) and "busy" in part}
    assert set(tracks) == {"layers", *blocks}
    for label, part in blocks.items():
        slices = tracks[label]
        for (_, before, _), (after, _, _) in pairwise(slices):
            assert before <= after, label
        assert all(start < stop for start, stop, _ in slices)
        assert sum(about["busy"] for _, _, about in slices) == part["busy"]["value"], label
        for start, stop, about in slices:
            waits = sum(n for key, n in about.items() if key.startswith("waits_for_"))
            assert about["busy"] + waits == stop - start, label
        # What stood after the last slice is in no slice.
        for key, one in part.items():
            if key.startswith("waits_for_"):
                told = sum(about.get(key, 0) + about.get("before_" + key, 0) for _, _, about in slices)
                assert 0 <= one["value"] - told <= other["last_write"], (label, key)
        compared(2 * len(slices) + 1)
    # Q x K and P x V have something to wait for at every time, and nothing to be idle for: each cycle is accounted for.
    for label in ("qk", "pv"):
        told = sum(
            n for _, _, about in tracks[label] for key, n in about.items() if key == "busy" or "waits_for_" in key
        )
        last = tracks[label][-1][1]
        assert told == last - 1, label  # the machine's first cycle is 1
        compared(1)
    moved = sum(event["args"]["read"] + event["args"]["written"] for event in counters)
    assert moved == 32 * (result["hbm2"]["rd"]["value"] + result["hbm2"]["wr"]["value"])
    compared(1)


@pytest.mark.parametrize("name", CASES)
def test_layers_end_when_the_run_says(made, name, compared):
    file, _ = made[name]
    tracks, _, other = read(file)
    result = json.loads((file.parent / "result.json").read_text())
    layers = tracks["layers"]
    assert layers[0][0] == other["first_request"] and layers[-1][1] == other["last_write"]
    assert (
        other["cycles"]
        == other["last_write"] - other["first_request"]
        == result["summary"]["cycles_whole_run"]["value"]
    )
    rows = [row for row in load_run(file.parent).layers if int(row["cycles"])]
    assert [(int(r["step"]), int(r["layer"]), int(r["cycles"])) for r in rows] == [
        (about["step"], about["layer"], stop - start) for start, stop, about in layers
    ]
    compared(3 * len(rows) + 3)


def test_who_is_worked_for(made, compared):
    tracks, _, _ = read(made["select"][0])
    heads = {(about["layer"], about["head"]) for _, _, about in tracks["qk"]}
    assert heads == {(layer, head) for layer in range(4) for head in range(3)}
    assert {about["pass"] for _, _, about in tracks["qk"]} == {0, 1}
    for label in ("pv", "softmax", "topk", "writeback"):
        assert {(about["layer"], about["head"]) for _, _, about in tracks[label]} == heads, label
        compared(len(heads))
    assert {about.get("what") for _, _, about in tracks["fetcher"]} >= {"K", "records", "queries"}
    letters = {}
    for event in json.loads(made["select"][0].read_text())["traceEvents"]:
        if "head" in event["args"]:
            letters.setdefault(event["name"].partition(", head ")[2], set()).add(event["args"]["head"])
    assert letters == {"a": {0}, "b": {1}, "c": {2}}  # a colour each
    # A head's probabilities come after its scores began, its values after its probabilities.
    for head in heads:
        first = [
            min(start for start, _, about in tracks[label] if (about.get("layer"), about.get("head")) == head)
            for label in ("fetcher", "qk", "softmax", "pv", "writeback")
        ]
        assert first == sorted(first), head
        compared(5)


def test_same_bytes_and_no_other_result(made, tmp_path, compared):
    file, _ = made["select"]
    again, _ = run(tmp_path / "again", *CASES["select"])
    assert file.read_bytes() == again.read_bytes()
    without = tmp_path / "without"
    code, out, error = command("run", *CASES["select"], "-o", without)
    assert code == 0, out + error
    for name in ("result.json", "layers.csv"):
        assert (file.parent / name).read_bytes() == (without / name).read_bytes()
    compared(3)


def test_a_long_run_is_cut(made, tmp_path, compared):
    file, out = made["select"]
    whole, _, other = read(file)
    assert f"timeline in {file}: {other['events']} events\n" in out and "cut_at" not in other
    short, said = run(tmp_path / "short", *CASES["select"], "--timeline-events", "300")
    tracks, _, told = read(short)
    end = told["cut_at"]
    assert f"it ends before cycle {end}: more with --timeline-events N" in said
    assert 300 <= told["events"] <= 300 + len(tracks) + 1 and told["cycles"] == other["cycles"]
    for label, slices in tracks.items():
        mine = [one for one in whole[label] if one[1] < end] if label != "layers" else slices
        assert slices[: len(mine)] == mine and len(slices) - len(mine) <= 1, label
        assert all(stop <= end for _, stop, _ in slices)
        compared(len(slices))


def test_the_report_reads_it(made, tmp_path, compared):
    file, _ = made["select"]
    ours = reader.timeline(load_run(file.parent))
    tracks, _, other = read(file)
    assert {name: len(of) for name, of in ours.tracks} == {name: len(of) for name, of in tracks.items() if of}
    assert ours.has_heads and ours.until is None
    columns = reader.embedded(ours)["tracks"]
    for (_, of), track in zip(ours.tracks, columns):
        assert sum(track["from"]) == of[-1][0] and track["busy"] == [one[5] for one in of]
        compared(len(of))
    text = (ROOT / "sim/machine/timeline.cpp").read_text()
    assert f'kFormat = "{reader.FORMAT}"' in text
    file.rename(tmp_path / "kept.json")
    alone = reader.timeline(load_run(file.parent))
    assert not alone.has_heads and sum(one[1] for one in alone.tracks[1][1]) == other["cycles"]
    (tmp_path / "kept.json").rename(file)


def test_bad_input(tmp_path):
    words = ("run", *CASES["select"], "-o", tmp_path / "run", "--force")
    assert line_of_error(*words, "--engine", "golden", "--timeline", tmp_path / "t") == (
        f"--timeline: {tmp_path / 't'}: engine golden has no time: must go with --engine systemc"
    )
    no = tmp_path / "no/t.json"
    assert (
        line_of_error(*words, "--timeline", no)
        == f"--timeline: {no}: No such file or directory: must be a file to write"
    )
    assert "--timeline-events" in line_of_error(*words, "--timeline", tmp_path / "t", "--timeline-events", "0")
