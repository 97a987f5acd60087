"""When each block worked for which head, from the timeline that `winnow run --timeline` left in the run's folder.
Without one, when each layer ran, from layers.csv."""

import json
from dataclasses import dataclass

from winnow._core import Error

FILE = "timeline.json"
FORMAT = "winnow-timeline-1"  # kFormat of sim/machine/timeline.cpp; a test holds the two together
MOST = 40_000  # slices in the page; Perfetto opens all of them
FIELDS = ("from", "cycles", "step", "layer", "head", "busy")  # of a slice; head -1: none


@dataclass
class Timeline:
    tracks: list  # [(name, [slice, ...])], a slice as FIELDS, by time
    source: str
    until: int | None = None  # the first cycle that is not in it; None: all are

    @property
    def slices(self):
        return sum(len(of) for _, of in self.tracks)

    @property
    def has_heads(self):
        return len(self.tracks) > 2


def _of_layers(run):
    """Two tracks: steps, and layers one behind the other."""
    steps, layers, now = [], [], 0
    for row in run.layers:
        cycles = int(row["cycles"] or 0)
        if not cycles:
            continue
        step, layer = int(row["step"]), int(row["layer"])
        layers.append([now, cycles, step, layer, -1, cycles])
        if steps and steps[-1][2] == step:
            steps[-1][1] += cycles
            steps[-1][5] += cycles
        else:
            steps.append([now, cycles, step, -1, -1, cycles])
        now += cycles
    if not layers:
        return None
    return Timeline([("steps", steps), ("layers", layers)], "layers.csv, cycles")


def _cycles(microseconds):
    return round(1000 * microseconds)


def _of_file(run, file):
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
        other, events = tree["otherData"], tree["traceEvents"]
        form = other["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Error(f"{file}: no timeline: must be what winnow run --timeline wrote") from error
    if form != FORMAT:
        raise Error(f"{file}: format: '{form}': another version: this winnow reads {FORMAT} alone: run again")
    whole = run.value("summary.cycles_whole_run")
    if other["cycles"] != whole:
        raise Error(f"{file}: cycles: {other['cycles']}: must be the run's, {whole}: it is another run's")
    names, of = {}, {}
    for event in events:
        if event["ph"] == "M" and event["name"] == "thread_name":
            names[event["tid"]] = event["args"]["name"]
        elif event["ph"] == "X":
            about = event["args"]
            cycles = _cycles(event["dur"])
            of.setdefault(event["tid"], []).append(
                [
                    _cycles(event["ts"]),
                    cycles,
                    about.get("step", -1),
                    about.get("layer", -1),
                    about.get("head", -1),
                    about.get("busy", cycles),
                ]
            )
    tracks = [(names[tid], sorted(of[tid])) for tid in sorted(of)]
    return Timeline(tracks, f"{FILE}, {other['events']:,} events", other.get("cut_at"))


def _shortened(made):
    """What begins before the first cycle at which the page would be full."""
    if made.slices <= MOST:
        return made
    starts = sorted(one[0] for _, of in made.tracks for one in of)
    made.until = starts[MOST]
    made.tracks = [(name, [one for one in of if one[0] < made.until]) for name, of in made.tracks]
    return made


def timeline(run):
    """The run's Timeline, or None where it has no cycles. Raises Error for a file of another run."""
    file = run.path / FILE
    made = _of_file(run, file) if file.is_file() else _of_layers(run)
    return made and _shortened(made)


def embedded(made):
    """For the page's script: a track's fields as columns, times as differences."""
    tracks = []
    for name, of in made.tracks:
        columns = {key: [one[i] for one in of] for i, key in enumerate(FIELDS)}
        columns["from"] = [now - before for now, before in zip(columns["from"], [0, *columns["from"]])]
        tracks.append({"name": name, **columns})
    return {"tracks": tracks}
