"""What workers of test_sweep.py do: as the sweep's own measure, with something beside it."""

import json
import os
import signal
import time

from winnow.sweep.measure import measure


def slow(task):
    """Long enough that a kill meets a point on its way. WINNOW_MEASURED: a file that gets a line a task begun."""
    if "WINNOW_MEASURED" in os.environ:
        with open(os.environ["WINNOW_MEASURED"], "ab", buffering=0) as log:
            log.write(json.dumps(task).encode() + b"\n")
    time.sleep(0.02)
    return measure(task)


def fragile(task):
    """The process dies of one value, another is a fault."""
    if task["set"]["policy.v_bits"] == "5":
        os.kill(os.getpid(), signal.SIGSEGV)
    if task["set"]["policy.v_bits"] == "6":
        return {"state": "failed", "why": "RuntimeError: planted"}
    return measure(task)
