"""One trace through one machine under one policy."""

from collections.abc import Iterable
from os import PathLike, fspath

from winnow import _core
from winnow.results import Run
from winnow.settings import Machine, Policy


def _name(trace):
    return trace.name if isinstance(trace, _core.Trace) else fspath(trace)


def _range(value):
    """A number, (first, last), or text as the command line has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        first, last = value
        return f"{first}-{last}"
    return str(value)


def run(
    trace,
    machine="spatten",
    policy="spatten",
    *,
    engine="systemc",
    layers=None,
    steps=None,
    batch=1,
    batch_stagger=1,
    seed=1,
    against=None,
):
    """Simulates, checks every output against golden, and returns a Run. Nothing is printed or written.

    trace    a Trace, a path, "synthetic:..."; a list of them runs as a batch of sequences
    machine  a Machine, a name, a .yaml file
    policy   a Policy, a name, a .yaml file
    engine   "systemc": the machine, in cycles; "golden", "cuda": values and bytes only
    layers, steps
             only these: a number, (first, last), or "A-B"; step 0 is the prompt
    batch, batch_stagger, seed, against
             as `winnow run` has them

    Raises Error on bad input, and when another run is on its way in this process; Mismatch where the machine and golden
    differ. The GIL is released; Ctrl-C ends a run."""
    traces = [trace] if isinstance(trace, (str, PathLike, _core.Trace)) else list(trace)
    outcome = _core.run(
        [_name(one) for one in traces],
        machine if isinstance(machine, Machine) else Machine(machine),
        policy if isinstance(policy, Policy) else Policy(policy),
        engine,
        _range(layers),
        _range(steps),
        batch,
        batch_stagger,
        seed,
        against,
    )
    return Run(outcome)
