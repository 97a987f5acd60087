"""GGUF files: values by key, tensors as float32."""

import math
import mmap
from pathlib import Path

import gguf
import numpy as np

from winnow_traces.errors import CaptureError
from winnow_traces.gguf_layout import LayoutError, check_layout


class GgufFile:
    """A GGUF file of any quantization that the package gguf can expand."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            with open(self.path, "rb") as file:
                if file.seek(0, 2) == 0:
                    raise LayoutError("0 bytes: must hold at least a header")
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    check_layout(data)
            self._reader = gguf.GGUFReader(self.path)
        except OSError as error:
            raise CaptureError(f"{self.path}: {error.strerror}") from error
        except LayoutError as error:
            raise CaptureError(f"{self.path}: not a readable GGUF file: {error}") from error
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

    def _checked(self, key, default, rule, fits):
        value = self.value(key, default)
        if not fits(value):
            shown = f"{value!r:.60}"
            raise CaptureError(f"{self.path}: key {key}: {shown}: must be {rule}")
        return value

    def text(self, key, default=_REQUIRED):
        return self._checked(key, default, "a string", lambda value: isinstance(value, str))

    def integer(self, key, default=_REQUIRED, least=1):
        def fits(value):
            return isinstance(value, int) and not isinstance(value, bool) and value >= least

        return self._checked(key, default, f"a whole number >= {least}", fits)

    def number(self, key, default=_REQUIRED):
        def fits(value):
            return isinstance(value, (int, float)) and math.isfinite(value) and value > 0

        return self._checked(key, default, "a finite number > 0", fits)

    def listing(self, key, kind, length=None):
        """A list of strings or numbers, of that length if one is given."""
        numbers = (int, float) if kind is float else kind

        def fits(value):
            return (
                isinstance(value, list)
                and all(isinstance(item, numbers) for item in value)
                and length in (None, len(value))
            )

        what = f"a list of type {kind.__name__}" + ("" if length is None else f" with {length} elements")
        return self._checked(key, self._REQUIRED, what, fits)

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
            with np.errstate(all="ignore"):  # scales that are not finite give values that are not: refused below
                values = gguf.dequantize(stored.data, stored.tensor_type)
        except NotImplementedError as error:
            raise CaptureError(
                f"{self.path}: tensor {name} is of type {stored.tensor_type.name}, which cannot be expanded"
            ) from error
        values = np.ascontiguousarray(values, dtype=np.float32).reshape(shape)
        if not np.isfinite(values).all():
            raise CaptureError(f"{self.path}: tensor {name} holds a value that is not finite")
        return values
