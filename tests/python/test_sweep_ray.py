"""A sweep on a real Ray cluster: one of its own, and one that `ray start` has started."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
pytest.importorskip("ray", reason="scripts/setup --ray brings it")
from test_sweep import begin, files, journal, lines_of, main, written
from winnow import sweep


@pytest.fixture(scope="module", autouse=True)
def _of_its_own():
    """A home for what Ray may leave there, and a token: nobody else can use what is started here."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", home)
        patched.setenv("RAY_AUTH_MODE", "token")
        patched.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield Path(home)


def free_ports(count):
    """All open at once, so that they differ."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


@contextmanager
def started():
    """HOST:PORT and ray://HOST:PORT of `ray start --head`; the kernel ends it when the test is killed."""
    port, client = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="wray-") as folder:  # sockets lie in it: a short path
        words = [
            "setpriv",
            "--pdeathsig=TERM",
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            "--head",
            "--block",
        ]
        words += [f"--port={port}", f"--ray-client-server-port={client}", "--num-cpus=2", f"--temp-dir={folder}"]
        words += ["--node-ip-address=127.0.0.1", "--include-dashboard=false", "--disable-usage-stats"]
        with open(Path(folder) / "log", "w+") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            while "ray.init" not in Path(log.name).read_text():  # it prints how to connect when it is there
                assert process.poll() is None, Path(log.name).read_text()
                time.sleep(0.1)  # the test's own time limit is the limit
        yield f"127.0.0.1:{port}", f"ray://127.0.0.1:{client}"
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def cluster():
    with started() as addresses:
        yield addresses


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The sweep by processes of this machine."""
    at = tmp_path_factory.mktemp("whole")
    sweep.run(sweep.load(written(at / "s.yaml")), at / "r", jobs=2)
    return at / "r"


def by_ray(address, path, folder, *more):
    code, out, error = main("sweep", path, "-o", folder, "--ray", address, *more)
    assert code == 0 and error == "", error
    assert "golden: 24 points measured" in out


def test_a_cluster_of_its_own(whole, _of_its_own, tmp_path, compared, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    by_ray("local", written(tmp_path / "s.yaml"), tmp_path / "r")
    assert os.listdir(_of_its_own) == []
    assert files(tmp_path / "r") == files(whole)
    compared(sum(len(data) for data in files(whole)))


def test_a_cluster_that_was_started(cluster, whole, tmp_path, compared):
    path = written(tmp_path / "s.yaml")
    for number, address in enumerate(cluster):
        by_ray(address, path, tmp_path / str(number))
        assert files(tmp_path / str(number)) == files(whole)
        compared(sum(len(data) for data in files(whole)))


def test_a_crash_has_the_same_cause(cluster, tmp_path, compared):
    path = written(tmp_path / "s.yaml", search="{method: grid}", select_keep="[0.9]", k_digits="[[4, 4], [3, 3]]")
    for name, where in (("local", "jobs=2"), ("ray", f"ray={cluster[0]!r}")):
        assert begin(path, tmp_path / name, where, "fragile").wait() == 0
    assert files(tmp_path / "ray") == files(tmp_path / "local")
    causes = [one.get("why") for one in journal(tmp_path / "ray")]
    assert causes.count("its process was ended by SIGSEGV") == 2
    compared(len(causes))


def test_a_killed_sweep_goes_on_without_the_cluster(cluster, whole, tmp_path, compared):
    path, folder = written(tmp_path / "s.yaml"), tmp_path / "r"
    process = begin(path, folder, f"ray={cluster[0]!r}")
    while len(lines_of(folder)) < 9 and process.poll() is None:
        time.sleep(0.002)
    assert process.poll() is None
    process.kill()
    process.wait()
    before = lines_of(folder)
    sweep.run(sweep.load(path), folder, jobs=2, resume=True)
    assert lines_of(folder)[: len(before)] == before and len(journal(folder)) == len(journal(whole))
    assert files(folder) == files(whole)
    compared(len(before))


def test_a_cluster_that_ends(whole, tmp_path, compared):
    """One line; what was on its way is not finished, and no failure of its point."""
    path, folder = (
        written(tmp_path / "s.yaml", search="{method: random, points: 400, batch: 400, seed: 3}"),
        tmp_path / "r",
    )
    with started() as (address, _):
        words = [sys.executable, "-m", "winnow", "sweep", path, "-o", folder, "--ray", address]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while len(lines_of(folder)) < 9 and process.poll() is None:
            time.sleep(0.01)
    out, error = process.communicate(timeout=300)
    assert (process.returncode, out) == (2, "") and error.count("\n") == 1, error
    assert error.startswith(f"winnow: --ray: {address}: ") and error.endswith(
        "; --resume goes on with what is finished\n"
    )
    states = [one["state"] for one in journal(folder) if "point" in one]
    assert set(states) == {"measured"} and 8 <= len(states) < 400
    compared(len(states))


def test_a_cluster_that_asks_for_a_token(cluster, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    code, out, error = main("sweep", written(tmp_path / "s.yaml"), "-o", tmp_path / "r", "--ray", cluster[0])
    assert (code, out) == (2, "") and error.startswith(f"winnow: --ray: {cluster[0]}: "), error
    assert error.endswith("; one that asks for a token needs RAY_AUTH_MODE=token\n") and error.count("\n") == 1


def test_addresses_that_do_not_answer(tmp_path):
    """One line, soon; nothing is written."""
    path = written(tmp_path / "s.yaml")
    free = free_ports(1)[0]
    web = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(free), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            while socket.socket().connect_ex(("127.0.0.1", free)):
                time.sleep(0.05)
            port = silent.getsockname()[1]
            for address, line in (
                ("127.0.0.1:9", "does not answer: Connection refused"),
                (f"127.0.0.1:{port}", "does not answer: timed out"),
                (f"ray://127.0.0.1:{port}", "does not answer: timed out"),
                (f"127.0.0.1:{free}", "is no Ray cluster: must be the address that `ray start --head` prints"),
                ("no.such.host.invalid:6379", "does not answer: "),
            ):
                since = time.monotonic()
                code, out, error = main("sweep", path, "-o", tmp_path / "r", "--ray", address)
                assert (code, out) == (2, "") and error.startswith(f"winnow: --ray: {address}: {line}"), error
                assert (
                    error.count("\n") == 1 and time.monotonic() - since < 60
                )  # starts too; without a limit it is minutes
    finally:
        web.kill()
        web.wait()
    assert not (tmp_path / "r").exists()
