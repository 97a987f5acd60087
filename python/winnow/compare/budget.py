"""Brings a policy to a budget: the setting of its knob that reads most and no more than that."""

import math

import winnow

STEPS = 11  # of halving the knob's range, as its logarithm has it


def bytes_of(spec, machine, policy):
    """K and V that the policy reads on the spec's trace and steps, with their scales, by golden's count."""
    options = {} if spec.steps is None else {"steps": spec.steps}
    run = winnow.run(spec.trace, machine, policy, engine="golden", **options)
    return run.result.summary.dram_kv_useful.value


def turned(candidate, budget, measure):
    """(x, bytes) for `budget` bytes, or (None, least bytes) where the knob does not reach it.

    `measure(x)` gives the bytes at x; nearer to `candidate.most` they are no fewer."""
    read = measure(candidate.most)
    if read <= budget:
        return candidate.most, read
    if not candidate.knob:
        return None, read
    within, beyond = candidate.least, candidate.most
    best = (within, measure(within))
    if best[1] > budget:
        return None, best[1]
    for _ in range(STEPS):
        middle = float(f"{math.sqrt(within * beyond):.4g}")
        if middle in (within, beyond):
            break
        read = measure(middle)
        if read <= budget:
            within, best = middle, (middle, read)
        else:
            beyond = middle
    return best
