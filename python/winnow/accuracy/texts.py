"""Evaluation texts and the windows cut from them.

A text is a file, or the name of one that `scripts/setup --texts` has made: `calibration` to choose settings on, `test`
to report on, `held-out` that no default was ever chosen on. A form feed ends a document; no window crosses it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winnow._core import Error

NAMES = ("calibration", "test", "held-out")


def folder():
    """Where scripts/setup --texts puts them: beside the packages of the Python that runs."""
    import sys

    return Path(sys.prefix) / "share" / "winnow-texts"


@dataclass(frozen=True)
class Text:
    name: str
    documents: list[str]
    sha256: str
    licence: str


def open_text(name_or_path):
    """Raises Error on a text that is not there or no UTF-8."""
    path, licence = Path(name_or_path), "unknown"
    if str(name_or_path) in NAMES and not path.exists():
        path = folder() / f"{name_or_path}.txt"
        if not path.exists():
            raise Error(f"--text: {name_or_path}: {path} is not there: scripts/setup --texts makes it")
        manifest = json.loads((folder() / "manifest.json").read_text(encoding="utf-8"))
        licence = "; ".join(f"{one['package']}: {one['licence']}" for one in manifest["packages"])
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Error(f"--text: {path}: {error.strerror}") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Error(f"--text: {path}: byte {error.start} is {data[error.start]:#04x}: must be UTF-8 text") from error
    return Text(str(name_or_path), text.split("\f"), hashlib.sha256(data).hexdigest(), licence)


def windows(text, encode, length, count, seed):
    """`count` windows of `length` token ids, [count, length]: all documents are cut into windows that do not overlap,
    and the seed shuffles them. The first windows of a larger count are those of a smaller one."""
    cut, longest = [], 0
    for document in text.documents:
        ids = encode(document.strip("\n"))
        longest = max(longest, len(ids))
        cut += [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)]
    if len(cut) < count:
        raise Error(
            f"--text: {text.name}: {len(cut)} windows of {length} tokens (its longest document has {longest}): "
            f"{count} are asked for"
        )
    order = np.random.default_rng(seed).permutation(len(cut))[:count]
    return np.asarray([cut[i] for i in order], np.int32)
