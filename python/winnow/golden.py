"""Golden: what the machine computes, bit for bit, without time.

    for layer in winnow.golden.walk(trace, "select"):
        layer.out, layer.survivors, layer.accesses.kv_bytes

Session and step run golden's attention inside a model, where what comes out of one layer makes the next layer's
queries (winnow.accuracy does)."""

from winnow._core import Accesses, Layer, Session, Totals, Trace, Walk, step
from winnow.settings import Machine, Policy

__all__ = ["Accesses", "Layer", "Session", "Totals", "Walk", "step", "walk"]


def walk(trace, policy, *, machine="spatten", errors=False):
    """Iterates over the trace's layers, step by step: a Layer each. `machine` says where regions of the memory begin,
    which bursts depend on; `errors`: also against float attention, which takes a pass of its own."""
    opened = trace if isinstance(trace, Trace) else Trace.open(str(trace))
    chosen = policy if isinstance(policy, Policy) else Policy(policy)
    align = (machine if isinstance(machine, Machine) else Machine(machine)).alignment
    return Walk(opened, chosen, align, errors)
