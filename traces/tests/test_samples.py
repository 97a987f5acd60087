"""The shipped samples hold together: metadata, shapes, text, and an attention that is a real model's."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from winnow_traces.trace_file import read_trace

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
EXPECTED = {  # layers, heads, KV heads, D, tokens, prompt, causal
    "smollm2-160": (30, 9, 3, 64, 160, 128, True),
    "minilm-128": (6, 12, 12, 32, 128, 128, False),
}


def probabilities(trace, layer):
    """float64 [heads, queries, keys]."""
    q, k = trace.q[layer].astype(np.float64), trace.k[layer].astype(np.float64)
    k = np.repeat(k, q.shape[0] // k.shape[0], axis=0)
    scores = q @ k.transpose(0, 2, 1) * trace.attention_scale
    if trace.causal:
        scores[:, np.triu_indices(q.shape[1], 1)[0], np.triu_indices(q.shape[1], 1)[1]] = -np.inf
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("name", EXPECTED)
def test_metadata_and_shapes(name, compared):
    trace, metadata = read_trace(SAMPLES / f"{name}.safetensors")
    layers, heads, kv_heads, size, tokens, prompt, causal = EXPECTED[name]
    assert len(trace.q) == len(trace.k) == len(trace.v) == layers
    for q, k, v in zip(trace.q, trace.k, trace.v):
        assert q.shape == (heads, tokens, size) and k.shape == v.shape == (kv_heads, tokens, size)
        assert q.dtype == k.dtype == v.dtype == np.float16
        assert all(np.isfinite(part).all() for part in (q, k, v))
    assert trace.token_ids.shape == (tokens,) and trace.token_ids.dtype == np.int32
    assert (trace.prompt, trace.causal) == (prompt, causal)
    assert trace.attention_scale == pytest.approx(size**-0.5, rel=1e-15)
    assert {key: metadata[key] for key in ("layers", "heads", "kv_heads", "head_dim", "tokens", "prompt")} == {
        "layers": str(layers),
        "heads": str(heads),
        "kv_heads": str(kv_heads),
        "head_dim": str(size),
        "tokens": str(tokens),
        "prompt": str(prompt),
    }
    assert metadata["licence"] == "model: Apache-2.0; text: public domain"
    assert metadata["source"].startswith("Jargon File 4.4.7")
    assert len(json.loads(metadata["tokens_text"])) == tokens
    compared("stored values", sum(part.size for parts in (trace.q, trace.k, trace.v) for part in parts))


@pytest.mark.parametrize("name", EXPECTED)
def test_text_is_the_one_beside_it(name, text_file, compared):
    _, metadata = read_trace(SAMPLES / f"{name}.safetensors")
    assert metadata["text_sha256"] == hashlib.sha256(text_file.read_bytes()).hexdigest()
    text, strings = text_file.read_text(encoding="utf-8"), json.loads(metadata["tokens_text"])
    if name.startswith("minilm"):  # word pieces, lower case
        assert (strings[0], strings[-1]) == ("[CLS]", "[SEP]")
        joined = "".join(piece.removeprefix("##") for piece in strings[1:-1])
        text = "".join(text.lower().split())
    else:
        joined = "".join(strings)
    assert len(joined) > 400 and text.startswith(joined)
    compared("characters", len(joined))


@pytest.mark.parametrize("name", EXPECTED)
def test_attention_is_a_distribution_that_looks_somewhere(name, compared):
    trace, _ = read_trace(SAMPLES / f"{name}.safetensors")
    count, first, largest = 0, [], []
    for layer in range(len(trace.q)):
        p = probabilities(trace, layer)
        assert np.isfinite(p).all() and p.min() >= 0
        np.testing.assert_allclose(p.sum(axis=-1), 1.0, atol=1e-12)
        count += p.size
        first.append(p[:, 1:, 0].mean())
        largest.append(p[:, -32:].max(axis=-1).mean())
    # Uniform attention would give 1/32 or less in both; real decoders hold a third on their first token.
    assert np.mean(largest) > 0.15
    if trace.causal:
        assert 0.2 < np.mean(first) < 0.6
    print(
        f"\n  {name}: first token {np.mean(first):.3f} of all probability, mean largest {np.mean(largest):.3f}", end=""
    )
    compared("probabilities", count)


def test_sizes_and_hashes(compared):
    listed = dict(
        reversed(line.split())
        for line in (SAMPLES / "README.md").read_text().splitlines()
        if re.fullmatch(r"    [0-9a-f]{64}  \S+", line)
    )
    files = [path for path in SAMPLES.iterdir() if path.name != "README.md"]
    assert {path.name for path in files} == set(listed)
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[path.name], path.name
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    compared("files", len(files))
