"""The report's plots, as Plotly's own dicts. Each is made from figures of result.json and layers.csv alone.

Colours are Okabe and Ito's, which the colour-blind tell apart, and cividis where a colour is a number."""

import math
from dataclasses import dataclass
from itertools import pairwise

from winnow.report.units import percent, scaled

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#9AA3AD",
)
# One a run, in order; shapes differ too.
RUN_COLOURS = [BLUE, ORANGE, GREEN, PINK, RED, SKY, YELLOW, GREY]
RUN_SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"]


@dataclass
class Figure:
    """A plot with what stands around it. `key` is its place in the page."""

    key: str
    title: str
    data: list
    layout: dict
    height: int
    text: str  # what is shown, and how to read it
    source: str  # where the figures come from


def base_layout(**more):
    axis = {"automargin": True, "gridcolor": "#E4E8EC", "zerolinecolor": "#B8C0C8", "linecolor": "#B8C0C8"}
    made = {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1B2733"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "hoverlabel": {"font": {"size": 13}},
        "dragmode": False,
        "barmode": "stack",
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }
    for key, value in more.items():
        if key in made and isinstance(made[key], dict):
            made[key].update(value)
        else:
            made[key] = value
    for key in ("xaxis2", "yaxis2"):
        if key in more:
            made[key] = {**axis, **more[key]}
    return made


def stroked(shape):
    """White strokes over the colour, so that neighbours differ in print too."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "white", "solidity": 0.2, "size": 7}


def short(label, most=20):
    return label if len(label) <= most else label[: most - 8] + "…" + label[-7:]


def _names(runs):
    return [short(run.label) for run in runs]


# Where time goes, in the order of winnow run's block of lines.
TIME = [
    ("time_qk", "multiplying Q x K", BLUE, ""),
    ("time_memory", "waiting for memory", ORANGE, "/"),
    ("time_softmax", "waiting for softmax", GREEN, ""),
    ("time_topk", "waiting for top-k", PINK, "\\"),
    ("time_drain", "draining", SKY, "x"),
    ("time_other", "before the first layer", GREY, ""),
]


def _bars_by_run(runs, parts, unit_text, factor, axis_title):
    """Stacked horizontal bars, one a run: parts are (name, colour, pattern, [value of each run])."""
    data = []
    for name, colour, pattern, values in parts:
        if not any(values):
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": _names(runs),
                "x": [value / factor for value in values],
                "customdata": [unit_text(value) for value in values],
                "hovertemplate": "%{y}: " + name + "<br>%{customdata}<extra></extra>",
                "marker": {
                    "color": colour,
                    "line": {"color": "white", "width": 1},
                    "pattern": stroked(pattern),
                },
            }
        )
    layout = base_layout(
        xaxis={"title": {"text": axis_title}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return data, layout


def _height(bars, extra=150):
    return extra + 44 * bars


def timed(runs):
    return [run for run in runs if run.find("summary.time_qk") is not None]


def time_figure(runs):
    runs = timed(runs)
    if not runs:
        return None
    parts = [
        (name, colour, pattern, [run.value(f"summary.{key}", 0) for run in runs]) for key, name, colour, pattern in TIME
    ]
    data, layout = _bars_by_run(runs, parts, lambda v: f"{v:,} cycles", 1, "clock cycles (fewer is better)")
    return Figure(
        "time",
        "Where the time goes",
        data,
        layout,
        _height(len(runs), 190),
        "Each clock cycle counts once, for what the Q x K multipliers did in it: they multiplied, or they waited for "
        "one of the others.",
        "result.json, summary.time_*",
    )


BLOCK_NAMES = {
    "qk": "Q x K",
    "pv": "P x V",
    "hbm2": "memory controllers",
    "topk": "top-k",
    "cascade_topk": "cascade top-k",
}


def blocks_figure(run):
    """Busy, idle and waits of every block of one run."""
    rows = []
    for part in run.result:
        if not hasattr(part, "statistics") or "busy" not in part or "idle" not in part:
            continue
        waits = [(one.label.removeprefix("waits for "), one.value) for one in part if one.key.startswith("waits_for_")]
        rows.append((BLOCK_NAMES.get(part.key, part.key.replace("_", " ")), part.busy.value, waits, part.idle.value))
    if not rows:
        return None
    rows = [row for row in rows if row[1] + sum(count for _, count in row[2]) + row[3] > 0]
    data = []
    for name, colour, pattern, pick in (
        ("busy", BLUE, "", lambda row: row[1]),
        ("waits for another block", ORANGE, "/", lambda row: sum(count for _, count in row[2])),
        ("idle", "#DDE2E7", "", lambda row: row[3]),
    ):
        whole = [row[1] + sum(count for _, count in row[2]) + row[3] for row in rows]
        detail = []
        for row, all_ in zip(rows, whole):
            lines = [f"{pick(row):,} of {all_:,} cycles"]
            if name.startswith("waits"):
                order = sorted((one for one in row[2] if one[1]), key=lambda one: -one[1])
                lines += [f"{who}: {count:,} ({percent(count / all_)})" for who, count in order]
            detail.append("<br>".join(lines))
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": [row[0] for row in rows],
                "x": [100 * pick(row) / all_ for row, all_ in zip(rows, whole)],
                "customdata": detail,
                "hovertemplate": "%{y}, " + name + ": %{x:.1f} %<br>%{customdata}<extra></extra>",
                "marker": {
                    "color": colour,
                    "line": {"color": "white", "width": 1},
                    "pattern": stroked(pattern),
                },
            }
        )
    layout = base_layout(
        xaxis={"title": {"text": "share of the block's cycles, %"}, "range": [0, 101]},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return Figure(
        "blocks",
        "Utilisation and waits, block by block",
        data,
        layout,
        120 + 30 * len(rows),
        "A block that is busy all the time bounds the machine; one that waits says for whom (hover, or tap, on the "
        "bar). The controller's row is the time in which Q x K had no task.",
        "result.json, busy, idle and waits_for_* of each block",
    )


TRAFFIC = [
    ("key_msb", "K, first digits", BLUE, ""),
    ("key_lsb", "K, further digits", SKY, "/"),
    ("value", "V", GREEN, ""),
    ("value_scale", "scales of V", YELLOW, "x"),
    ("query", "queries", PINK, "\\"),
    ("out", "outputs", ORANGE, ""),
    ("descriptor", "descriptors", GREY, ""),
]


def traffic_figure(runs):
    runs = [run for run in runs if run.find("summary.dram_kv_useful") is not None]
    if not runs:
        return None
    parts = [
        (name, colour, pattern, [run.value(f"summary.dram_{key}_useful", 0) for run in runs])
        for key, name, colour, pattern in TRAFFIC
    ]
    data, layout = _bars_by_run(runs, parts, lambda v: f"{v:,} bytes", 1e6, "MB moved, useful bytes (fewer is better)")
    for bits, shape, name in (
        (12, "line-ns", "all at 12 bit"),
        (16, "diamond-open", "FP16"),
        (32, "star-open", "FP32"),
    ):
        dense = [run.value("summary.dram_kv_dense") * bits / 12 for run in runs]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"K and V {name}",
                "x": [value / 1e6 for value in dense],
                "y": _names(runs),
                "marker": {"symbol": shape, "size": 13, "color": "#1B2733", "line": {"width": 2.5, "color": "#1B2733"}},
                "customdata": [scaled(value, "B") for value in dense],
                "hovertemplate": f"K and V {name}: " + "%{customdata}<extra></extra>",
            }
        )
    return Figure(
        "traffic",
        "What is moved, and what it would be",
        data,
        layout,
        _height(len(runs), 220),
        "Bars are bytes asked for by kind. Marks are all of K and V of every token read once: at 12 bit, as FP16, as "
        "FP32. A reduction needs its baseline, so all three stand here.",
        "result.json, summary.dram_*_useful; marks: summary.dram_kv_dense x bits / 12",
    )


def waterfall_steps(run):
    """[(name, bytes left after it, what was taken)] from FP32 to what the memory transfers; exact but for rounding."""
    dense = run.value("summary.dram_kv_dense")
    useful, bursts = run.value("summary.dram_kv_useful"), run.value("summary.dram_kv_bursts")
    bits = run.value("summary.bits_read_kept_element", 0)
    kept = useful * 12 / bits if bits else 0  # elements of kept tokens, at 12 bits
    return [
        ("K and V as FP32", dense * 32 / 12),
        ("as FP16", dense * 16 / 12),
        ("at 12 bit", float(dense)),
        ("kept tokens and heads", kept),
        ("bits and values read", float(useful)),
        ("in bursts of 32 bytes", float(bursts)),
    ]


def waterfall_figure(run):
    if run.find("summary.dram_kv_useful") is None or not run.value("summary.dram_kv_useful"):
        return None
    steps = waterfall_steps(run)
    first, last = steps[0][1], steps[-1][1]
    deltas = [first] + [after[1] - before[1] for before, after in pairwise(steps)] + [last]
    left = [*steps, ("read from memory", last)]
    names = [f"{name}<br><b>{scaled(value, 'B')}, {first / value:.2f}x</b>" for name, value in left]
    data = [
        {
            "type": "waterfall",
            "orientation": "h",
            "y": names,
            "x": [delta / 1e6 for delta in deltas],
            "measure": ["absolute"] + ["relative"] * (len(steps) - 1) + ["total"],
            "textposition": "none",
            "customdata": [
                f"{name}: {value:,.0f} bytes left, {first / value:.2f}x less than FP32" for name, value in left
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
            "connector": {"line": {"color": "#B8C0C8", "width": 1}},
            "increasing": {"marker": {"color": RED}},
            "decreasing": {"marker": {"color": SKY}},
            "totals": {"marker": {"color": BLUE}},
        }
    ]
    layout = base_layout(
        xaxis={"title": {"text": "MB of K and V"}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category"},
        showlegend=False,
    )
    return Figure(
        "waterfall",
        "From FP32 to what the memory transfers",
        data,
        layout,
        400,
        "Every row takes something away from the row above it: narrower numbers first, then tokens and heads that were "
        "pruned, then bits and values that nobody asked for. Bursts of 32 bytes add a little. Under each "
        "name stands what is left, and how many times less that is than FP32.",
        "result.json, summary.dram_kv_dense, .bits_read_kept_element, .dram_kv_useful, .dram_kv_bursts",
    )


def _cost_parts(runs, key):
    """(name, colour, pattern, values) of blocks, the small ones together."""
    blocks = {}
    for run in runs:
        for part in run.result.cost if "cost" in run.result else ():
            if hasattr(part, "statistics") and part.key.startswith("block_") and key in part:
                name = part.key.removeprefix("block_")
                blocks.setdefault(BLOCK_NAMES.get(name, name.replace("_", " ")), {})[run.label] = part[key].value
    order = sorted(blocks, key=lambda name: -max(blocks[name].values()))
    colours = [GREEN, ORANGE, PINK, SKY, YELLOW, RED]
    patterns = ["", "", "\\", "/", "x", "."]
    parts = [
        (name, colour, pattern, [blocks[name].get(run.label, 0) for run in runs])
        for name, colour, pattern in zip(order, colours, patterns)
    ]
    rest = [sum(blocks[name].get(run.label, 0) for name in order[len(colours) :]) for run in runs]
    return [*parts, (f"{max(0, len(order) - len(colours))} smaller blocks", GREY, "", rest)]


def costed(runs):
    return [run for run in runs if run.find("cost.energy") is not None]


def energy_figure(runs):
    runs = costed(runs)
    if not runs:
        return None
    memory = ("memory (off chip)", BLUE, "", [run.value("cost.memory.energy") for run in runs])
    data, layout = _bars_by_run(
        runs, [memory, *_cost_parts(runs, "energy")], lambda v: scaled(v, "J"), 1e-6, "energy of the run, µJ"
    )
    return Figure(
        "energy",
        "Energy, by block",
        data,
        layout,
        _height(len(runs), 220),
        "Dynamic energy and leakage of the whole run together. Attention alone: the model's weights take none here.",
        "result.json, cost.*.energy; what each figure rests on: winnow run --sources, docs/cost.md",
    )


def area_figure(runs):
    runs = costed(runs)
    if not runs:
        return None
    data, layout = _bars_by_run(runs, _cost_parts(runs, "area"), lambda v: f"{v:.3f} mm²", 1, "area of the chip, mm²")
    return Figure(
        "area",
        "Area, by block",
        data,
        layout,
        _height(len(runs), 220),
        "Arrays and logic, without placement and pads. Area is the machine's: runs on the same machine have the same.",
        "result.json, cost.*.area",
    )


def log_ticks(low, high):
    """1, 2, 5, 10 ... of a logarithmic axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [m * 10.0**k for k in decades for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    return {"tickvals": values, "ticktext": [f"{value:,g}" if value < 1e6 else f"{value:g}" for value in values]}


def roofline_point(run):
    """(operations a byte, operations a second, peak, attainable bytes a second), or None."""
    seconds, moved = run.value("summary.time_at_the_clock", 0), run.value("summary.bandwidth_achieved", 0)
    products = [run.value(f"{block}.multiplications") for block in ("qk", "pv")]
    sizes = [run.setting(f"machine.{block}.multipliers") for block in ("qk", "pv")]
    clock, bandwidth = run.setting("machine.clock_ghz"), run.value("summary.bandwidth_attainable", 0)
    if None in (*products, *sizes, clock) or not (seconds and moved and bandwidth and sum(products)):
        return None
    operations = 2 * sum(products)
    peak = 2 * sum(int(size) for size in sizes) * float(clock) * 1e9
    return operations / (moved * seconds), operations / seconds, peak, bandwidth


def roofline_figure(runs):
    points = [(i, run, roofline_point(run)) for i, run in enumerate(runs)]
    points = [one for one in points if one[2] is not None]
    if not points:
        return None
    low = min(point[0] for _, _, point in points) / 4
    high = max(max(point[0], point[2] / point[3]) for _, _, point in points) * 4
    data, roofs = [], {}
    for i, run, (_, _, peak, bandwidth) in points:
        roofs.setdefault((peak, bandwidth), []).append((i, run))
    for (peak, bandwidth), under in roofs.items():
        knee = peak / bandwidth
        steps = [low * (high / low) ** (k / 40) for k in range(41)]
        xs = sorted([*steps, knee])
        names = ", ".join(short(run.label) for _, run in under)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": [min(peak, x * bandwidth) / 1e9 for x in xs],
                "line": {"color": RUN_COLOURS[under[0][0] % 8], "width": 1.5, "dash": "dash"},
                "showlegend": False,
                "hovertemplate": f"roof of {names}<br>{scaled(bandwidth, 'B/s')} attainable, "
                f"{scaled(peak, 'op/s')} peak<extra></extra>",
            }
        )
    for i, run, (intensity, rate, peak, bandwidth) in points:
        roof = min(peak, intensity * bandwidth)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": short(run.label),
                "x": [intensity],
                "y": [rate / 1e9],
                "marker": {
                    "size": 13,
                    "symbol": RUN_SHAPES[i % 8],
                    "color": RUN_COLOURS[i % 8],
                    "line": {"color": "white", "width": 1},
                },
                "hovertemplate": f"{short(run.label)}<br>%{{x:.3g}} operations a byte<br>%{{y:.4g}} Gop/s, "
                f"{percent(rate / roof)} of its roof<extra></extra>",
            }
        )
    layout = base_layout(
        xaxis={
            "title": {"text": "operations a byte moved"},
            "type": "log",
            "range": [math.log10(low), math.log10(high)],
            **log_ticks(low, high),
        },
        yaxis={"title": {"text": "Gop/s"}, "type": "log", **log_ticks(1, 1e6)},
        legend={"y": 1.02},
    )
    return Figure(
        "roofline",
        "Roofline, with the measured points",
        data,
        layout,
        430,
        "A point is a run. Its roof is the dashed line of its colour: on the slope the memory bounds it, on the flat "
        "part the multipliers do. The slope is the bandwidth that the memory reaches on this run's own requests, not "
        "the pins'. A product counts as two operations. Distance below the roof is time lost in the chain between "
        "blocks. Multipliers made of bricks (machine winnow) multiply narrow words faster than the flat part says.",
        "result.json, qk.multiplications, pv.multiplications, summary.bandwidth_achieved, .bandwidth_attainable, "
        ".time_at_the_clock; peak: multipliers of Q x K and P x V x 2 x clock",
    )


def layers_figure(run):
    """Cycles and bytes of K and V, layer by layer, mean over the steps."""
    rows = {}
    for row in run.layers:
        kv = sum(int(row[f"{key}_bytes"]) for key in ("key_msb", "key_lsb", "value", "value_scale"))
        rows.setdefault(int(row["layer"]), []).append((int(row["cycles"] or 0), kv))
    if not rows:
        return None
    layers = sorted(rows)
    cycles, moved = ([sum(one[k] for one in rows[layer]) / len(rows[layer]) for layer in layers] for k in (0, 1))
    data = [
        {
            "type": "bar",
            "name": name,
            "x": layers,
            "y": values,
            "xaxis": "x",
            "yaxis": axis,
            "marker": {"color": colour},
            "hovertemplate": "layer %{x}: " + text + "<extra></extra>",
        }
        for name, values, axis, colour, text in (
            ("cycles", cycles, "y", BLUE, "%{y:,.0f} cycles"),
            ("kB of K and V", [value / 1e3 for value in moved], "y2", GREEN, "%{y:,.1f} kB of K and V"),
        )
        if any(values)
    ]
    layout = base_layout(
        xaxis={"title": {"text": "layer"}, "anchor": "y2", "dtick": max(1, len(layers) // 6)},
        yaxis={"title": {"text": "cycles"}, "domain": [0.56, 1], "rangemode": "tozero"},
        yaxis2={"title": {"text": "kB"}, "domain": [0, 0.44], "rangemode": "tozero", "anchor": "x"},
    )
    return Figure(
        "layers",
        "Layer by layer",
        data,
        layout,
        380,
        "Cycles, and useful bytes of K and V, of each layer: the mean over the steps that ran.",
        "layers.csv, cycles and *_bytes",
    )


def _map(survival, z, title, colour_title, key, text, source, zmin, zmax, ticks=None):
    words = [repr(word.strip() or word)[1:-1] for word in survival.texts]
    n = len(words)
    step = max(1, n // 8)
    data = [
        {
            "type": "heatmap",
            "z": z,
            "x": list(range(n)),
            "y": survival.layers,
            "zmin": zmin,
            "zmax": zmax,
            "colorscale": "Cividis",
            "customdata": [words for _ in survival.layers],
            "hovertemplate": "layer %{y}, token %{x} %{customdata}<br>" + colour_title + ": %{text}<extra></extra>",
            "text": [[percent(v) if ticks is None else percent(10**v) for v in row] for row in z],
            "colorbar": {
                "title": {"text": colour_title, "side": "top"},
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "thickness": 12,
                "len": 1,
                **({"tickformat": ".0%"} if ticks is None else {"tickvals": ticks[0], "ticktext": ticks[1]}),
            },
        }
    ]
    layout = base_layout(
        xaxis={
            "title": {"text": "token (position in the text)"},
            "dtick": step,
            "showgrid": False,
            "range": [-0.5, n - 0.5],
        },
        yaxis={"title": {"text": "layer"}, "autorange": "reversed", "showgrid": False},
    )
    return Figure(key, title, data, layout, 200 + min(360, 40 + 12 * len(survival.layers)), text, source)


def survival_figure(survival):
    return _map(
        survival,
        survival.used,
        "Tokens that are read, by layer",
        "share of heads and queries that read the token's V",
        "survival",
        "A column is a token, a row a layer, the first on top. Dark means that nobody reads the token there. A column "
        "that goes dark and stays dark was pruned for good; one that comes and goes is chosen anew in each layer.",
        f"golden's decisions, walked again; {survival.compared:,} of its counts equal layers.csv",
        0,
        1,
    )


def importance_figure(survival):
    shares = [share for row in survival.importance for share in row if share > 0]
    if not shares:
        return None
    floor = max(min(shares), 1e-5)
    z = [[round(math.log10(max(share, floor)), 4) for share in row] for row in survival.importance]
    low, high = math.log10(floor), math.log10(max(shares))
    ticks = list(range(math.ceil(low), math.floor(high) + 1))
    return _map(
        survival,
        z,
        "Importance that tokens have earned",
        "share of all importance (logarithmic)",
        "importance",
        "Importance is the attention probability that a token has received so far, summed over heads, queries, layers "
        "and steps. Cascade pruning ranks tokens by it. A few tokens, the first among them, take most.",
        "golden's importance after each layer of the last step",
        low,
        high,
        (ticks, [f"{100 * 10.0**k:g} %" for k in ticks]),
    )


GPU_KEYS = ["time_a_layer", "dram_bytes_a_layer", "energy_a_layer_gpu", "energy_a_layer_dram"]


def a_layer(run):
    """{key of GPU_KEYS: value}: a GPU's own, or a run's mean over the layers that its summary counts."""
    found = {key: run.value(f"summary.{key}") for key in GPU_KEYS}
    found = {key: value for key, value in found.items() if value is not None}
    layers, cycles = run.value("summary.layers_run", 0), run.value("summary.cycles", 0)
    whole, seconds = run.value("summary.cycles_whole_run", 0), run.value("summary.time_at_the_clock", 0)
    if "time_a_layer" in found or not layers:
        return found
    if whole and seconds:
        found["time_a_layer"] = seconds * cycles / whole / layers
    if run.value("summary.dram_all_bursts"):
        found["dram_bytes_a_layer"] = run.value("summary.dram_all_bursts") / layers
    if run.value("summary.dram_energy") and cycles == whole:
        found["energy_a_layer_dram"] = run.value("summary.dram_energy") / layers
    return found


def gpu_figure(runs):
    if not any(run.is_gpu for run in runs):
        return None
    found = [(run, a_layer(run).get("time_a_layer")) for run in runs]
    found = [(run, seconds) for run, seconds in found if seconds]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [short(run.label) for run, _ in found if run.is_gpu == gpu],
            "x": [seconds * 1e6 for run, seconds in found if run.is_gpu == gpu],
            "text": [scaled(seconds, "s") for run, seconds in found if run.is_gpu == gpu],
            "textposition": "auto",
            "marker": {"color": colour},
            "hovertemplate": "%{y}: %{text} a layer<extra></extra>",
        }
        for gpu, name, colour in ((False, "simulated machine", BLUE), (True, "GPU, measured", ORANGE))
    ]
    shown = [seconds * 1e6 for _, seconds in found]
    low, high = min(shown, default=1) / 2, max(shown, default=1) * 1.3
    layout = base_layout(
        xaxis={
            "title": {"text": "time a layer, µs (logarithmic)"},
            "type": "log",
            "range": [math.log10(low), math.log10(high)],
            **log_ticks(low, high),
        },
        yaxis={"autorange": "reversed", "type": "category"},
    )
    return Figure(
        "gpu",
        "The GPU beside it",
        data,
        layout,
        _height(len(found), 170),
        "Time of one attention layer. The GPU's is measured, its fastest dense kernel with a cold cache; the machine's "
        "is simulated, the mean of its layers. Compare only where trace and shape are the same: see the runs above.",
        "result.json, summary.time_a_layer; of a machine summary.time_at_the_clock x cycles / cycles_whole_run / "
        "layers_run",
    )
