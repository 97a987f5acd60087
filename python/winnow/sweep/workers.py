"""Processes on this machine that measure, one point at a time each: SystemC has one kernel a process.

A process that dies takes its point with it and no other; a fresh one takes its place."""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait

_PR_SET_PDEATHSIG = 1
_ENDED = (EOFError, OSError)  # what a pipe says whose other end is gone
# A program of its own: a fork would share SystemC's state and our lock, and multiprocessing's spawn would run a
# caller's script a second time.
_PROGRAM = "import sys; from winnow.sweep.workers import serve; serve(int(sys.argv[1]))"


def serve(descriptor):
    """In the process: first the function, then its tasks, until the pipe is closed. The kernel ends this process when
    the sweep is killed: nothing is left behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's, which then ends its workers
    with Connection(descriptor) as pipe, suppress(*_ENDED):
        measure = pipe.recv()
        while True:
            pipe.send(measure(pipe.recv()))


def _cause(code):
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


class _Worker:
    """A place for one process at a time. `number` is that of the task it has, or None."""

    def __init__(self, measure):
        self._measure, self._process = measure, None
        self.number = None

    def _start(self):
        self.end()
        self.pipe, theirs = Pipe()
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        with suppress(*_ENDED):  # answer() tells what became of it
            self.pipe.send(self._measure)

    def give(self, number, task):
        if self._process is None or self._process.poll() is not None:
            self._start()
        self.number = number
        with suppress(*_ENDED):
            self.pipe.send(task)

    def answer(self):
        """(number of the task, answer). Waits."""
        number, self.number = self.number, None
        try:
            return number, self.pipe.recv()
        except _ENDED:
            return number, {"state": "failed", "why": _cause(self._process.wait())}

    def end(self):
        if self._process is not None:
            self.pipe.close()
            self._process.kill()
            self._process.wait()
            self._process = None


class LocalWorkers:
    """`jobs` processes; `measure` is a function that can be imported."""

    def __init__(self, jobs, measure):
        self._workers = [_Worker(measure) for _ in range(jobs)]

    def run(self, tasks):
        """Yields (index of the task, answer) as they are done."""
        left = list(enumerate(tasks))[::-1]
        for worker in self._workers[: len(left)]:
            worker.give(*left.pop())
        while busy := {worker.pipe: worker for worker in self._workers if worker.number is not None}:
            for pipe in wait(list(busy)):
                number, answer = busy[pipe].answer()
                if left:
                    busy[pipe].give(*left.pop())
                yield number, answer

    def close(self):
        for worker in self._workers:
            worker.end()
