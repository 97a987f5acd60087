"""The basis in which queries are white and keys uncorrelated: its definition, its file, runs and traces with it."""

import json
import sys

import numpy as np
import pytest
import winnow
from conftest import ROOT
from conftest import winnow as command
from winnow import capture, golden
from winnow.accuracy.basis import for_golden, head_basis, measure
from winnow.accuracy.texts import open_text, windows
from winnow_traces.basis_file import Basis, read_basis, write_basis
from winnow_traces.capture import capture as make_trace
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_file import GgufFile
from winnow_traces.llama import LlamaModel
from winnow_traces.source import Request
from winnow_traces.sources import open_source
from winnow_traces.tokenizer import tokenizer_of
from winnow_traces.trace_file import read_trace, write_trace

sys.path.append(str(ROOT / "traces/tests"))
from tiny_models import write_llama

TEXT = ROOT / "traces/samples/jargon-chapter1.txt"
PROMPT, STEPS = 40, 8


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(path of a GGUF file, its Basis over 64 tokens, the Basis' file by the command line)."""
    folder = tmp_path_factory.mktemp("tiny")
    text = TEXT.read_text(encoding="utf-8")[:20_000]
    write_llama(folder / "tiny.gguf", text, layers=3, width=64, heads=6, kv_heads=3, head_dim=16)
    file = GgufFile(folder / "tiny.gguf")
    ids = windows(open_text(TEXT), tokenizer_of(file).encode, 64, 6, 3)
    path = folder / "basis.safetensors"
    words = ["--text", TEXT, "--tokens", 64, "--windows", 6, "--seed", 3, "-o", path]
    code, out, error = command("basis", folder / "tiny.gguf", *words)
    assert code == 0, error
    assert "6 windows of 64 tokens" in out and "seed 3" in out
    return folder / "tiny.gguf", measure(LlamaModel(file), ids), path


def test_queries_are_white_and_keys_uncorrelated(compared):
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((2, 12, 12))
    q = rng.standard_normal((4000, 12)) @ mix[0] + 0.5
    k = rng.standard_normal((3000, 12)) @ mix[1] + rng.standard_normal(12)
    transform, mean, largest = head_basis(q.T @ q / len(q), k)
    turned, coded = q @ np.linalg.inv(transform), (k - mean) @ transform.T
    square, covariance = turned.T @ turned / len(q), coded.T @ coded / len(k)
    np.testing.assert_allclose(square, np.eye(12), atol=1e-4)
    spread = np.diag(covariance)
    np.testing.assert_allclose(covariance, np.diag(spread), atol=1e-9 * spread[0])
    assert (np.diff(spread) <= 0).all(), "the strongest channel comes first"
    np.testing.assert_allclose(largest, np.abs(coded).max(axis=0))
    # A score is what it was but for the query's product with the mean.
    np.testing.assert_allclose(turned[:50] @ coded[:60].T, q[:50] @ (k[:60] - mean).T, atol=1e-9 * np.abs(q).max() ** 2)
    compared(3 * 144 + 3000)


def test_the_file(tiny, tmp_path, compared):
    _, basis, path = tiny
    read = read_basis(path)
    for mine, other in ((basis.transform, read.transform), (basis.mean, read.mean), (basis.range, read.range)):
        np.testing.assert_array_equal(mine, other)
        compared(mine.size)
    assert read.facts["tokens"] == "64" and read.facts["seed"] == "3" and len(read.facts["text_sha256"]) == 64
    write_basis(tmp_path / "again", read)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    (tmp_path / "broken").write_bytes(path.read_bytes()[:100])
    with pytest.raises(CaptureError, match="broken: not a basis"):
        read_basis(tmp_path / "broken")


@pytest.mark.parametrize("mode", ["decode", "whole"])
@pytest.mark.parametrize(
    "words", ["coded", "coded k_digits=3,3 basis_resident=true", "coded k_digits=2,2,2 select_keep=0.9,0.9"]
)
def test_a_replay_decides_what_the_run_decided(words, mode, tiny, tmp_path, compared):
    path, basis, _ = tiny
    made, sessions = [], []

    def attention(session, q, k, v, out):
        sessions[:] = session
        made.append(session[0].step_layer(q, k, v, out))

    request = Request(text=TEXT, prompt=PROMPT, generate=STEPS)
    inside = capture.under_policy(words, mode, attention=attention, basis=basis)
    trace = make_trace(open_source(gguf=path), request, inside)
    trace.key_basis = basis
    write_trace(tmp_path / "t.safetensors", trace)
    again, _ = read_trace(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(again.key_basis.transform, basis.transform)
    _, policy = winnow.accuracy.parse_policy(words)
    walk = golden.Walk(winnow.Trace.open(str(tmp_path / "t.safetensors")), policy, winnow.Machine("spatten").alignment)
    steps = [layer for layer in walk if layer.step > 0]
    assert len(steps) == len(made) == 3 * STEPS
    for mine, other in zip(made, steps):
        np.testing.assert_array_equal(mine.out, other.out)
        assert mine.accesses.useful == other.accesses.useful
        assert mine.accesses.basis_bytes == other.accesses.basis_bytes
        assert mine.accesses.basis_bytes == (0 if "resident" in words else 3 * (2 * 16 * 16 + 8 * 16))
        for row, also in zip(mine.rows, other.rows):
            np.testing.assert_array_equal(row.weights, also.weights)
            compared(row.weights.size)
        compared(mine.out.size)
    for layer in range(3):
        for kv in range(3):
            for mine, other in zip(sessions[0].codes(layer, kv), walk.codes(layer, kv)):
                np.testing.assert_array_equal(mine, other)
                compared(mine.size)


def test_accuracy_on_the_command_line(tiny, tmp_path, compared):
    path, _, basis = tiny
    words = ["accuracy", path, "--text", TEXT, "--windows", 3, "--prompt", 32, "--steps", 8, "--basis", basis]
    coded = "coded k_digits=4,8 v_bits=12 select_keep=1"
    code, out, error = command(
        *words, "--policy", "dense", "--policy", coded, "--policy", "coded", "-o", "a", cwd=tmp_path
    )
    assert code == 0, error
    facts = json.loads((tmp_path / "a/accuracy.json").read_text())
    dense, fine, default = facts["policies"]
    assert facts["basis"]["sha256"] == read_basis(basis).sha256 and facts["basis"]["text"] == str(TEXT)
    assert dense["basis_bytes_a_token"] == 0 and dense["below_fp32"] == dense["below_fp32_with_basis"]
    # 3 layers and 3 KV heads, 16 channels of two rows of 16 bytes and a word of 8.
    assert fine["basis_bytes_a_token"] == default["basis_bytes_a_token"] == 9 * 16 * (32 + 8)
    assert default["below_fp32"] > default["below_fp32_with_basis"] > 0
    # With 12 bits in a mean channel what is left are the tables' eight bits.
    assert abs(fine["change_per_cent"]) < 1
    compared(8)
    code, out, _ = command(*words, "--policy", "coded", cwd=tmp_path)
    assert code == 0 and "0 windows computed; 3 found in the cache" in out


def test_a_trace_on_the_command_line(tiny, tmp_path, compared):
    path, _, basis = tiny
    words = [
        "--gguf",
        path,
        "--text",
        TEXT,
        "--prompt",
        PROMPT,
        "--generate",
        STEPS,
        "--basis",
        basis,
        "-o",
        "t.safetensors",
    ]
    code, _, error = command("capture", *words, cwd=tmp_path)
    assert code == 0, error
    code, _, error = command("check", "t.safetensors", "--engines", "golden", "--policy", "coded", cwd=tmp_path)
    assert code in (0, 2), error
    code, _, error = command("run", "t.safetensors", "--policy", "coded", cwd=tmp_path)
    assert code == 2 and error == (
        "winnow: policy: key_basis: trace: no machine has keys in a basis of their own yet: golden alone serves it\n"
    )
    compared(3)


def edited(path, at, **changes):
    basis = read_basis(path)
    write_basis(at, Basis(basis.transform, basis.mean, basis.range, basis.facts | changes))
    return at


def test_bad_input_is_one_line(tiny, tmp_path, compared):
    path, basis, file = tiny
    accuracy = ["accuracy", path, "--text", TEXT, "--windows", 1, "--policy", "coded"]
    short = [*accuracy, "--prompt", 32, "--steps", 8]
    other = edited(file, tmp_path / "other", model_sha256="0" * 64)
    for words, line in (
        (short, "--policy: coded: key_basis: trace: needs a basis: --basis FILE"),
        ([*short, "--basis", tmp_path / "none"], "none: not a basis"),
        ([*short, "--basis", other], f"model_sha256: {'0' * 64}: must be"),
        ([*accuracy, "--prompt", 60, "--steps", 8, "--basis", file], "__metadata__.tokens: 64: must be at least 68"),
        (["basis", path, "--text", TEXT, "-o", file], "exists: --force replaces it"),
        (["basis", path, "--text", TEXT, "--tokens", 2, "-o", "b"], "--tokens: 2: must be at least 3"),
        (["basis", path, "--text", TEXT, "--tokens", 4, "--windows", 2, "-o", "b"], "twice as many keys as a head"),
        (
            ["capture", "--gguf", path, "--text", TEXT, "--prompt", 8, "--generate", 2, "--policy", "coded", "-o", "t"],
            "needs a basis",
        ),
        (["run", ROOT / "traces/samples/smollm2-160.safetensors", "--policy", "coded"], "the trace has no basis"),
    ):
        code, _, error = command(*words, cwd=tmp_path)
        assert code == 2 and error.startswith("winnow: ") and error.count("\n") == 1 and line in error, error
        compared(1)
    singular = Basis(np.zeros_like(basis.transform), basis.mean, basis.range)
    with pytest.raises(
        winnow.Error, match=r"session: key_basis: layer 0, KV head 0, transform: .* must have an inverse"
    ):
        ids = np.zeros((3, 4, 16), np.float32)
        golden.Session(
            winnow.Policy("coded"), [ids] * 3, [ids] * 3, [ids] * 3, 4, 0, 1.0, True, 4096, [], [], for_golden(singular)
        )
