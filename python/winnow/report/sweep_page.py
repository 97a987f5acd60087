"""One HTML file of a sweep: its front, what repeats a point, and which parameters matter."""

import json

from winnow.report import shell
from winnow.report.figures import Figure, base_layout
from winnow.report.influence import influences
from winnow.report.stored_sweep import metric_of
from winnow.report.units import percent, scaled

MOST_POINTS = 20_000  # drawn; of more, the front, what went on, and a part of the rest
MOST_TOLD = 50  # points that were refused or failed, with their reason


def figure_text(column, value):
    """17520408 of golden.bytes -> "17.52 MB"."""
    unit = metric_of(column).unit
    if unit == "bytes":
        return scaled(value, "B")
    if unit == "J":
        return scaled(value, "J")
    if unit == "ratio":
        return percent(value)
    if unit == "%":
        return f"{value:+.2f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g} {unit}".replace("mm2", "mm²")


# What figures are drawn in: (divisor, what the axis says), the first whose divisor the largest reaches.
_AXES = {
    "bytes": [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes")],
    "J": [(1, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")],
    "ratio": [(0.01, "%")],
    "mm2": [(1, "mm²")],
}


def axis_of(column, largest=None):
    """How a column is called and drawn; `largest` of its figures decides the unit's prefix."""
    unit = metric_of(column).unit
    choices = _AXES.get(unit, [(1, unit)])
    divisor, text = next((one for one in choices if largest is not None and largest >= one[0]), choices[-1])
    fidelity, _, key = column.partition(".")
    name = key.replace("_", " ")
    return {"name": f"{name}, by {fidelity}", "title": f"{name} by {fidelity}, {text}", "divisor": divisor}


def _drawn(sweep):
    """Points of the plots: all, or of very many the ones that went on and every n-th of the rest."""
    measured = [one for one in sweep.points if one.figures]
    if len(measured) <= MOST_POINTS:
        return measured
    rest = [one for one in measured if not one.front and one.fidelity == sweep.stages[0]]
    every = -(-len(rest) // MOST_POINTS)
    kept = {one.number for i, one in enumerate(rest) if i % every == 0}
    return [one for one in measured if one.number in kept or one.front or one.fidelity != sweep.stages[0]]


def _kind(sweep, point):
    if point.front:
        return "front"
    if sweep.is_over(point):
        return "over"
    return "on" if point.fidelity != sweep.stages[0] else "first"


def plotted(sweep):
    """What the page's script draws from, and tells of a point."""
    drawn = _drawn(sweep)
    return {
        "parameters": sweep.parameters,
        "columns": [
            {"key": column, **axis_of(column, max((one.figures.get(column, 0) for one in drawn), default=None))}
            for column in sweep.columns
        ],
        "fidelities": sweep.stages,
        "points": [
            {
                "n": one.number,
                "kind": _kind(sweep, one),
                "values": [one.values[name] for name in sweep.parameters],
                "figures": [one.figures.get(column) for column in sweep.columns],
                "texts": [
                    figure_text(column, one.figures[column]) if column in one.figures else "-"
                    for column in sweep.columns
                ],
                "command": one.command,
            }
            for one in drawn
        ],
    }


def default_axes(sweep):
    """Places of two columns: objectives of the fidelity that has measured most points."""
    wanted = [f"{sweep.stages[0]}.{key}" for key in sweep.spec["objectives"]]
    found = [sweep.columns.index(column) for column in wanted if column in sweep.columns]
    found += [i for i in range(len(sweep.columns)) if i not in found]
    return (found[0], found[1] if len(found) > 1 else found[0]) if found else (0, 0)


def _few(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _least(sweep):
    parts = []
    for metric in sweep.spec["objectives"]:
        column = sweep.judged(metric)
        measured = [one for one in sweep.front if column in one.figures]
        if not measured:
            continue
        best = min(measured, key=lambda one: (one.figures[column], one.number))
        parts.append(f"{metric.replace('_', ' ')} {figure_text(column, best.figures[column])} (point {best.number})")
    return f"The least that the front has: {_few(parts)}." if parts else None


def sentences(sweep, shares):
    """What was measured, what is best, and which parameters decide."""
    n = len(sweep.points)
    first = sweep.stages[0]
    limits = _few([f"{k.replace('_', ' ')} at most {v:g}" for k, v in sweep.spec["at_most"].items()] or ["no limit"])
    counts = [
        sum(any(key.startswith(f"{stage}.") for key in one.figures) for one in sweep.points) for stage in sweep.stages
    ]
    on = "".join(f"; {count:,} went on to {stage}" for stage, count in zip(sweep.stages[1:], counts[1:]))
    within = sum(bool(one.figures) and not sweep.is_over(one) for one in sweep.points)
    kept = f", {within:,} of them within the limits ({limits})" if sweep.spec["at_most"] else ""
    said = [
        f"{counts[0]:,} of {n:,} points were measured by {first}{kept}{on}. Nothing beats {len(sweep.front):,} of them "
        f"in {_few([key.replace('_', ' ') for key in sweep.spec['objectives']])} together.",
        _least(sweep),
    ]
    parts = []
    for column, of in shares.items():
        if not column.startswith(f"{first}.") or not of:
            continue
        name, share = max(of.items(), key=lambda one: one[1])
        metric = axis_of(column)["name"].split(",")[0]
        parts.append(f"{metric} hangs most on {name} ({percent(share)} of its variance)")
    if parts:
        said.append(f"By itself, {_few(parts)}.")
    return [one for one in said if one]


def influence_figure(sweep, shares):
    if not shares:
        return None
    columns = list(shares)
    names = sweep.parameters
    z = [[round(100 * shares[column].get(name, 0), 2) for column in columns] for name in names]
    data = [
        {
            "type": "heatmap",
            "z": z,
            "x": [axis_of(column)["name"].replace(", by ", "<br>by ") for column in columns],
            "y": names,
            "zmin": 0,
            "zmax": 100,
            "colorscale": [[0, "#FFFFFF"], [1, "#0072B2"]],
            "texttemplate": "%{z:.0f} %",
            "hovertemplate": "%{y}: %{z:.1f} % of the variance of %{x}<extra></extra>",
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
        }
    ]
    layout = base_layout(xaxis={"side": "top", "showgrid": False}, yaxis={"autorange": "reversed", "showgrid": False})
    return Figure(
        "influence",
        "Which parameters decide",
        data,
        layout,
        100 + 38 * len(names),
        "A number is the share of a metric's variance that lies between the values of this parameter alone; what would "
        "differ by chance is taken off. Shares need not add up to 100 %: parameters also act together. A search looks "
        "more often where it found good points, so these shares are of the points that it chose.",
        "points.csv; epsilon squared over all measured points, numbers in at most eight groups",
    )


def page(sweep):
    """(HTML, number of plots, notes)."""
    shares = influences(sweep)
    figure = influence_figure(sweep, shares)
    plots = {"plot-influence": shell.checked(figure)} if figure else {}
    told = [one for one in sweep.points if one.state != "measured"]
    data = plotted(sweep)
    notes = []
    if len(data["points"]) < sum(bool(one.figures) for one in sweep.points):
        notes.append(f"Plots show {len(data['points']):,} of the points; points.csv has all")
    unfinished = [
        stage
        for stage in sweep.stages
        if not any(c.startswith(f"{stage}.") for one in sweep.points for c in one.figures)
    ]
    if unfinished:
        notes.append(
            f"No point was measured by {', '.join(unfinished)}: the sweep has not ended, or all missed a limit"
        )
    x, y = default_axes(sweep)
    best = {
        column: min((one.figures[column] for one in sweep.front if column in one.figures), default=None)
        for column in sweep.columns
    }
    html = shell.html(
        shell.HERE / "sweep.html",
        data={"plots": plots, "sweep": {**data, "axes": [x, y]}},
        scripts=[shell.HERE / "sweep.js"],
        title=f"Winnow sweep: {sweep.label}",
        sweep=sweep,
        sentences=sentences(sweep, shares),
        notes=notes,
        figure=figure,
        drawn=data,
        x=x,
        y=y,
        best=best,
        axis_of=axis_of,
        figure_text=figure_text,
        told=told[:MOST_TOLD],
        told_all=len(told),
        spec=json.dumps(sweep.spec, indent=2, ensure_ascii=False),
    )
    return html, len(plots) + 2 if data["points"] else len(plots), notes
