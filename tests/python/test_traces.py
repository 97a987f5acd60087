"""Traces: metadata and views of their values, held against the file's own bytes."""

import gc

import numpy as np
import pytest
import winnow
from conftest import DECODER, ENCODER, ROOT, line_of_error
from winnow_traces.trace_file import Trace as Written
from winnow_traces.trace_file import read_trace, write_trace


@pytest.mark.parametrize("path", [DECODER, ENCODER])
def test_values_are_the_file_s(path, compared):
    expected, metadata = read_trace(path)
    trace = winnow.Trace.open(str(path))
    assert trace.metadata == metadata
    shape = [trace.layers, trace.heads, trace.kv_heads, trace.head_dim, trace.tokens, trace.prompt]
    assert shape == [int(metadata[key]) for key in ("layers", "heads", "kv_heads", "head_dim", "tokens", "prompt")]
    assert np.array_equal(trace.token_ids, expected.token_ids)
    for layer in range(trace.layers):
        for mine, its in zip((trace.q, trace.k, trace.v), (expected.q, expected.k, expected.v)):
            values = mine(layer)
            assert values.dtype == its[layer].dtype and np.array_equal(values, its[layer])
            compared(values.size)


def test_views_copy_nothing_and_keep_the_file():
    trace = winnow.Trace.open(str(DECODER))
    first, again = trace.k(3), trace.k(3)
    assert np.shares_memory(first, again) and not first.flags.writeable and not first.flags.owndata
    total = float(first.astype(np.float64).sum())
    ids = trace.token_ids
    del trace
    gc.collect()
    assert float(first.astype(np.float64).sum()) == total and len(ids) == 160


def test_bfloat16_comes_as_float32(tmp_path, compared):
    rng = np.random.default_rng(3)
    parts = [[rng.standard_normal((2, 9, 8)).astype(np.float32)] for _ in range(3)]
    path = tmp_path / "t.safetensors"
    info = {"model": "m", "licence": "l", "source": "s", "tool": "t"}
    write_trace(path, Written(*parts, np.arange(9, dtype=np.int32), 0.5, True, 6, info), "bfloat16")
    expected, _ = read_trace(path)
    values = winnow.Trace.open(str(path)).q(0)
    assert values.dtype == np.float32 and np.array_equal(values, expected.q[0])
    compared(values.size)


def test_synthetic():
    trace = winnow.synthetic(layers=2, heads=4, kv_heads=2, head_dim=32, tokens=20, prompt=16, causal=True, seed=5)
    same = winnow.Trace.open("synthetic:layers=2,heads=4,kv_heads=2,head_dim=32,tokens=20,prompt=16,causal=1,seed=5")
    assert trace.sha256() == same.sha256()
    assert (trace.q(1).shape, trace.k(1).shape, trace.causal) == ((4, 20, 32), (2, 20, 32), True)


@pytest.mark.parametrize("name", ["no/such.safetensors", "synthetic:layer=2", str(ROOT / "README.md")])
def test_errors_have_the_command_line_s_words(name):
    line = line_of_error("run", name)
    with pytest.raises(winnow.Error) as caught:
        winnow.Trace.open(name)
    assert str(caught.value) == line


def test_a_layer_that_is_not_there():
    with pytest.raises(winnow.Error, match=r"layer: 6: must be 0..5"):
        winnow.Trace.open(str(ENCODER)).q(6)
