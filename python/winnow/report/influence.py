"""How much a parameter decides of a metric, from the points of a sweep."""

GROUPS = 8  # of a parameter that has more values


def _numeric(texts):
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None


def grouped(texts):
    """A group's number for each point: one a value, or eight of as many points each where there are more values."""
    numbers = _numeric(texts)
    if numbers is None or len(set(numbers)) <= GROUPS:
        place = {value: i for i, value in enumerate(sorted(set(texts)))}
        return [place[text] for text in texts]
    order = sorted(numbers)
    edges = [order[len(order) * i // GROUPS] for i in range(1, GROUPS)]
    return [sum(number >= edge for edge in edges) for number in numbers]


def influence(texts, values):
    """Share of the values' variance that lies between the groups of this parameter alone, 0..1; None if nothing varies.

    Epsilon squared of an analysis of variance: what groups would differ by chance is taken off."""
    n = len(values)
    groups = {}
    for group, value in zip(grouped(texts), values):
        groups.setdefault(group, []).append(value)
    if n <= len(groups):
        return None
    mean = sum(values) / n
    total = sum((value - mean) ** 2 for value in values)
    if total == 0:
        return None
    means = {group: sum(members) / len(members) for group, members in groups.items()}
    within = sum((value - means[group]) ** 2 for group, members in groups.items() for value in members)
    by_chance = (len(groups) - 1) * within / (n - len(groups))
    return max(0.0, (total - within - by_chance) / total)


def influences(sweep):
    """{column: {parameter: share}} over all points that were measured, for columns with enough of them."""
    made = {}
    for column in sweep.columns:
        points = [one for one in sweep.points if column in one.figures]
        if len(points) < 3 * GROUPS:
            continue
        values = [one.figures[column] for one in points]
        shares = {name: influence([one.values[name] for one in points], values) for name in sweep.parameters}
        made[column] = {name: share for name, share in shares.items() if share is not None}
    return made
