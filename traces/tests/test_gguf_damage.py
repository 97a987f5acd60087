"""Damaged GGUF files: each loads and is captured, or is refused with one line of ours; none raises anything else."""

import re
import struct
import warnings

import gguf
import numpy as np
import pytest
from tiny_models import write_llama
from winnow_traces.capture import capture
from winnow_traces.cli import main
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_file import GgufFile
from winnow_traces.source import Request
from winnow_traces.sources import open_source

# What only a library would say.
FOREIGN = re.compile(
    r"numpy|ndarray|buffer|reshape|out of bounds|invalid literal|Traceback|WINNOW_TRACEBACK|dtype|memmap"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(bytes of a good file, where its tensors begin)."""
    from conftest import TRACES

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    text = (TRACES / "samples" / "jargon-chapter1.txt").read_text(encoding="utf-8")
    write_llama(path, text, layers=1, width=32, hidden=32, heads=2, kv_heads=1, head_dim=8)
    return path.read_bytes(), gguf.GGUFReader(path).data_offset


def outcome(path, data, text_file):
    """None if the file was captured, else the line that refuses it."""
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a warning would be a second line
            capture(open_source(gguf=path), Request(text=text_file, prompt=5, generate=1))
    except CaptureError as error:
        line = " ".join(str(error).split())
        assert not FOREIGN.search(line), line
        return line
    return None


def test_cut_anywhere(whole, tmp_path, text_file, compared):
    data, begin = whole
    lengths = {*range(64), *range(64, begin, 131), *range(begin - 40, begin + 40), *range(begin, len(data), 1997)}
    for length in sorted(lengths):
        line = outcome(tmp_path / "cut.gguf", data[:length], text_file)
        assert line and line.startswith(f"{tmp_path / 'cut.gguf'}: not a readable GGUF file: "), (length, line)
    assert outcome(tmp_path / "cut.gguf", data, text_file) is None
    compared("lengths", len(lengths))


def test_bits_flipped(whole, tmp_path, text_file, compared):
    """Mostly in the header, and there mostly outside the vocabulary, where the structure is."""
    data, begin = whole
    random, refused = np.random.default_rng(5), 0
    vocabulary = data.index(b"tokenizer.ggml.")
    ends = data.index(b"token_embd.weight") - 8
    times = 800
    for _ in range(times):
        bad = bytearray(data)
        for _ in range(random.integers(1, 4)):
            region = random.choice(["keys", "tensors", "vocabulary", "weights"], p=[0.4, 0.35, 0.15, 0.1])
            low, high = {
                "keys": (0, vocabulary),
                "tensors": (ends, begin),
                "vocabulary": (vocabulary, ends),
                "weights": (begin, len(data)),
            }[region]
            bad[random.integers(low, high)] ^= 1 << random.integers(8)
        refused += outcome(tmp_path / "bad.gguf", bytes(bad), text_file) is not None
    assert times // 10 < refused < times
    compared("damaged files", times)


def patched(data, old, new):
    assert data.count(old) == 1 and len(old) == len(new)
    return data.replace(old, new)


def entry(name, *shape):
    """A tensor's entry up to its type."""
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)


def test_each_kind_is_named(whole, tmp_path, text_file, compared):
    data, begin = whole
    norm = entry(b"output_norm.weight", 32)
    key = struct.pack("<Q", 17) + b"llama.block_count" + struct.pack("<I", gguf.GGUFValueType.UINT32)
    cases = [
        (b"", "0 bytes: must hold at least a header"),
        (b"GGU", "byte 0: begins with b'GGU': must begin with b'GGUF'"),
        (b"GGML" + data[4:], "byte 0: begins with b'GGML': must begin with b'GGUF'"),
        (data[:4] + struct.pack("<I", 99) + data[8:], "version: 99: must be one of 2, 3"),
        (data[:8], "number of tensors at byte 8: 8 bytes, 0 are left: the file is cut short or damaged"),
        (data[:16] + struct.pack("<Q", 1 << 60) + data[24:], "the file is cut short or damaged|is no type|UTF-8"),
        (data[: begin - 8], "the file is cut short or damaged"),
        (data[:-1], "must lie inside the file's"),
        (patched(data, norm + struct.pack("<I", 0), norm + struct.pack("<I", 99)), "type 99: is no quantization that"),
        (patched(data, norm, entry(b"output_norm.weight", 1 << 40)), "must lie inside the file's"),
        (patched(data, norm, entry(b"output_norm.weight", 0)), r"shape \[0\]: must be positive"),
        (
            patched(data, norm + struct.pack("<I", 0), norm + struct.pack("<I", 24)),
            "is of type I8, which cannot be expanded",
        ),
        (patched(data, b"output_norm", b"output_nor\xff"), "0xff: must be UTF-8"),
        (patched(data, key, key[:-4] + struct.pack("<I", 77)), "type of key 'llama.block_count': 77: is no type"),
        (
            patched(data, key + struct.pack("<I", 1), key[:-4] + struct.pack("<If", gguf.GGUFValueType.FLOAT32, 0.5)),
            "key llama.block_count: 0.5: must be a whole number >= 1",
        ),
        (patched(data, key + struct.pack("<I", 1), key + struct.pack("<I", 0)), "must be a whole number >= 1"),
        (patched(data, b"llama.block_count", b"llama.block_coun_"), "key llama.block_count is missing"),
    ]
    for bad, words in cases:
        line = outcome(tmp_path / "bad.gguf", bad, text_file)
        assert line and re.search(words, line), (words, line)
        assert line.startswith(f"{tmp_path / 'bad.gguf'}: ")
    compared("messages", len(cases))


def test_arrays_longer_than_the_file_end_at_once(tmp_path, compared):
    """2^60 elements, of scalars, of strings, of arrays: refused before anything is read."""
    kinds = (gguf.GGUFValueType.INT8, gguf.GGUFValueType.STRING, gguf.GGUFValueType.ARRAY)
    for kind in kinds:
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k"
        path = tmp_path / "long.gguf"
        path.write_bytes(head + struct.pack("<IIQ", gguf.GGUFValueType.ARRAY, kind, 1 << 60) + bytes(64))
        with pytest.raises(CaptureError, match="cut short or damaged"):
            GgufFile(path)
    compared("files", len(kinds))


def test_command_line_ends_with_one_line(whole, tmp_path, text_file, compared, capfd):
    data, begin = whole
    path = tmp_path / "cut.gguf"
    for length in (0, 3, 30, begin // 2, begin + 100, len(data) - 1):
        path.write_bytes(data[:length])
        arguments = ["--gguf", str(path), "--text", str(text_file), "--prompt", "5", "-o", str(tmp_path / "t")]
        assert main(["capture", *arguments]) == 2
        said, error = capfd.readouterr()
        assert said == "" and re.fullmatch(r"error: [^\n]+cut\.gguf: not a readable GGUF file: [^\n]+\n", error), error
        assert not FOREIGN.search(error)
    compared("messages", 6)
