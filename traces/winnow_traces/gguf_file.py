"""GGUF files: values by key, tensors as float32."""

from pathlib import Path

import gguf
import numpy as np

from winnow_traces.errors import CaptureError


class GgufFile:
    """A GGUF file of any quantization that the package gguf can expand."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._reader = gguf.GGUFReader(self.path)
        except (OSError, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CaptureError(f"{self.path}: not a readable GGUF file: {reason}") from error
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        self.unread = set(self._tensors)

    _REQUIRED = object()

    def value(self, key, default=_REQUIRED):
        """The value of a key as Python type; an error that names the key if it is missing and has no default."""
        field = self._reader.fields.get(key)
        if field is None:
            if default is self._REQUIRED:
                raise CaptureError(f"{self.path}: key {key} is missing")
            return default
        return field.contents()

    def has(self, name):
        return name in self._tensors

    def tensor(self, name, shape):
        """The tensor expanded to float32, [rows, columns] in C order; its shape must be the given one."""
        if name not in self._tensors:
            raise CaptureError(f"{self.path}: tensor {name} is missing")
        stored = self._tensors[name]
        self.unread.discard(name)
        found = tuple(int(n) for n in reversed(stored.shape))
        if found != tuple(shape):
            raise CaptureError(f"{self.path}: tensor {name} has shape {list(found)}, must be {list(shape)}")
        try:
            values = gguf.dequantize(stored.data, stored.tensor_type)
        except NotImplementedError as error:
            raise CaptureError(
                f"{self.path}: tensor {name} is of type {stored.tensor_type.name}, which cannot be expanded"
            ) from error
        values = np.ascontiguousarray(values, dtype=np.float32).reshape(shape)
        if not np.isfinite(values).all():
            raise CaptureError(f"{self.path}: tensor {name} holds a value that is not finite")
        return values
