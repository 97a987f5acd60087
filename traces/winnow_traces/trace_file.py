"""The trace file (../FORMAT.md): writer and reader.

The writer is our own because the safetensors package keeps metadata in a hash map, so that two runs give different
bytes, and because writing tensor by tensor needs no second copy of the trace. The reader is the package's.
"""

import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from winnow_traces.errors import CaptureError

FORMAT = "winnow-trace-1"
HEADER_ALIGNMENT = 64  # the data section starts at a multiple of this
DTYPES = {"float16": (np.dtype("<f2"), "F16"), "float32": (np.dtype("<f4"), "F32")}


@dataclass
class Trace:
    """One captured run. q: [heads, tokens, D], k and v: [KV heads, tokens, D], one array a layer, after position
    encoding and not yet multiplied with attention_scale; token_ids int32 [tokens]."""

    q: list
    k: list
    v: list
    token_ids: np.ndarray
    attention_scale: float
    causal: bool
    prompt: int
    info: dict = field(default_factory=dict)  # further metadata, strings

    def metadata(self):
        heads, tokens, head_dim = self.q[0].shape
        facts = {
            "format": FORMAT,
            "layers": str(len(self.q)),
            "heads": str(heads),
            "kv_heads": str(self.k[0].shape[0]),
            "head_dim": str(head_dim),
            "tokens": str(tokens),
            "prompt": str(self.prompt),
            "attention_scale": repr(float(self.attention_scale)),
            "causal": "true" if self.causal else "false",
        }
        return facts | self.info


def _stored(name, values, dtype):
    """The tensor in the file's type; float16 must be able to hold it."""
    with np.errstate(over="ignore"):
        out = np.ascontiguousarray(values, dtype=dtype)
    if not np.isfinite(out).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0])
        value = float(np.asarray(values)[place])
        hint = "; use --dtype float32" if np.isfinite(value) else ""
        raise CaptureError(f"tensor {name}{list(place)}: {value:g} is not a finite {dtype.name}{hint}")
    return out


def _check_shapes(trace):
    """What the format asks of shapes; a model may not fit it."""
    heads, tokens, head_dim = trace.q[0].shape
    kv_heads = trace.k[0].shape[0]
    if head_dim % 8:
        raise CaptureError(f"head dimension {head_dim} does not fit the trace format: must be a multiple of 8")
    if heads % kv_heads:
        raise CaptureError(f"{heads} heads over {kv_heads} KV heads do not fit the trace format: must be a multiple")
    for layer, (q, k, v) in enumerate(zip(trace.q, trace.k, trace.v)):
        expected = ((heads, tokens, head_dim), (kv_heads, tokens, head_dim), (kv_heads, tokens, head_dim))
        for name, values, shape in zip("qkv", (q, k, v), expected):
            if values.shape != shape:
                raise CaptureError(f"layers.{layer}.{name} has shape {list(values.shape)}, must be {list(shape)}")


def check_output(path, force):
    """Refuses an output that exists or cannot be written, before any work is done."""
    path = Path(path)
    if path.is_dir():
        raise CaptureError(f"{path}: is a folder; -o names the trace file")
    if path.exists() and not force:
        raise CaptureError(f"{path}: exists; --force replaces it")
    parent = path.parent
    if not parent.is_dir():
        raise CaptureError(f"{path}: folder {parent} does not exist")
    if not os.access(parent, os.W_OK):
        raise CaptureError(f"{path}: folder {parent} is not writable")


def write_trace(path, trace, dtype="float16"):
    """Writes the file whole or not at all: under a temporary name beside it, then renamed."""
    path = Path(path)
    _check_shapes(trace)
    numpy_dtype, code = DTYPES[dtype]
    tensors = [("token_ids", np.asarray(trace.token_ids), np.dtype("<i4"), "I32")]
    for layer, parts in enumerate(zip(trace.q, trace.k, trace.v)):
        for name, values in zip("qkv", parts):
            tensors.append((f"layers.{layer}.{name}", values, numpy_dtype, code))
    header = {"__metadata__": trace.metadata()}
    offset = 0
    for name, values, element, type_code in tensors:
        size = values.size * element.itemsize
        header[name] = {"dtype": type_code, "shape": list(values.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-(len(text) + 8) % HEADER_ALIGNMENT)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with open(partial, "wb") as file:
            file.write(struct.pack("<Q", len(text)))
            file.write(text)
            for name, values, element, _ in tensors:
                file.write(_stored(name, values, element).data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def read_trace(path):
    """Reads a trace whole; for reports and tests. Returns (Trace, metadata)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CaptureError(f"{path}: metadata format is {metadata.get('format')!r}, must be {FORMAT!r}")
            layers = range(int(metadata["layers"]))
            parts = {name: [file.get_tensor(f"layers.{layer}.{name}") for layer in layers] for name in "qkv"}
            token_ids = file.get_tensor("token_ids")
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CaptureError(f"{path}: not a trace: {error}") from error
    trace = Trace(
        **parts,
        token_ids=token_ids,
        attention_scale=float(metadata["attention_scale"]),
        causal=metadata["causal"] == "true",
        prompt=int(metadata["prompt"]),
    )
    trace.info = {key: value for key, value in metadata.items() if key not in trace.metadata()}
    return trace, metadata
