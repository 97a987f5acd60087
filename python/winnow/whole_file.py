"""A file that is there whole, or as it was before."""

import os
from contextlib import contextmanager


@contextmanager
def whole(file):
    """A path to write, which then takes the place of `file` (a Path)."""
    partial = file.with_suffix(".partial")
    yield partial
    os.replace(partial, file)
