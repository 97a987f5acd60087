"""Traces that come from no file."""

from winnow._core import Trace


def synthetic(**shape):
    """A seeded synthetic trace: synthetic(layers=2, heads=12, head_dim=64, tokens=384, causal=True, seed=1).

    The keys are those of `winnow run synthetic:...`. Raises Error on an unknown one."""
    words = ",".join(f"{key}={int(value) if isinstance(value, bool) else value}" for key, value in shape.items())
    return Trace.open("synthetic:" + words)
