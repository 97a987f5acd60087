"""Sweeps: many points of machine and policy, measured, and those that nothing beats.

    from winnow import sweep
    outcome = sweep.run(sweep.load("docs/examples/sweep.yaml"), "results/sweep", jobs=2)
    outcome.points                     # a data frame, a row a point

`winnow sweep` is this on the command line; docs/exploration.md says how to write a spec and read the results."""

import importlib

_PLACES = {"Outcome": "exploration", "run": "exploration", "Spec": "spec", "Stage": "spec", "load": "spec"}
__all__ = ["Outcome", "Spec", "Stage", "load", "run"]


def __getattr__(name):
    """Only when it is asked for: a worker needs measure.py alone, and starts in half the time without the rest."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
