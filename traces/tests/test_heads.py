"""What a capture says of a decoder's heads, and how a trace file carries it."""

import numpy as np
import pytest
from winnow_traces.errors import CaptureError
from winnow_traces.heads import head_distances
from winnow_traces.trace_file import HEAD_TENSORS, Trace, read_trace, write_trace


def test_distances_by_hand(compared):
    """Three KV heads whose keys are equal, so that outputs are means of values: 1, 3 and 8, their mean 4. Distances 3,
    1 and 4, over the farthest 0.75, 0.25 and 1. What comes behind the prompt does not count."""
    q = np.zeros((6, 4, 8), np.float32)
    k, v = np.zeros((3, 4, 8), np.float32), np.zeros((3, 4, 8), np.float32)
    v[0, :2], v[1, :2], v[2, :2] = [[[0], [2]], [[3], [3]], [[6], [10]]]
    v[:, 2:] = 1000
    found = head_distances([q, q], [k, k], [v, 0 * v], 2, 0.25)
    np.testing.assert_allclose(found, [[0.75, 0.25, 1], [0, 0, 0]], rtol=1e-6)
    assert found.dtype == np.float32
    compared("distances", found.size)


def test_distances_follow_attention(compared):
    """A head that looks at one token has that token's value; of a group the mean counts."""
    q, k = np.zeros((2, 3, 8), np.float32), np.zeros((2, 3, 8), np.float32)
    v = np.arange(48, dtype=np.float32).reshape(2, 3, 8)
    q[:, 2, 0], k[0, 1, 0], k[1, 2, 0] = 1000, 1000, 1000
    # Outputs are v[0, 1] and v[1, 2]: equally far from their mean.
    np.testing.assert_allclose(head_distances([q], [k], [v], 3, 1.0), [[1, 1]])
    lone = head_distances([q], [k[:1]], [v[:1]], 3, 1.0)
    np.testing.assert_array_equal(lone, [[0]])
    compared("distances", 3)


def _trace(heads):
    rng = np.random.default_rng(3)
    rows = [rng.normal(size=(4, 5, 8)).astype(np.float32) for _ in range(2)]
    kv = [rng.normal(size=(2, 5, 8)).astype(np.float32) for _ in range(2)]
    return Trace(rows, kv, kv, np.arange(5, dtype=np.int32), 0.35, True, 3, {"model": "m"}, heads)


def test_a_file_carries_them(tmp_path, compared):
    rng = np.random.default_rng(4)
    heads = {
        "clusters": rng.integers(0, 9, (2, 2, 5)).astype(np.int32),
        "mask": rng.integers(0, 2, (2, 2, 2, 5)).astype(np.uint8),
        "head_weights": rng.random((2, 4, 5), np.float32),
        "head_distances": rng.random((2, 2), np.float32),
        "head_scores": rng.random((2, 2), np.float32),
    }
    assert set(heads) == set(HEAD_TENSORS)
    write_trace(tmp_path / "t", _trace(heads))
    back, _ = read_trace(tmp_path / "t")
    assert list(back.heads) == list(HEAD_TENSORS)
    for name, values in heads.items():
        np.testing.assert_array_equal(back.heads[name], values)
        assert back.heads[name].dtype == values.dtype
    # In any order given the file is the same; with none of them it is one without.
    write_trace(tmp_path / "u", _trace(dict(reversed(heads.items()))))
    assert (tmp_path / "t").read_bytes() == (tmp_path / "u").read_bytes()
    write_trace(tmp_path / "v", _trace({}))
    assert read_trace(tmp_path / "v")[0].heads == {}
    compared("entries", sum(values.size for values in heads.values()))


def test_an_unknown_tensor_is_refused(tmp_path, compared):
    with pytest.raises(CaptureError, match="head_score: no tensor of heads: known are head_scores, head_distances"):
        write_trace(tmp_path / "t", _trace({"head_score": np.zeros((2, 2), np.float32)}))
    assert not (tmp_path / "t").exists()
    compared("lines", 1)
