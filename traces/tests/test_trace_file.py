"""The trace writer: what it writes is what the safetensors package reads; it writes whole files or none."""

import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open
from winnow_traces.bfloat16 import narrowed, widened
from winnow_traces.errors import CaptureError
from winnow_traces.trace_file import Trace, check_output, read_trace, write_trace


def small_trace(head_dim=16, heads=4, kv_heads=2, tokens=10):
    random = np.random.default_rng(1)

    def part(count):
        return [random.normal(size=(count, tokens, head_dim)).astype(np.float32) for _ in range(3)]

    return Trace(
        part(heads),
        part(kv_heads),
        part(kv_heads),
        np.arange(tokens, dtype=np.int32),
        0.25,
        True,
        7,
        {"model": "m\u00fcsli", "licence": "none", "source": "test", "tool": "test"},
    )


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_read_back_by_the_safetensors_package(dtype, tmp_path, compared):
    trace, path = small_trace(), tmp_path / "t.safetensors"
    write_trace(path, trace, dtype)
    count = 0
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == {"token_ids"} | {f"layers.{layer}.{part}" for layer in range(3) for part in "qkv"}
        assert file.metadata() == trace.metadata()
        for part in "qkv":
            for layer, values in enumerate(getattr(trace, part)):
                stored = file.get_tensor(f"layers.{layer}.{part}")
                assert stored.dtype == dtype and np.array_equal(stored, values.astype(dtype))
                count += stored.size
        assert file.get_tensor("token_ids").tolist() == list(range(10))
    again, metadata = read_trace(path)
    assert metadata["model"] == "m\u00fcsli" and again.info == trace.info and again.metadata() == trace.metadata()
    compared("values", count)


def test_bfloat16_is_rounded_to_nearest_even(compared):
    """Every bfloat16 stays itself; halfway goes to the even neighbour, all else to the nearer one."""
    words = np.arange(1 << 16, dtype=np.uint32)
    values = widened(words)
    finite = np.isfinite(values)
    assert np.array_equal(narrowed(values)[~np.isnan(values)], words[~np.isnan(values)])
    assert np.isnan(widened(narrowed(values[np.isnan(values)]))).all()
    random = np.random.default_rng(2)
    low = words[finite & (words & 0x7FFF < 0x7F7F)]
    for rest in (1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, random.integers(1, 1 << 16, low.size)):
        up = (np.asarray(rest) > 0x8000) | ((np.asarray(rest) == 0x8000) & (low & 1 == 1))
        assert np.array_equal(narrowed(((low << 16) + rest).astype(np.uint32).view(np.float32)), low + up)
    compared("roundings", 6 * low.size)


def test_bfloat16_trace(tmp_path, compared):
    trace, path = small_trace(), tmp_path / "t.safetensors"
    write_trace(path, trace, "bfloat16")
    again, metadata = read_trace(path)
    assert metadata == trace.metadata() and again.token_ids.tolist() == list(range(10))
    with safe_open(path, framework="numpy") as file:
        assert file.get_slice("layers.0.q").get_dtype() == "BF16"
    count = 0
    for part in "qkv":
        for ours, theirs in zip(getattr(trace, part), getattr(again, part), strict=True):
            assert theirs.dtype == np.float32 and np.array_equal(theirs, widened(narrowed(ours)))
            assert np.abs(theirs - ours).max() <= np.abs(ours).max() / 256
            count += ours.size
    # The file is half of float32's, and writing its values again gives the same words.
    again.info = trace.info  # in the order that it was written in
    write_trace(tmp_path / "again", again, "bfloat16")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    compared("values", count)


def test_same_bytes_and_aligned_data(tmp_path, compared):
    write_trace(tmp_path / "a", small_trace())
    write_trace(tmp_path / "b", small_trace())
    data = (tmp_path / "a").read_bytes()
    assert data == (tmp_path / "b").read_bytes()
    assert (8 + int.from_bytes(data[:8], "little")) % 64 == 0
    compared("bytes", len(data))


@pytest.mark.parametrize(
    "value, dtype, words",
    [
        (70000.0, "float16", ("layers.1.k[1, 3, 5]", "70000 is not a finite float16", "--dtype float32")),
        (3.4e38, "bfloat16", ("layers.1.k[1, 3, 5]", "3.4e+38 is not a finite bfloat16", "--dtype float32")),
        (float("nan"), "bfloat16", ("layers.1.k[1, 3, 5]", "nan is not a finite bfloat16")),
        (float("nan"), "float32", ("layers.1.k[1, 3, 5]", "nan is not a finite float32")),
        (float("inf"), "float16", ("layers.1.k[1, 3, 5]", "inf is not a finite float16")),
    ],
)
def test_value_that_does_not_fit(value, dtype, words, tmp_path, compared):
    trace = small_trace()
    trace.k[1][1, 3, 5] = value
    with pytest.raises(CaptureError) as error:
        write_trace(tmp_path / "t", trace, dtype)
    assert all(word in str(error.value) for word in words)
    assert list(tmp_path.iterdir()) == []
    compared("messages", len(words))


def test_shapes_that_do_not_fit(tmp_path, compared):
    crooked = small_trace()
    crooked.v[2] = crooked.v[2][:, :-1]
    for trace, word in (
        (small_trace(head_dim=12), "multiple of 8"),
        (small_trace(heads=3), "must be a multiple"),
        (crooked, r"layers.2.v has shape \[2, 9, 16\], must be \[2, 10, 16\]"),
    ):
        with pytest.raises(CaptureError, match=word):
            write_trace(tmp_path / "t", trace)
    assert list(tmp_path.iterdir()) == []
    compared("messages", 3)


def test_full_disk_leaves_nothing(tmp_path, compared):
    """A file size limit stands for the full disk: writing fails midway with the same kind of error."""
    (tmp_path / "t").write_bytes(b"old")
    program = (
        "import resource, sys; from test_trace_file import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_trace(sys.argv[1], small_trace())\n"
        "except CaptureError as error: print(error); sys.exit(2)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "t")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == f"{tmp_path / 't'}: cannot be written: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["t"] and (tmp_path / "t").read_bytes() == b"old"
    compared("files left as they were", 1)


def test_outputs_that_are_refused(tmp_path, compared):
    (tmp_path / "there").write_bytes(b"")
    for path, word in (
        (tmp_path / "there", "exists; --force replaces it"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "t", "does not exist"),
    ):
        with pytest.raises(CaptureError, match=word):
            check_output(path, force=False)
    check_output(tmp_path / "there", force=True)
    compared("outputs", 4)


def test_what_is_no_trace(tmp_path, compared):
    from safetensors.numpy import save_file

    write_trace(tmp_path / "t", small_trace())
    whole = (tmp_path / "t").read_bytes()
    (tmp_path / "t").write_bytes(whole[:-1])
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "other")
    for path, word in (
        (tmp_path / "t", "not a trace"),
        (tmp_path / "other", "metadata format is None"),
        (tmp_path / "none", "not a trace"),
    ):
        with pytest.raises(CaptureError, match=word):
            read_trace(path)
    compared("files", 3)
