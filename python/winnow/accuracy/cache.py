"""Results of one window under one policy, by the hash of all that they depend on: a point is never computed twice."""

import hashlib
import json
import os
from pathlib import Path

import winnow_traces

from winnow import _core

FORMAT = 1  # of the stored values; another number leaves old ones alone


def version():
    """Of the code that makes results: the built module's, and the Python files that run the model, which need no build.
    A checkout that differs from its commit is told apart by the module's bytes."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), *sorted(Path(winnow_traces.__file__).parent.glob("*.py"))]
    if "dirty" in _core.__version__:
        sources.append(Path(_core.__file__))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    return f"{_core.__version__}+{digest.hexdigest()[:12]}"


class Cache:
    """A folder of small JSON files; None: nothing is kept."""

    def __init__(self, folder):
        self._folder = Path(folder) if folder is not None else None
        self._version = version()
        self.found = 0

    def key(self, **facts):
        """Facts are plain values that JSON can write."""
        text = json.dumps({"format": FORMAT, "version": self._version, **facts}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _path(self, key):
        return self._folder / key[:2] / f"{key}.json"

    def get(self, key):
        """The stored value, or None. A damaged file counts as none."""
        if self._folder is None:
            return None
        try:
            value = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        self.found += 1
        return value

    def put(self, key, value):
        """Whole or not at all, also when several processes write the same."""
        if self._folder is None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(value), encoding="utf-8")
        os.replace(partial, path)
