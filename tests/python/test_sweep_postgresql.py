"""A sweep whose studies stand in PostgreSQL: a server of the test's own, in a temporary folder and on a free port."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import winnow

pytest.importorskip("optuna", reason="scripts/setup --python brings it")
pytest.importorskip("pyarrow", reason="scripts/setup --python brings it")
pytest.importorskip("psycopg", reason="scripts/setup --python brings it")
import optuna
from test_sweep import SPEC, begin, files, journal, lines_of, main, written
from winnow import sweep

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
if not PROGRAMS:
    pytest.skip("apt-get install postgresql brings the server", allow_module_level=True)
BIN = PROGRAMS[-1].parent


class Server:
    """initdb and postgres refuse root, whose server is nobody's. The kernel stops it when the test is killed."""

    def __init__(self, folder):
        self._data, self._log = folder / "data", folder / "log"
        self._as = ["setpriv", "--pdeathsig=QUIT"]
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
            self._as += ["--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        (folder / "password").write_text("se@cret\n")
        os.chmod(folder / "password", 0o644)
        words = [*self._as, BIN / "initdb", "-D", self._data, "--no-sync", "--username=tester", "--auth=scram-sha-256"]
        subprocess.run([*words, f"--pwfile={folder}/password"], check=True, capture_output=True, cwd=folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    @property
    def address(self):
        return f"postgresql://tester:se%40cret@127.0.0.1:{self.port}/postgres"

    def start(self):
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "fsync=off"]
        words = [*self._as, BIN / "postgres", "-D", self._data, *(x for one in settings for x in ("-c", one))]
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self._data.parent)
        while subprocess.run(
            [BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        ).returncode:
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.05)  # the test's own time limit is the limit

    def stop(self):
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: at once
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def server():
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory(prefix="winnow-postgresql-") as folder:
        made = Server(Path(folder))
        made.start()
        yield made
        made.stop()


def trials_of(storage, name):
    """All that a study holds, without its times."""
    with_times = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    return [
        (one.state, one.params, one.values, one.distributions, one.user_attrs, one.system_attrs) for one in with_times
    ]


def in_journal(folder):
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "study.journal")))


def written_for(server, path, name):
    return written(path, SPEC + "storage: x\n", name=name, storage=server.address)


def require_same(server, name, folder, whole, compared):
    """As the folder `whole`, whose studies are called `small` and stand in a journal."""
    assert files(folder) == files(whole)
    for stage in ("", "/machine"):
        here, there = trials_of(server.address, name + stage), trials_of(in_journal(whole), "small" + stage)
        assert here == there and len(here) == (4 if stage else 24)
        compared(len(here))
    compared(sum(len(data) for data in files(folder)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same sweep with its studies in a journal."""
    at = tmp_path_factory.mktemp("journal")
    sweep.run(sweep.load(written(at / "s.yaml")), at / "r", jobs=2)
    return at / "r"


def test_the_same_as_with_a_journal(server, whole, tmp_path, compared):
    path = written_for(server, tmp_path / "s.yaml", "same")
    sweep.run(sweep.load(path), tmp_path / "r", jobs=2)
    require_same(server, "same", tmp_path / "r", whole, compared)
    sweep.run(sweep.load(path), tmp_path / "r", jobs=1, resume=True, measure=None)  # adds nothing
    require_same(server, "same", tmp_path / "r", whole, compared)
    for file in (tmp_path / "r").iterdir():
        assert b"cret" not in file.read_bytes(), file
    code, out, error = main("sweep", path, "-o", tmp_path / "other")
    assert (code, out) == (2, "") and error.count("\n") == 1
    assert f"//127.0.0.1:{server.port}/postgres: holds another sweep's study 'same': give this one another" in error


def test_a_killed_sweep_goes_on(server, whole, tmp_path, compared):
    path = written_for(server, tmp_path / "s.yaml", "killed")
    for at in (5, 15, 27):
        process = begin(path, tmp_path / "r")
        while len(lines_of(tmp_path / "r")) < at and process.poll() is None:
            time.sleep(0.002)
        assert process.poll() is None
        process.kill()
        process.wait()
    sweep.run(sweep.load(path), tmp_path / "r", jobs=2, resume=True)
    require_same(server, "killed", tmp_path / "r", whole, compared)


def test_a_server_that_ends(server, whole, tmp_path, compared):
    """In the midst of a sweep: one line. It goes on when the server is back, or with another storage."""
    path, folder = written_for(server, tmp_path / "s.yaml", "ended"), tmp_path / "r"

    def stopping(seen):
        class Bar:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def update(self, count):
                seen.append(count)
                if len(seen) == 9:
                    server.stop()

        return lambda *_: Bar()

    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sweep.exploration, "progress_bar", stopping([]))
            with pytest.raises(winnow.Error) as caught:
                sweep.run(sweep.load(path), folder, jobs=2)
        line = str(caught.value)
        assert line.startswith(f"storage: postgresql://127.0.0.1:{server.port}/postgres: "), line
        assert line.endswith("; --resume goes on with what is finished") and "\n" not in line, line
        finished = len(journal(folder))
        code, out, error = main("sweep", path, "-o", folder, "--resume")
        assert (code, out) == (2, "") and error.count("\n") == 1 and "Connection refused" in error, error
        assert len(journal(folder)) == finished
        shutil.copytree(folder, tmp_path / "elsewhere")
        other = sweep.load(written(tmp_path / "o.yaml", name="ended"))
        sweep.run(other, tmp_path / "elsewhere", jobs=2, resume=True)
        assert files(tmp_path / "elsewhere") == files(whole)
    finally:
        server.start()
    sweep.run(sweep.load(path), folder, jobs=2, resume=True)
    require_same(server, "ended", folder, whole, compared)


def test_a_server_that_refuses(server, tmp_path):
    """A wrong password, no such database: one line without the password, and the folder can be begun in."""
    for wrong, line in (
        (server.address.replace("se%40cret", "mist%40ken"), "password authentication failed"),
        (server.address.replace("/postgres", "/none"), 'database "none" does not exist'),
    ):
        path = written(tmp_path / "s.yaml", SPEC + "storage: x\n", storage=wrong)
        code, out, error = main("sweep", path, "-o", tmp_path / "r")
        assert (code, out) == (2, "") and error.count("\n") == 1 and line in error, error
        assert "ken" not in error and "cret" not in error, error
    assert not (tmp_path / "r/sweep.json").exists()
