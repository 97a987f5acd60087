"""Policies at equal budget: each is brought to the same bytes of K and V by its own knob, then measured.

from winnow import compare
outcome = compare.run(compare.load("docs/examples/compare.yaml"), "results/compare")
"""

from winnow.compare.running import Comparison, run
from winnow.compare.spec import Candidate, Spec, load

__all__ = ["Candidate", "Comparison", "Spec", "load", "run"]
