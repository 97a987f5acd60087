"""Writes safetensors files: traces, and bases of keys."""

import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from winnow_traces.errors import CaptureError


@dataclass
class Stored:
    """A tensor to be written: `made()` is the array, of `nbytes` bytes."""

    name: str
    dtype: str
    shape: tuple
    nbytes: int
    made: Callable


def write_tensors(path, metadata, tensors, alignment):
    """A safetensors file of Stored tensors in their order, its data from a multiple of `alignment` on. Written whole or
    not at all; the same input gives the same bytes, where the safetensors package would order metadata by chance."""
    path, offset = Path(path), 0
    header = {"__metadata__": metadata}
    for one in tensors:
        end = offset + one.nbytes
        header[one.name] = {"dtype": one.dtype, "shape": list(one.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-(len(text) + 8) % alignment)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with open(partial, "wb") as file:
            file.write(struct.pack("<Q", len(text)))
            file.write(text)
            for one in tensors:
                file.write(one.made().data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
