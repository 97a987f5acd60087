"""The trace file (../FORMAT.md): writer and reader.

The writer is our own because the safetensors package keeps metadata in a hash map, so that two runs give different
bytes, and because writing tensor by tensor needs no second copy of the trace. The reader is the package's, which gives
bfloat16 as bytes.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from winnow_traces.basis_file import PARTS, Basis
from winnow_traces.bfloat16 import narrowed, widened
from winnow_traces.errors import CaptureError
from winnow_traces.tensor_file import Stored, write_tensors

FORMAT = "winnow-trace-1"
HEADER_ALIGNMENT = 64  # the data section starts at a multiple of this
# name: (type of the words in the file, the file's name for it, values to words, words to values)
DTYPES = {
    "float16": (np.dtype("<f2"), "F16", lambda values: np.ascontiguousarray(values, "<f2"), np.asarray),
    "bfloat16": (np.dtype("<u2"), "BF16", narrowed, widened),
    "float32": (np.dtype("<f4"), "F32", lambda values: np.ascontiguousarray(values, "<f4"), np.asarray),
}

# What a trace may say of its heads (../README.md): types, and in this order in the file.
HEAD_TENSORS = {
    "head_scores": ("<f4", "F32"),
    "head_distances": ("<f4", "F32"),
    "head_weights": ("<f4", "F32"),
    "mask": ("|u1", "U8"),
    "clusters": ("<i4", "I32"),
}


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
    heads: dict = field(
        default_factory=dict
    )  # {name of HEAD_TENSORS: array}, what is said of heads beside their values
    key_basis: Basis | None = None  # of every KV head's keys

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
    """The tensor in the file's type, which must be able to hold it."""
    _, _, to_words, to_values = DTYPES[dtype]
    with np.errstate(over="ignore"):
        words = to_words(values)
        finite = np.isfinite(to_values(words))
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        value = float(np.asarray(values)[place])
        hint = "; use --dtype float32" if np.isfinite(value) else ""
        raise CaptureError(f"tensor {name}{list(place)}: {value:g} is not a finite {dtype}{hint}")
    return words


def rounded(name, values, dtype):
    """The float32 values that a trace of that type will hold. Raises CaptureError where it can hold none."""
    return np.asarray(DTYPES[dtype][3](_stored(name, values, dtype)), np.float32)


def _check_shapes(trace):
    """What the format asks of shapes; a model may not fit it."""
    heads, tokens, head_dim = trace.q[0].shape
    kv_heads = trace.k[0].shape[0]
    for name in trace.heads:
        if name not in HEAD_TENSORS:
            raise CaptureError(f"{name}: no tensor of heads: known are {', '.join(HEAD_TENSORS)}")
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
    element, code, *_ = DTYPES[dtype]
    ids = np.ascontiguousarray(trace.token_ids, "<i4")
    tensors = [
        (f"layers.{layer}.{name}", values)
        for layer, parts in enumerate(zip(trace.q, trace.k, trace.v))
        for name, values in zip("qkv", parts)
    ]
    heads = [
        (name, of, np.ascontiguousarray(trace.heads[name], form))
        for name, (form, of) in HEAD_TENSORS.items()
        if name in trace.heads
    ]
    if trace.key_basis:
        heads += [(name, "F32", values) for name, values in trace.key_basis.tensors()]
    stored = [("token_ids", "I32", ids), *heads]
    write_tensors(
        path,
        trace.metadata(),
        [Stored(name, of, values.shape, values.nbytes, lambda values=values: values) for name, of, values in stored]
        + [
            # Only when its turn has come, so that no second copy of the trace is held.
            Stored(
                name,
                code,
                values.shape,
                values.size * element.itemsize,
                lambda name=name, values=values: _stored(name, values, dtype),
            )
            for name, values in tensors
        ],
        HEADER_ALIGNMENT,
    )


def read_tensors(path):
    """({name: values}, metadata) of any safetensors file. bfloat16 comes as the float32 values that it stands for."""
    import safetensors

    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        # The package has no numpy type for bfloat16 and hands such a file over as bytes alone.
        names = list(file.keys())
        if all(file.get_slice(name).get_dtype() != "BF16" for name in names):
            return {name: file.get_tensor(name) for name in names}, metadata
    types = {code: (element, to_values) for element, code, _, to_values in DTYPES.values()}
    types |= {code: (np.dtype(element), np.asarray) for code, element in (("I32", "<i4"), ("I64", "<i8"))}
    tensors = {}
    for name, stored in safetensors.deserialize(Path(path).read_bytes()):
        if stored["dtype"] not in types:
            raise ValueError(f"tensor {name} is of type {stored['dtype']}, known are {', '.join(types)}")
        element, to_values = types[stored["dtype"]]
        tensors[name] = to_values(np.frombuffer(stored["data"], element)).reshape(stored["shape"])
    return tensors, metadata


def read_trace(path):
    """Reads a trace whole; for reports and tests. Returns (Trace, metadata)."""
    from safetensors import SafetensorError

    try:
        tensors, metadata = read_tensors(path)
        if metadata.get("format") != FORMAT:
            raise CaptureError(f"{path}: metadata format is {metadata.get('format')!r}, must be {FORMAT!r}")
        layers = range(int(metadata["layers"]))
        parts = {name: [tensors[f"layers.{layer}.{name}"] for layer in layers] for name in "qkv"}
        trace = Trace(
            **parts,
            token_ids=tensors["token_ids"],
            attention_scale=float(metadata["attention_scale"]),
            causal=metadata["causal"] == "true",
            prompt=int(metadata["prompt"]),
            heads={name: tensors[name] for name in HEAD_TENSORS if name in tensors},
            key_basis=Basis(*(np.stack([tensors[f"layers.{layer}.{name}"] for layer in layers]) for name in PARTS))
            if f"layers.0.{PARTS[0]}" in tensors
            else None,
        )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CaptureError(f"{path}: not a trace: {error}") from error
    trace.info = {key: value for key, value in metadata.items() if key not in trace.metadata()}
    return trace, metadata
