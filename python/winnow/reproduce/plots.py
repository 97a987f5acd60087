"""The plots of artefacts, in the report's own form (winnow.report.figures)."""

import itertools

from winnow.report import figures
from winnow.report.figures import RUN_COLOURS, RUN_SHAPES, Figure, base_layout, log_ticks, stroked
from winnow.reproduce.artefact import figure

PAPER = "#1B2733"  # the paper's figures are black everywhere
PATTERNS = ["", "/", "\\", "x", ".", "-", "+", "|"]


def colour(series, name):
    return PAPER if name == "the paper" else RUN_COLOURS[series % len(RUN_COLOURS)]


def bars(key, title, text, source, categories, series, axis, log=False, stacked=False):
    """Horizontal bars, a group a category. `series`: {name: [value or None of each category]}."""
    data = []
    for i, (name, values) in enumerate(series.items()):
        drawn = [(c, v) for c, v in zip(categories, values) if v is not None]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": [c for c, _ in drawn],
                "x": [v for _, v in drawn],
                "text": [] if stacked else [figure(float(f"{v:.3g}")) for _, v in drawn],
                "textposition": "none" if stacked else "outside",
                "cliponaxis": False,
                "hovertemplate": "%{y}, " + name + ": %{x:.4g}<extra></extra>",
                "marker": {
                    "color": colour(i, name),
                    "line": {"color": "white", "width": 1},
                    "pattern": stroked(PATTERNS[i % len(PATTERNS)]),
                },
            }
        )
    values = [v for one in series.values() for v in one if v]
    x = {"title": {"text": axis}, "rangemode": "tozero"}
    if log:
        low, high = min(values) / 2, max(values) * 3
        x = {"title": {"text": axis}, "type": "log", **decades(low, high)}
    elif not stacked:
        x["range"] = [0, 1.15 * max(values)]
    layout = base_layout(
        xaxis=x,
        yaxis={"autorange": "reversed", "type": "category", "categoryorder": "array", "categoryarray": categories},
        barmode="stack" if stacked else "group",
        margin={"l": 8, "r": 30, "t": 8, "b": 8},
        bargap=0.25,
        showlegend=len(series) > 1,
    )
    rows = len(categories) * (1 if stacked else len(series))
    return Figure(key, title, data, layout, 130 + (44 if stacked else 22) * rows + 12 * len(categories), text, source)


def decades(low, high):
    """Range and ticks of a logarithmic axis: few enough to be read on a phone."""
    import math

    whole = math.log10(high / low) > 2.5
    ticks = log_ticks(low, high)
    kept = [
        (value, text)
        for value, text in zip(ticks["tickvals"], ticks["ticktext"])
        if not whole or abs(math.log10(value) - round(math.log10(value))) < 1e-9
    ]
    return {
        "range": [math.log10(low), math.log10(high)],
        "tickvals": [value for value, _ in kept],
        "ticktext": [text for _, text in kept],
    }


def lines(key, title, text, source, series, x_axis, y_axis, log_x=False, log_y=False, marks=(), from_zero=True):
    """Curves. `series`: {name: ([x], [y])}; `marks`: (x, y, name) of the paper's points."""
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": xs,
            "y": ys,
            "line": {"color": colour(i, name), "width": 2, "dash": ["solid", "dash", "dot", "dashdot"][i % 4]},
            "marker": {"symbol": RUN_SHAPES[i % len(RUN_SHAPES)], "size": 8, "color": colour(i, name)},
            "hovertemplate": name + ": %{x:.4g}, %{y:.4g}<extra></extra>",
        }
        for i, (name, (xs, ys)) in enumerate(series.items())
    ]
    data += [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [x],
            "y": [y],
            "marker": {"symbol": "star", "size": 14, "color": PAPER},
            "hovertemplate": name + ": %{x:.4g}, %{y:.4g}<extra></extra>",
        }
        for x, y, name in marks
    ]
    xs = [x for one in data for x in one["x"]]
    ys = [y for one in data for y in one["y"]]
    x = {"title": {"text": x_axis}}
    y = {"title": {"text": y_axis}}
    if log_x:
        x = {**x, "type": "log", **decades(min(xs) / 1.3, max(xs) * 1.3)}
        x["tickvals"] = sorted(set(xs))
        x["ticktext"] = [figure(value) for value in x["tickvals"]]
    if log_y:
        y = {**y, "type": "log", **decades(min(ys) / 1.5, max(ys) * 1.5)}
    elif from_zero:
        y["rangemode"] = "tozero"
    layout = base_layout(xaxis=x, yaxis=y, margin={"l": 8, "r": 20, "t": 8, "b": 8}, showlegend=len(data) > 1)
    return Figure(key, title, data, layout, 400 + 10 * len(data), text, source)


def waterfall(key, title, text, source, steps, axis, factor=1.0):
    """What every step takes away, from the first, which is whole. `steps`: [(name, what is left after it)]."""
    first, last = steps[0][1], steps[-1][1]
    left = [value for _, value in steps]
    deltas = [first, *(after - before for before, after in itertools.pairwise(left)), last]
    names = [f"{name}<br><b>{first / value:.2f}x</b>" for name, value in [*steps, ("what is left", last)]]
    data = [
        {
            "type": "waterfall",
            "orientation": "h",
            "y": names,
            "x": [delta / factor for delta in deltas],
            "measure": ["absolute", *["relative"] * (len(steps) - 1), "total"],
            "textposition": "none",
            "customdata": [f"{value / factor:.4g} left, {first / value:.2f}x less" for value in [*left, last]],
            "hovertemplate": "%{y}<br>%{customdata}<extra></extra>",
            "connector": {"line": {"color": "#B8C0C8", "width": 1}},
            "increasing": {"marker": {"color": figures.RED}},
            "decreasing": {"marker": {"color": figures.SKY}},
            "totals": {"marker": {"color": figures.BLUE}},
        }
    ]
    layout = base_layout(
        xaxis={"title": {"text": axis}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category"},
        showlegend=False,
    )
    return Figure(key, title, data, layout, 110 + 44 * len(names), text, source)
