"""winnow.run against the command line: the same bytes, and the same words where it refuses."""

import json
import shlex
import threading

import pytest
import winnow
from conftest import DECODER, ENCODER, line_of_error
from conftest import winnow as command

CASES = [
    (DECODER, "spatten-eighth", "select", {"steps": (1, 2)}),
    (DECODER, "spatten", winnow.Policy("spatten", v_bits=6), {"steps": 3, "layers": (0, 4), "seed": 7}),
    (ENCODER, winnow.Machine("spatten", heads_in_flight=3), "spatten", {"layers": 1}),
    (DECODER, "winnow", "winnow", {"steps": (4, 5), "batch": 3, "layers": "28-"}),
    (DECODER, "spatten-eighth", "select", {"steps": "31-31", "against": "dense", "layers": (29, 29)}),
    (ENCODER, "spatten", "dense", {"engine": "golden", "layers": (0, 1)}),
]


def places(tree, prefix=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from places(value, (*prefix, key))
        elif key == "value":
            yield prefix, value


@pytest.mark.parametrize("trace, machine, policy, options", CASES)
def test_the_command_line_s_bytes(trace, machine, policy, options, tmp_path, compared):
    run = winnow.run(trace, machine, policy, **options)
    words = shlex.split(run.command)
    assert words[0] == "winnow"
    code, out, error = command(*words[1:], "-o", tmp_path / "r")
    assert code == 0, out + error
    assert run.result_json == (tmp_path / "r/result.json").read_text()
    values = dict(places(json.loads(run.result_json)))
    assert len(run.statistics) == len(values)
    for path, value in values.items():
        part = run.result
        for key in path:
            part = part[key]
        assert part.value == value
    for part, key, value, _, _ in run.statistics.itertuples(index=False):
        assert values[(*part.split("."), key)] == value
    rows = (tmp_path / "r/layers.csv").read_text().splitlines()
    assert rows[0].split(",") == list(run.layers.columns)
    assert len(rows) - 1 == len(run.layers)
    for line, row in zip(rows[1:], run.layers.itertuples(index=False)):
        for text, value in zip(line.split(","), row):
            assert (value != value) if text == "" else float(text) == value
            compared(1)
    stored = json.loads((tmp_path / "r/manifest.json").read_text())
    for key in ("machine", "policy", "options", "trace", "trace_sha256", "seed"):
        assert run.manifest[key] == stored[key]
    compared(3 * len(values))


def test_statistics_are_typed():
    run = winnow.run(ENCODER, "spatten", "dense", layers=0)
    cycles = run.summary.cycles
    assert isinstance(cycles.value, int) and cycles.unit == "cycles" and int(cycles) == cycles.value > 0
    assert isinstance(run.summary.output_error_mean.value, float)
    assert "cycles" in run.summary and "cycles" in dir(run.summary)
    with pytest.raises(AttributeError, match="no such statistic"):
        _ = run.summary.cicles


@pytest.mark.parametrize(
    "arguments, options",
    [
        ((DECODER, "spatten", "select"), {"steps": 40}),
        ((DECODER, "spatten", "select"), {"layers": (5, 3)}),
        ((DECODER, "spatten", "select"), {"batch": 2, "engine": "golden"}),
        ((DECODER, "spatten", "select"), {"against": "nonesuch"}),
        (("no/such.safetensors", "spatten", "select"), {}),
        (("synthetic:tokens=9000,layers=1", "spatten", "dense"), {}),
    ],
)
def test_errors_have_the_command_line_s_words(arguments, options):
    trace, machine, policy = arguments
    words = []
    for key, value in options.items():
        words += [f"--{key}", f"{value[0]}-{value[1]}" if isinstance(value, tuple) else value]
    line = line_of_error("run", trace, "--machine", machine, "--policy", policy, *words)
    with pytest.raises(winnow.Error) as caught:
        winnow.run(trace, machine, policy, **options)
    assert str(caught.value) == line


def test_one_machine_at_a_time():
    """The second run is refused while the first is on its way, which needs the GIL to be free; then it is let in."""
    trace = winnow.synthetic(layers=4, heads=8, kv_heads=8, head_dim=64, tokens=256)
    done = []

    def until_let_in():  # either of the two may be first
        while not done:
            try:
                done.append(winnow.run(trace, "spatten", "dense"))
            except winnow.Error as error:
                assert "another run is on its way" in str(error)

    thread = threading.Thread(target=until_let_in)
    thread.start()
    refused = 0
    while thread.is_alive():
        try:
            winnow.run("synthetic:layers=1,heads=1,head_dim=32,tokens=8", "tiny", "dense", engine="golden")
        except winnow.Error as error:
            assert "another run is on its way" in str(error)
            refused += 1
    thread.join()
    assert refused > 0 and done[0].summary.cycles.value > 0
    again = winnow.run(trace, "spatten", "dense")
    assert again.result_json == done[0].result_json
