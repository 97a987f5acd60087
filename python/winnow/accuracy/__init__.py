"""Accuracy in the loop: what a policy does to a real model whose attention is golden's.

    from winnow.accuracy import evaluate
    report = evaluate("smollm2", ["dense", "select v_bits=6"], "test")
    report.table                       # a data frame, a row a policy

`winnow accuracy` is this on the command line; docs/accuracy.md says what is measured."""

from winnow.accuracy.evaluation import Report, evaluate
from winnow.accuracy.policies import parse_policy

__all__ = ["Report", "evaluate", "parse_policy"]
