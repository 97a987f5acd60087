"""The same on a Ray cluster. Its machines need this checkout, and the traces, at the same paths."""

import os
import socket
import sys

from winnow._core import Error

_SECONDS = 5  # to wait for the address


def _require_answer(address):
    """Ray itself waits for minutes, and says it in many lines."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise Error(f"--ray: {address!r}: must be HOST:PORT, ray://HOST:PORT, auto or local")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Error(f"--ray: {address}: does not answer: {why}") from error


class RayWorkers:
    """`address`: HOST:PORT; "auto": the cluster of this machine; "local": one made for this sweep."""

    def __init__(self, address, measure):
        if address not in ("auto", "local"):
            _require_answer(address)
        try:
            import ray
        except ImportError as error:
            raise Error("--ray: the package ray is not installed: .venv/bin/python -m pip install ray") from error
        self._ray = ray
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
        try:
            ray.init(
                address=address,
                runtime_env={"env_vars": {"PYTHONPATH": paths}},
                log_to_driver=False,
                logging_level="ERROR",
                include_dashboard=False if address == "local" else None,
            )
        except Exception as error:  # Ray's kinds of error differ by version
            raise Error(f"--ray: {address}: {str(error).splitlines()[0]}") from error
        self._measure = ray.remote(num_cpus=1, max_retries=0)(measure)

    def run(self, tasks):
        """Yields (index of the task, answer) as they are done."""
        ray = self._ray
        waiting = {self._measure.remote(task): number for number, task in enumerate(tasks)}
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            number = waiting.pop(done)
            try:
                yield number, ray.get(done)
            except ray.exceptions.RayError as error:
                yield number, {"state": "failed", "why": f"its process ended: {type(error).__name__}"}

    def close(self):
        self._ray.shutdown()
