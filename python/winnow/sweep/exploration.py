"""A sweep from its spec to its tables."""

import json
import os
from dataclasses import dataclass

import pandas
from winnow_traces.progress import progress_bar

from winnow._core import Error
from winnow.sweep import measure as measuring
from winnow.sweep.folder import Folder
from winnow.sweep.metrics import METRICS
from winnow.sweep.promotion import promoted
from winnow.sweep.tables import frame_of, write
from winnow.sweep.workers import LocalWorkers

MOST_JOBS = 1024  # processes on one machine
BATCHES_WITHOUT_NEWS = 5  # then the space holds nothing more that the search would ask for


@dataclass
class Outcome:
    """`points`: a row a point (tables.frame_of). `front`: those of the last stage that nothing beats."""

    points: pandas.DataFrame
    lines: list  # a sentence a stage, for people

    @property
    def front(self):
        return self.points[self.points.front].reset_index(drop=True)


def _key(params):
    return json.dumps(params, sort_keys=True)


class _Sweep:
    def __init__(self, spec, folder, workers, studies, threads):
        self.spec, self.folder, self.workers, self.studies = spec, folder, workers, studies
        self.threads = threads
        self.points, self.numbers = [], {}  # params; their key -> number
        self.lines = []

    def _known(self, stage, point, keys):
        """Of each metric the figure of the highest fidelity up to a stage; None where one is missing."""
        found = {}
        for index in range(stage + 1):
            found |= self.folder.answers.get((index, point), {}).get("figures", {})
        return [found[key] for key in keys] if all(key in found for key in keys) else None

    def _available(self, stage, keys):
        """Those that some stage up to this one gives."""
        here = [one.fidelity for one in self.spec.stages[: stage + 1]]
        return [key for key in keys if any(one in METRICS[key].given_by for one in here)]

    def _over(self, stage, point):
        keys = self._available(stage, self.spec.at_most)
        figures = self._known(stage, point, keys) or []
        return {key: value - self.spec.at_most[key] for key, value in zip(keys, figures)}

    def task(self, stage, point):
        return measuring.task_of(self.spec, self.spec.stages[stage], self.points[point])

    def command(self, stage, point):
        return measuring.command_of(self.task(stage, point))

    def measure(self, stage, points):
        """Those of them that were not finished before."""
        left = [one for one in points if (stage, one) not in self.folder.answers]
        tasks = [self.task(stage, one) | {"threads": self.threads} for one in left]
        with progress_bar(len(tasks), "point", self.spec.stages[stage].fidelity) as bar:
            for index, answer in self.workers.run(tasks):
                if answer["state"] != "measured":
                    answer = {**answer, "command": self.command(stage, left[index])}
                self.folder.note_answer(stage, left[index], answer)
                bar.update(1)
        for point in points:
            self._show(stage, point)

    def _show(self, stage, point):
        answer = self.folder.answers[stage, point]
        keys = self._available(stage, self.spec.objectives)
        user = {"command": self.command(stage, point), **{key: answer[key] for key in ("why",) if key in answer}}
        values = self._known(stage, point, keys) if answer["state"] == "measured" else None
        self.studies.add(stage, point, self.points[point], values, self._over(stage, point), user)

    def _number(self, params):
        """Of a point, new or not."""
        key = _key(params)
        if key not in self.numbers:
            self.numbers[key] = len(self.points)
            self.points.append(params)
        return self.numbers[key]

    def search(self):
        from winnow.sweep import search

        spec = self.spec
        keys = self._available(0, spec.objectives)
        tidy = {one.name: one.tidy for one in spec.parameters}
        history, batch, without_news = [], 0, 0
        size = sum(1 for _ in spec.grid()) if spec.method == "grid" else spec.points
        while len(self.points) < size and without_news < BATCHES_WITHOUT_NEWS:
            if batch < len(self.folder.asked):
                asked = self.folder.asked[batch]
            else:
                # What depends on no answer needs no wait for any.
                free = size if spec.method in ("grid", "random") else spec.batch
                asked = search.ask(spec, batch, min(free, size - len(self.points)), history, len(keys))
                self.folder.note_asked(asked)
            before = len(self.points)
            numbers = [self._number({name: tidy[name](x) for name, x in params.items()}) for params, _ in asked]
            self.measure(0, list(dict.fromkeys(numbers)))
            for number, (params, attrs) in zip(numbers, asked):
                fine = self.folder.answers[0, number]["state"] == "measured"
                history.append((params, attrs, self._known(0, number, keys) if fine else None, self._over(0, number)))
            without_news = 0 if len(self.points) > before else without_news + 1
            batch += 1

    def _candidates(self, stage, points):
        """(numbers, values) of those that were measured and keep to the limits."""
        keys = self._available(stage, self.spec.objectives)
        fine = [one for one in points if self.folder.answers[stage, one]["state"] == "measured"]
        fine = [one for one in fine if all(x <= 0 for x in self._over(stage, one).values())]
        return fine, [self._known(stage, one, keys) for one in fine]

    def _say(self, stage, points):
        states = [self.folder.answers[stage, one]["state"] for one in points]
        parts = [f"{states.count(state):,} {state}" for state in ("refused", "failed") if state in states]
        within = len(self._candidates(stage, points)[0])
        if self.spec.at_most:
            parts.append(f"{within:,} within the limits")
        text = f"{self.spec.stages[stage].fidelity}: {states.count('measured'):,} points measured"
        self.lines.append(", ".join([text, *parts]))

    def run(self):
        """Numbers of the front."""
        self.search()
        points = list(range(len(self.points)))
        self._say(0, points)
        for stage in range(1, len(self.spec.stages)):
            self.save(set())
            points = promoted(*self._candidates(stage - 1, points), self.spec.stages[stage - 1].keep)
            self.measure(stage, points)
            self._say(stage, points)
        return set(promoted(*self._candidates(len(self.spec.stages) - 1, points), None))

    def save(self, front):
        frame = frame_of(self.spec, self.points, self.folder.answers, front, self.command)
        write(frame, self.folder.path)
        return frame


def _workers(spec, jobs, ray, measure):
    if ray is None:
        return LocalWorkers(jobs, measure)
    from winnow.sweep.cluster import RayWorkers

    return RayWorkers(ray, jobs, measure)


def run(spec, folder, *, jobs=None, ray=None, resume=False, measure=measuring.measure):
    """Measures the points of a Spec into a folder; returns an Outcome. What is finished there is not measured again.

    jobs     processes (default: one a core)
    ray      the address of a cluster instead; neither changes a byte of the results
    resume   go on with a sweep that the folder holds
    measure  what a worker does with a task (winnow.sweep.measure); it can be imported there under its name

    Raises Error: a storage or cluster that does not answer, a folder of another sweep or in use, a missing package."""
    try:
        import optuna  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise Error(f"sweep: the package {error.name} is not installed: scripts/setup --python") from error
    from winnow.sweep.studies import Studies

    cores = os.cpu_count() or 1
    jobs = cores if jobs is None else jobs
    if jobs < 1:
        raise Error(f"--jobs: {jobs}: must be at least 1")
    if jobs > MOST_JOBS:
        raise Error(f"--jobs: {jobs}: must be at most {MOST_JOBS:,}")
    workers = _workers(spec, jobs, ray, measure)
    try:
        with Folder(folder, spec, resume) as opened:
            sweep = _Sweep(spec, opened, workers, None, max(1, cores // jobs))
            objectives = [sweep._available(stage, spec.objectives) for stage in range(len(spec.stages))]
            sweep.studies = Studies(spec, opened.path, objectives, opened.identity)
            opened.begin()
            frame = sweep.save(sweep.run())
    finally:
        workers.close()
    return Outcome(frame, sweep.lines)
