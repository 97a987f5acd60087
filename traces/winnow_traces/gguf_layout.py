"""Whether a GGUF file is whole: a walk over its header that leaves no length unchecked.

The package gguf believes what a file says: a length that is wrong ends in an error of numpy's, or in a loop over 2^60
elements. So the header is walked here first; every failure names the place, what stands there and the rule.
"""

import struct

from gguf.constants import GGML_QUANT_SIZES, GGUF_DEFAULT_ALIGNMENT, GGMLQuantizationType, GGUFValueType
from gguf.gguf_reader import READER_SUPPORTED_VERSIONS

MAGIC = b"GGUF"
MOST_DIMENSIONS = 4  # ggml's
MOST_NESTING = 2  # arrays in arrays
_SCALARS = {
    GGUFValueType.UINT8: "B",
    GGUFValueType.INT8: "b",
    GGUFValueType.UINT16: "H",
    GGUFValueType.INT16: "h",
    GGUFValueType.UINT32: "I",
    GGUFValueType.INT32: "i",
    GGUFValueType.FLOAT32: "f",
    GGUFValueType.UINT64: "Q",
    GGUFValueType.INT64: "q",
    GGUFValueType.FLOAT64: "d",
    GGUFValueType.BOOL: "?",
}


class LayoutError(Exception):
    """`place: value: rule`, without the file's name."""


class _Walk:
    def __init__(self, data):
        self.data, self.at, self.order = data, 0, "<"

    def need(self, count, what):
        left = len(self.data) - self.at
        if count > left:
            raise LayoutError(
                f"{what} at byte {self.at}: {count} bytes, {left} are left: the file is cut short or damaged"
            )

    def take(self, code, what):
        size = struct.calcsize("=" + code)
        self.need(size, what)
        (value,) = struct.unpack_from(self.order + code, self.data, self.at)
        self.at += size
        return value

    def text(self, what):
        length = self.take("Q", f"length of {what}")
        self.need(length, what)
        place, raw = self.at, bytes(self.data[self.at : self.at + length])
        self.at += length
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LayoutError(
                f"{what} at byte {place + error.start}: {raw[error.start]:#04x}: must be UTF-8"
            ) from error

    def kind(self, what):
        number = self.take("I", f"type of {what}")
        try:
            return GGUFValueType(number)
        except ValueError:
            raise LayoutError(f"type of {what}: {number}: is no type of a GGUF value") from None

    def skip_value(self, kind, what, depth=0):
        """Returns the value of a scalar, None of all else."""
        if kind in _SCALARS:
            return self.take(_SCALARS[kind], what)
        if kind == GGUFValueType.STRING:
            self.text(what)
            return None
        if depth == MOST_NESTING:
            raise LayoutError(f"{what}: arrays in arrays: at most {MOST_NESTING} deep")
        inner, count = self.kind(what), self.take("Q", f"length of {what}")
        size = struct.calcsize("=" + _SCALARS[inner]) if inner in _SCALARS else 8  # a string's length, at least
        self.need(count * size, f"{count} elements of {what}")
        if inner in _SCALARS:
            self.at += count * size
        else:
            for _ in range(count):
                self.skip_value(inner, what, depth + 1)
        return None


def _tensor(walk, seen):
    """(name, bytes, offset) of the next tensor's entry."""
    name = walk.text("a tensor's name")
    what = f"tensor {name!r}"
    if name in seen:
        raise LayoutError(f"{what}: stands twice")
    seen.add(name)
    dimensions = walk.take("I", f"dimensions of {what}")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise LayoutError(f"{what}: {dimensions} dimensions: must be 1 to {MOST_DIMENSIONS}")
    shape = [walk.take("Q", f"shape of {what}") for _ in range(dimensions)]
    number = walk.take("I", f"type of {what}")
    try:
        kind = GGMLQuantizationType(number)
        block, size = GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError):
        raise LayoutError(f"{what}: type {number}: is no quantization that is known") from None
    if not all(shape) or shape[0] % block:
        raise LayoutError(f"{what}: shape {shape}: must be positive, rows a multiple of {block} for {kind.name}")
    elements = 1
    for extent in shape:
        elements *= extent
    return name, elements // block * size, walk.take("Q", f"offset of {what}")


def check_layout(data):
    """Raises LayoutError unless `data`, a file's bytes, is a GGUF file whose every part lies inside it."""
    walk = _Walk(data)
    begins = bytes(data[: len(MAGIC)])
    if begins != MAGIC:
        raise LayoutError(f"byte 0: begins with {begins!r}: must begin with {MAGIC!r}")
    walk.at = len(MAGIC)
    version = walk.take("I", "version")
    if version & 0xFFFF == 0:  # written on a machine of the other byte order
        walk.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version not in READER_SUPPORTED_VERSIONS:
        raise LayoutError(f"version: {version}: must be one of {', '.join(map(str, READER_SUPPORTED_VERSIONS))}")
    tensors, keys = walk.take("Q", "number of tensors"), walk.take("Q", "number of keys")
    alignment, seen = GGUF_DEFAULT_ALIGNMENT, set()
    for index in range(keys):
        key = walk.text(f"key {index} of {keys}")
        if key in seen or key.startswith("GGUF."):
            raise LayoutError(f"key {key!r}: {'stands twice' if key in seen else 'must not begin with GGUF.'}")
        seen.add(key)
        kind = walk.kind(f"key {key!r}")
        value = walk.skip_value(kind, f"key {key!r}")
        if key == "general.alignment":
            if kind != GGUFValueType.UINT32 or value == 0 or value & (value - 1):
                raise LayoutError(f"key {key!r}: {value}: must be a power of two, of type UINT32")
            alignment = value
    names, places = set(), []
    for _ in range(tensors):
        places.append(_tensor(walk, names))
    begin = -(-walk.at // alignment) * alignment
    for name, size, offset in places:
        if offset % alignment:
            raise LayoutError(f"tensor {name!r}: offset {offset}: must be a multiple of the alignment {alignment}")
        if begin + offset + size > len(data):
            raise LayoutError(
                f"tensor {name!r}: bytes {begin + offset} to {begin + offset + size}: must lie inside the file's "
                f"{len(data)}: the file is cut short or damaged"
            )
