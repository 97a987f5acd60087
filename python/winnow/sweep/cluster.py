"""The same on a Ray cluster. Its machines need this checkout, and the traces, at the same paths."""

import os
import secrets
import socket
import sys
from contextlib import contextmanager

from winnow._core import Error
from winnow.sweep.workers import LocalWorkers

_SECONDS = 5  # to wait for the address
# RFC 9113: what a client of HTTP/2 says first, and the type of the frame that its server answers with.
_PREFACE, _SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), 4


def _require_answer(address):
    """Ray itself waits for minutes, and says it in many lines. Its servers speak HTTP/2, which others do not."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise Error(f"--ray: {address!r}: must be HOST:PORT, ray://HOST:PORT, auto or local")
    try:
        with socket.create_connection((host, int(port)), _SECONDS) as probe:
            probe.sendall(_PREFACE)
            answer = probe.recv(9)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Error(f"--ray: {address}: does not answer: {why}") from error
    if answer[3:4] != bytes([_SETTINGS]) and os.environ.get("RAY_USE_TLS", "0") == "0":
        raise Error(f"--ray: {address}: is no Ray cluster: must be the address that `ray start --head` prints")


def _set_up(address):
    """Ray reads these when it is imported or started; a caller's own come first."""
    settings = {"RAY_USAGE_STATS_ENABLED": "0"}
    if address == "local":  # a token of its own, where Ray would leave one in the home folder
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for key, value in settings.items():
        os.environ.setdefault(key, value)


@contextmanager
def _quiet():
    """Ray's C++ writes to the process's own stderr, however it is set. What went wrong, the exception says too."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_apart = {}  # in a worker of Ray's: a function -> the process that runs it


def _measured(measure, task):
    """In a process of its own, as without Ray: the answer is the same where it dies, and Ray's worker lives."""
    ((_, answer),) = _apart.setdefault(measure, LocalWorkers(1, measure)).run([task])
    return answer


class RayWorkers:
    """`address`: HOST:PORT; "auto": the cluster of this machine; "local": one of `jobs` processes for this sweep."""

    def __init__(self, address, jobs, measure):
        if address not in ("auto", "local"):
            _require_answer(address)
        _set_up(address)
        try:
            import ray
        except ImportError as error:
            raise Error("--ray: the package ray is not installed: scripts/setup --ray") from error
        self._ray, self._address = ray, address
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        own = {"num_cpus": jobs, "include_dashboard": False} if address == "local" else {}
        try:
            with _quiet():
                ray.init(
                    address=address,
                    runtime_env={"env_vars": {"PYTHONPATH": paths}},
                    log_to_driver=False,
                    logging_level="ERROR",
                    **own,
                )
        except Exception as error:  # Ray's kinds of error differ by version
            so = "" if os.environ.get("RAY_AUTH_MODE") else "; one that asks for a token needs RAY_AUTH_MODE=token"
            raise self._error(error, so) from error
        self._function = ray.remote(num_cpus=1)(_measured)
        self._measure = measure

    def _error(self, error, so=""):
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        return Error(f"--ray: {self._address}: {first}{so}")

    def run(self, tasks):
        """Yields (index of the task, answer) as they are done. Ray itself repeats what a lost machine had begun."""
        ray = self._ray
        waiting = {self._function.remote(self._measure, task): number for number, task in enumerate(tasks)}
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            try:
                answer = ray.get(done)
            except ray.exceptions.RayError as error:  # the cluster's fault: the point is not finished
                raise self._error(error, "; --resume goes on with what is finished") from error
            yield waiting.pop(done), answer

    def close(self):
        self._ray.shutdown()
