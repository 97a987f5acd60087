"""Winnow from Python: traces, policies, machines, golden, runs.

    import winnow

    trace = winnow.Trace.open("traces/samples/smollm2-160.safetensors")
    run = winnow.run(trace, "winnow", winnow.Policy("select", v_bits=6), steps=(1, 2))
    print(run.summary.cycles, run.layers)

What goes wrong raises winnow.Error (a ValueError) with the line that the command line prints.
"""

from pathlib import Path as _Path

from winnow import _core
from winnow._core import Error, Trace, __version__
from winnow.results import Mismatch, Part, Run, Statistic
from winnow.running import run
from winnow.settings import Machine, Policy, machines, policies
from winnow.traces import synthetic

if (_Path(__file__).parent / "machines").is_dir():  # installed by pip: the machines are in the package
    _core.set_machine_folder(str(_Path(__file__).parent / "machines"))

__all__ = [
    "Error",
    "Machine",
    "Mismatch",
    "Part",
    "Policy",
    "Run",
    "Statistic",
    "Trace",
    "__version__",
    "machines",
    "policies",
    "run",
    "synthetic",
]
