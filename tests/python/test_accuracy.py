"""Accuracy in the loop, on tiny random models: limits, statistics, cache, the command line. Replay: test_capture.py."""

import json
import math
import sys

import numpy as np
import pandas
import pytest
import winnow
from conftest import ROOT
from conftest import winnow as command
from winnow.accuracy import decoder, encoder, evaluate
from winnow.accuracy.statistics import paired_change, rank_correlation, ranks
from winnow.accuracy.texts import open_text, windows
from winnow_traces.gguf_file import GgufFile
from winnow_traces.llama import LlamaModel
from winnow_traces.tokenizer import tokenizer_of

sys.path.append(str(ROOT / "traces/tests"))
from tiny_models import write_bert, write_llama

TEXT = ROOT / "traces/samples/jargon-chapter1.txt"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(path of a GGUF file, its model, encode)."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    write_llama(path, TEXT.read_text(encoding="utf-8")[:20_000], layers=4, width=64, heads=6, kv_heads=3, head_dim=16)
    file = GgufFile(path)
    return path, LlamaModel(file), tokenizer_of(file).encode


def cut(tiny, length, count):
    return windows(open_text(TEXT), tiny[2], length, count, 1)


@pytest.mark.parametrize("whole", [False, True], ids=["decode", "whole"])
def test_more_bits_are_nearer_to_float(whole, tiny, compared):
    """A random model feels every bit: what 12 bits change is small, and less than a third of what 5 bits change."""
    _, model, _ = tiny
    ids = cut(tiny, 60, 4)
    dense = [decoder.run_dense(model, row, 48) for row in ids]
    apart = []
    for bits in (12, 5):
        policy = winnow.Policy("dense", k_scale="channel", v_scale="token", k_digits=[bits], v_bits=bits)
        points = decoder.run_policies(model, [(row, d[0], policy) for row, d in zip(ids, dense)], 48, whole=whole)
        apart.append(np.mean([np.abs(np.asarray(p.nll) - nll).mean() for p, (_, nll, _) in zip(points, dense)]))
        for point, (_, nll, _) in zip(points, dense):
            scales = 2 * 4 * 3 * sum(range(49, 60))
            assert point.kv_bytes == bits / 8 * point.dense_elements + scales
            compared(len(nll))
    assert apart[0] < 0.1 and 3 * apart[0] < apart[1], apart


def test_jobs_do_not_disturb_each_other(tiny, compared):
    """Windows and policies together give what each alone gives."""
    _, model, _ = tiny
    ids = cut(tiny, 45, 3)
    jobs = [(row, decoder.run_dense(model, row, 36)[0], winnow.Policy(p)) for row in ids for p in ("spatten", "select")]
    together = decoder.run_policies(model, jobs, 36)
    for job, point in zip(jobs, together):
        alone = decoder.run_policies(model, [job], 36)[0]
        # Exactly so where products of a batch do not depend on its size, which padding makes them on most machines. A
        # last bit of float moves the integers of a random model.
        assert abs(point.survivors - alone.survivors) < 0.02 * alone.survivors
        assert np.abs(np.asarray(point.nll) - alone.nll).mean() < 0.02
        compared(len(point.nll))


def test_likelihoods_are_those_of_a_plain_forward(tiny, compared):
    _, model, _ = tiny
    ids = cut(tiny, 30, 1)[0]
    _, nll, top = decoder.run_dense(model, ids, 20)
    state = decoder.DecoderState(model.shape, 29)
    logits = model.logits(model.forward(state, ids[:-1])).astype(np.float64)
    for i, position in enumerate(range(20, 29)):
        row = logits[position]
        expected = math.log(np.exp(row - row.max()).sum()) + row.max() - row[ids[position + 1]]
        assert abs(nll[i] - expected) < 1e-4
        assert top[i] == (row.argmax() == ids[position + 1])
        compared(1)


def test_paired_change():
    rng = np.random.default_rng(2)
    dense = rng.uniform(1, 5, (40, 8))
    mine = dense + 0.01 + 0.02 * rng.standard_normal((40, 1))
    change = paired_change(mine, dense)
    assert change.per_cent == pytest.approx(100 * (math.exp((mine - dense).mean()) - 1))
    spread = (mine - dense).mean(axis=1).std(ddof=1) / math.sqrt(40)
    assert change.standard_error == pytest.approx(100 * spread * math.exp((mine - dense).mean()))
    # The interval is about 1.96 errors on each side, and what all windows share (how hard they are) is not in it.
    assert change.low == pytest.approx(change.per_cent - 1.96 * change.standard_error, abs=0.15)
    assert change.high == pytest.approx(change.per_cent + 1.96 * change.standard_error, abs=0.15)
    assert paired_change(dense, dense) == type(change)(0, 0, 0, 0)


def test_ranks():
    assert ranks([10, 30, 20, 20]).tolist() == [0, 3, 1.5, 1.5]
    assert rank_correlation([1, 2, 3, 4], [10, 20, 40, 80]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)


def test_windows(tmp_path, tiny):
    path = tmp_path / "t.txt"
    path.write_text("a b c d e f g h i j k l m n o p\f" + "q r s t u v w x y z\n", encoding="utf-8")

    def encode(text):
        return [ord(c) for c in text if c.isalpha()]

    few, many = (windows(open_text(path), encode, 4, count, 7) for count in (2, 6))
    assert many[:2].tolist() == few.tolist() and many.shape == (6, 4)
    assert sorted(map(tuple, many.tolist())) == sorted(
        tuple(map(ord, four)) for four in ("abcd", "efgh", "ijkl", "mnop", "qrst", "uvwx")
    )
    with pytest.raises(winnow.Error, match=r"6 windows of 4 tokens \(its longest document has 16\): 7 are asked for"):
        windows(open_text(path), encode, 4, 7, 7)


def run_tiny(tiny, tmp_path, **options):
    options = {"windows_count": 4, "prompt": 32, "steps": 8, "cache": tmp_path / "cache", "threads": 2} | options
    return evaluate(str(tiny[0]), ["dense", "select v_bits=6"], str(TEXT), **options)


def test_the_cache_gives_the_same_and_computes_nothing(tiny, tmp_path, compared):
    first = run_tiny(tiny, tmp_path)
    assert (first.computed, first.found) == (8, 0) and first.tokens_a_minute > 0
    again = run_tiny(tiny, tmp_path)
    assert (again.computed, again.found, again.tokens_a_minute) == (0, 8, None)
    pandas.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    pandas.testing.assert_frame_equal(first.windows, again.windows, check_exact=True)
    # More windows: those that are there are not computed again. Another policy, mode or length is another point.
    assert run_tiny(tiny, tmp_path, windows_count=6).computed == 4
    assert run_tiny(tiny, tmp_path, mode="whole").computed == 8
    assert run_tiny(tiny, tmp_path, steps=9).computed == 8
    victim = next((tmp_path / "cache").rglob("*.json"))
    victim.write_text("{")
    mended = run_tiny(tiny, tmp_path, windows_count=6)
    assert mended.computed + mended.found == 12
    compared(first.table.size + first.windows.size)


def test_nothing_depends_on_the_cache(tiny, tmp_path):
    kept, fresh = run_tiny(tiny, tmp_path), run_tiny(tiny, tmp_path, cache=None)
    pandas.testing.assert_frame_equal(kept.table, fresh.table, check_exact=True)


def test_the_command_line(tiny, tmp_path, compared):
    words = ["accuracy", tiny[0], "--policy", "dense", "--policy", "select v_bits=6", "--text", TEXT]
    words += ["--windows", 4, "--prompt", 32, "--steps", 8, "--threads", 2]
    code, out, error = command(*words, "-o", "acc", cwd=tmp_path)
    assert code == 0, error
    report = run_tiny(tiny, tmp_path)
    written = json.loads((tmp_path / "acc/accuracy.json").read_text())
    assert written["perplexity of dense float"] == report.facts["perplexity of dense float"]
    assert written["policies"] == report.table.to_dict("records")
    csv = pandas.read_csv(tmp_path / "acc/windows.csv")
    pandas.testing.assert_frame_equal(csv, report.windows)
    for row in report.table.itertuples():
        assert f"{row.change_per_cent:+.2f} % ± {row.standard_error:.2f}" in out
    compared(report.table.size + csv.size)
    assert "8 windows computed" in out
    code, out, _ = command(*words, cwd=tmp_path)
    assert code == 0 and "0 windows computed; 8 found in the cache" in out
    code, _, error = command(*words, "-o", "acc", cwd=tmp_path)
    assert code == 2 and "accuracy.json: exists: --force replaces it" in error


@pytest.mark.parametrize(
    "words, line",
    [
        (["nonesuch", "--policy", "dense", "--text", TEXT], "model nonesuch: no such model: must be one of"),
        (["TINY", "--policy", "dens", "--text", TEXT], "--policy: 'dens': no such policy"),
        (["TINY", "--policy", "select v_bits", "--text", TEXT], "'v_bits': must have the form key=value"),
        (["TINY", "--policy", "select v_bits=60", "--text", TEXT], "--set: v_bits: '60': must be an integer 2..12"),
        (["TINY", "--policy", "dense", "--text", "no.txt"], "--text: no.txt: No such file or directory"),
        (["TINY", "--policy", "dense", "--text", TEXT, "--prompt", "32", "--windows", "9999"], "9999 are asked for"),
        (
            ["TINY", "--policy", "dense", "--text", TEXT, "--prompt", "300"],
            "364 tokens are asked for, the model takes at most 256",
        ),
        (["TINY", "--policy", "dense", "--text", TEXT, "--mode", "all"], "--mode: 'all': must be one of decode, whole"),
        (["TINY", "--policy", "dense", "--text", TEXT, "--steps", "0"], "--steps: 0: must be at least 1"),
        (["TINY", "--text", TEXT], "the following arguments are required: --policy"),
        (["TINY", "--policy", "dense", "--text", TEXT, "--frob"], "unrecognized arguments: --frob"),
    ],
)
def test_bad_input_is_one_line(words, line, tiny, tmp_path):
    code, out, error = command("accuracy", *(tiny[0] if w == "TINY" else w for w in words), cwd=tmp_path)
    assert code == 2 and out == ""
    assert error.startswith("winnow: ") and error.count("\n") == 1 and line in error, error


def test_an_encoder(tmp_path, compared):
    from winnow_traces.bert import BertModel, BertTokenizer

    write_bert(tmp_path / "bert", TEXT.read_text(encoding="utf-8")[:20_000], layers=6)
    model, tokenizer = BertModel(tmp_path / "bert"), BertTokenizer(tmp_path / "bert")
    text = open_text(TEXT)
    ids = windows(text, tokenizer.encode, 40, 6, 1)
    dense = [encoder.run_dense(model, row) for row in ids]
    near = [encoder.run_policy(model, row, d, winnow.Policy("dense")) for row, d in zip(ids, dense)]
    far = [encoder.run_policy(model, row, d, winnow.Policy("spatten")) for row, d in zip(ids, dense)]
    figures = [encoder.agreement([p.embedding for p in points], [d[3] for d in dense]) for points in (near, far)]
    assert figures[0]["cosine_min"] > 0.999 > figures[1]["cosine_min"]
    assert figures[0]["same_nearest"] == 1
    for point in near:
        assert point.kv_bytes == 1.5 * point.dense_elements and point.survivors == point.keys == point.tokens
    for point in far:
        assert point.keys < point.tokens
    compared(2 * len(ids) * len(near[0].embedding))
