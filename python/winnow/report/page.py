"""One HTML file from runs: text and tables from page.html, plots as Plotly's JSON, its JavaScript once."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from winnow._core import Error
from winnow.report import figures, shell, sweep_page
from winnow.report.sentences import comparable, reference_of, sentences
from winnow.report.stored_run import load_runs
from winnow.report.stored_sweep import is_sweep, load_sweep
from winnow.report.tables import compared, every_statistic, settings_that_differ
from winnow.report.timeline import embedded, timeline
from winnow.report.tokens import Missing, survival


@dataclass
class Written:
    path: Path
    runs: int
    plots: int
    statistics: int
    notes: list  # what a report lacks, and why
    points: int = 0  # of a sweep


def _words(made):
    """Tokens for the page: text, share of layers in which it is read, the layer after which it lives no more."""
    words = []
    for token, text in enumerate(made.texts):
        used = [row[token] for row in made.used]
        dead = next((made.layers[i] for i, row in enumerate(made.live) if row[token] == 0), None)
        words.append(
            {"text": text, "share": sum(used) / len(used), "dead": dead, "generated": token >= made.generated_from}
        )
    return words


def _run_part(index, run, trace, wanted):
    """Everything about one run: its plots, and the words where they can be had."""
    plots = [figures.waterfall_figure(run), figures.blocks_figure(run), figures.layers_figure(run)]
    times = timeline(run)
    made, why = None, "left out by --no-tokens"
    if wanted:
        try:
            made = survival(run, trace)
        except Missing as missing:
            why = str(missing)
    if made is not None:
        plots += [figures.survival_figure(made), figures.importance_figure(made)]
    return {
        "index": index,
        "run": run,
        "plots": [plot for plot in plots if plot is not None],
        "timeline": times,
        "survival": made,
        "words": _words(made) if made else [],
        "why": why,
    }


def page(runs, trace=None, tokens=True):
    """(HTML, number of plots, notes)."""
    reference = reference_of(runs)
    simulated = [run for run in runs if not run.is_gpu]
    shared = [
        figures.time_figure(simulated),
        figures.traffic_figure(simulated),
        figures.energy_figure(simulated),
        figures.area_figure(simulated),
        figures.roofline_figure(simulated),
        figures.gpu_figure(runs),
    ]
    shared = [plot for plot in shared if plot is not None]
    parts = [_run_part(i, run, trace, tokens) for i, run in enumerate(runs) if not run.is_gpu]
    plots = {f"plot-{plot.key}": shell.checked(plot) for plot in shared}
    for part in parts:
        plots.update({f"plot-{part['index']}-{plot.key}": shell.checked(plot) for plot in part["plots"]})
        if part["timeline"]:
            plots[f"plot-{part['index']}-timeline"] = {"timeline": embedded(part["timeline"])}
    notes = [
        f"No picture of tokens for {part['run'].label}: {part['why']}" for part in parts if part["survival"] is None
    ]
    without = [run.label for run in simulated if run.find("summary.cycles") and not run.find("cost.energy")]
    if without:
        notes.append(f"No energy in the result of {', '.join(without)}: winnow run says why")
    apart = [run.label for run in simulated if run is not reference and not comparable(run, reference)]
    if apart:
        notes.append(
            f"The sentences compare with {reference.label}; of another trace, other layers or steps: {', '.join(apart)}"
        )
    survivals = {
        part["index"]: {
            "layers": part["survival"].layers,
            "live": part["survival"].live,
            "used": part["survival"].used,
        }
        for part in parts
        if part["survival"]
    }
    html = shell.html(
        shell.HERE / "page.html",
        data={"plots": plots, "survivals": survivals},
        scripts=[shell.HERE / "timeline.js", shell.HERE / "page.js"],
        title="Winnow report: " + ", ".join(run.label for run in runs),
        runs=runs,
        reference=reference,
        sentences=sentences(runs),
        notes=notes,
        shared=shared,
        parts=parts,
        compared=compared(runs, reference),
        settings=settings_that_differ(runs),
        every=every_statistic(runs),
    )
    return html, len(plots), notes


def _sweep_among(folders):
    """The sweep that is to be reported, or None where all are runs."""
    sweeps = [folder for folder in folders if is_sweep(folder)]
    if sweeps and len(folders) > 1:
        raise Error(f"{sweeps[0]}: is a sweep's: must be the only folder of its report")
    return load_sweep(sweeps[0]) if sweeps else None


def write(folders, path="report.html", *, trace=None, tokens=True, force=True):
    """Writes the report of these runs' folders, or of one sweep's.

    trace    where the runs' trace lies now, if not where their manifests say
    tokens   False: without the pictures of tokens, for which golden walks the trace again

    The same folders give the same bytes. Raises Error on bad input; nothing is written then."""
    path = Path(path)
    sweep = _sweep_among(folders)
    runs = [] if sweep else load_runs(folders)
    if trace is not None and not str(trace).startswith("synthetic:") and not Path(trace).is_file():
        raise Error(f"--trace: {trace}: no such file: must be the trace of the runs")
    if path.is_dir():
        raise Error(f"{path}: is a folder: must be a file to write")
    if path.exists() and not force:
        raise Error(f"{path}: exists: --force replaces it")
    if not path.parent.is_dir():
        raise Error(f"{path}: {path.parent}: no such folder")
    if sweep:
        html, plots, notes = sweep_page.page(sweep)
    else:
        html, plots, notes = page(runs, trace, tokens)
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(html, encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise Error(f"{path}: {error.strerror}") from error
    if sweep:
        return Written(path, 0, plots, sum(len(one.figures) for one in sweep.points), notes, len(sweep.points))
    statistics = sum(1 for run in runs for _ in run.result.statistics())
    return Written(path, len(runs), plots, statistics, notes)
