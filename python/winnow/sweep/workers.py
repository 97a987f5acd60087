"""Processes on this machine that measure, one point at a time each: SystemC has one kernel a process.

A process that dies takes its point with it and no other; a fresh one takes its place."""

import ctypes
import multiprocessing
import signal
from multiprocessing.connection import wait

_PR_SET_PDEATHSIG = 1


def _serve(pipe, measure):
    """Until the pipe is closed. The kernel ends this process when the sweep is killed: nothing is left behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's, which then ends its workers
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(measure(task))


class _Worker:
    def __init__(self, context, measure):
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, measure), daemon=True)
        self.process.start()
        theirs.close()
        self.number = None  # of the task it has

    def give(self, number, task):
        self.number = number
        self.pipe.send(task)

    def end(self):
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _cause(code):
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


class LocalWorkers:
    """`jobs` processes; `measure` is a function that can be imported."""

    def __init__(self, jobs, measure):
        self._context = multiprocessing.get_context("spawn")  # a fork would share SystemC's state and our lock
        self._jobs, self._measure = jobs, measure
        self._workers = []

    def run(self, tasks):
        """Yields (index of the task, answer) as they are done."""
        left = list(enumerate(tasks))[::-1]
        while len(self._workers) < min(self._jobs, len(left)):
            self._workers.append(_Worker(self._context, self._measure))
        busy = 0
        for worker in self._workers:
            if left:
                worker.give(*left.pop())
                busy += 1
        while busy:
            ready = wait([worker.pipe for worker in self._workers if worker.number is not None])
            for worker in [one for one in self._workers if one.pipe in ready]:
                number, worker.number = worker.number, None
                try:
                    answer = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    worker.process.join()
                    answer = {"state": "failed", "why": _cause(worker.process.exitcode)}
                    worker.end()
                    self._workers[self._workers.index(worker)] = worker = _Worker(self._context, self._measure)
                if left:
                    worker.give(*left.pop())
                else:
                    busy -= 1
                yield number, answer

    def close(self):
        for worker in self._workers:
            worker.end()
        self._workers = []
