"""The file of a basis of keys, as `winnow basis` makes it: tensors as a trace has them (../FORMAT.md), and what they
were measured on.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from winnow_traces.errors import CaptureError
from winnow_traces.tensor_file import Stored, write_tensors

FORMAT = "winnow-basis-1"
PARTS = ("key_basis", "key_mean", "key_range")


@dataclass(frozen=True)
class Basis:
    """Of every KV head. Row i of a transform makes channel i of the basis of a key less the mean; range is the largest
    size of each channel on the text."""

    transform: np.ndarray  # float32 [layers, KV heads, D, D]
    mean: np.ndarray  # float32 [layers, KV heads, D]
    range: np.ndarray  # float32 [layers, KV heads, D]
    facts: dict = field(default_factory=dict)  # of the file's metadata, strings
    sha256: str = ""  # of the file

    def tensors(self):
        """[(name, float32 values)] as a trace has them."""
        parts = dict(zip(PARTS, (self.transform, self.mean, self.range)))
        return [
            (f"layers.{layer}.{name}", np.ascontiguousarray(part[layer], "<f4"))
            for layer in range(len(self.mean))
            for name, part in parts.items()
        ]


def write_basis(path, basis):
    """Whole or not at all. Same basis, same bytes."""
    tensors = [
        Stored(name, "F32", values.shape, values.nbytes, lambda values=values: values)
        for name, values in basis.tensors()
    ]
    write_tensors(path, {"format": FORMAT, **dict(sorted(basis.facts.items()))}, tensors, 8)


def read_basis(path):
    """Raises CaptureError where the file is no basis."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            facts, names = file.metadata() or {}, list(file.keys())
            if (form := facts.pop("format", None)) != FORMAT:
                raise CaptureError(f"{path}: __metadata__.format: {form!r}: must be {FORMAT!r}")
            layers = range(sum(name.endswith(f".{PARTS[0]}") for name in names))
            parts = [np.stack([file.get_tensor(f"layers.{layer}.{name}") for layer in layers]) for name in PARTS]
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (SafetensorError, OSError, ValueError) as error:
        raise CaptureError(f"{path}: not a basis: {error}") from error
    for name, part in zip(PARTS, parts):
        if part.dtype != np.float32:
            raise CaptureError(f"{path}: {name}: {part.dtype}: must be float32")
    return Basis(*parts, facts, digest)


def check_basis(path, basis, model_sha256, tokens):
    """Raises CaptureError where the basis is of another model, or was measured on sentences shorter than `tokens`."""
    measured = basis.facts.get("model_sha256", "none")
    if measured != model_sha256:
        raise CaptureError(f"{path}: __metadata__.model_sha256: {measured}: must be {model_sha256}, the model's")
    longest = basis.facts.get("tokens", "0")
    if not longest.isdigit() or int(longest) < tokens:
        raise CaptureError(
            f"{path}: __metadata__.tokens: {longest}: must be at least {tokens}, for keys depend on their positions"
        )
