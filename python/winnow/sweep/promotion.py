"""Which points go on: fronts of those that nothing beats, and within a front those that stand most alone."""

import numpy as np


def ranks(values):
    """values [point][objective], less is better. 0 for those that nothing beats, 1 for those that only 0 beats..."""
    values = np.asarray(values, float)
    rank = np.full(len(values), -1)
    left = np.arange(len(values))
    level = 0
    while len(left):
        rest = values[left]
        beaten = np.array([bool(((rest <= one).all(axis=1) & (rest < one).any(axis=1)).any()) for one in rest])
        rank[left[~beaten]] = level
        left = left[beaten]
        level += 1
    return rank


def crowding(values):
    """How far the neighbours of each point lie (Deb et al., NSGA-II, 2002), inf at the ends of an objective."""
    values = np.asarray(values, float)
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0 and len(order) > 2:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance


def promoted(numbers, values, keep):
    """Of points (ascending numbers) with their objectives: `keep` of them, the best fronts first, ascending. None: the
    first front. Ties go to the smaller number."""
    if not numbers:
        return []
    rank = ranks(values)
    if keep is None:
        return [number for number, r in zip(numbers, rank) if r == 0]
    chosen = []
    for level in range(rank.max() + 1):
        front = np.flatnonzero(rank == level)
        if len(chosen) + len(front) > keep:
            distance = crowding(np.asarray(values, float)[front])
            front = front[np.argsort(-distance, kind="stable")[: keep - len(chosen)]]
        chosen += [numbers[i] for i in front]
        if len(chosen) == keep:
            break
    return sorted(chosen)
