"""The folder of a sweep: who works in it, what it is of, and all that was finished.

sweep.json    the spec and the version, written once
points.jsonl  a line a batch that was asked and a line a measurement, on disk before the next: a kill loses nothing
lock          held by the process that works in it; the kernel frees it when that ends, however it ends"""

import fcntl
import hashlib
import json
import os
import uuid
from pathlib import Path

from winnow._core import Error
from winnow.accuracy.cache import version
from winnow.whole_file import whole

FORMAT = 1
_ABOUT, _JOURNAL, _LOCK = "sweep.json", "points.jsonl", "lock"


def _hashes(traces):
    return {one: hashlib.sha256(Path(one).read_bytes()).hexdigest() for one in traces if Path(one).is_file()}


class Folder:
    """`with Folder(path, spec, resume) as folder:`, and `begin()` before the first note. Raises Error where another
    sweep is at work or was."""

    def __init__(self, path, spec, resume):
        self.path = Path(path)
        self._spec, self._resume = spec, resume
        self._journal = None
        self.asked = []  # a batch each: [[params, attrs], ...]
        self.answers = {}  # (stage, point) -> answer

    def __enter__(self):
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.path / _LOCK, "w")
        except OSError as error:
            raise Error(f"{self.path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise Error(f"{self.path}: another sweep is at work in it") from error
        try:
            self._open()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_):
        if self._journal is not None:
            self._journal.close()
        self._lock.close()

    def begin(self):
        """From here on the folder holds the sweep. What may refuse it stands before: then the folder is as it was."""
        file = self.path / _ABOUT
        if not file.exists():
            with whole(file) as path:
                path.write_text(json.dumps(self._about, indent=2) + "\n", encoding="utf-8")
        self._journal = open(self.path / _JOURNAL, "a", encoding="utf-8")  # noqa: SIM115 - closed in __exit__

    def _open(self):
        about = {
            "format": FORMAT,
            "version": version(),
            "spec": self._spec.as_dict(),
            "traces_sha256": _hashes(self._spec.traces),
            "storage": self._spec.shown_storage,
        }
        self._about = about = json.loads(json.dumps(about))
        file = self.path / _ABOUT
        if file.exists():
            self.identity = self._require_same(file, about)
        else:
            self.identity = about["identity"] = uuid.uuid4().hex
        self._read_journal()

    def _require_same(self, file, about):
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
            form = stored["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Error(f"{file}: is no sweep's: must be removed, or another folder given with -o") from error
        if form != FORMAT:
            raise Error(f"{file}: format: {form}: must be {FORMAT}; give another folder with -o")
        if not self._resume:
            raise Error(f"{self.path}: holds a sweep: --resume goes on with it, -o DIR writes elsewhere")
        for key, what in (("version", "version"), ("traces_sha256", "traces"), ("spec", "spec")):
            if stored.get(key) != about[key]:
                shown = f": {stored.get(key)!r}" if key == "version" else ""
                now = repr(about[key]) if key == "version" else f"the {what} that it began with"
                raise Error(f"{file}: {what}{shown}: must be {now}; give another folder with -o")
        return stored.get("identity", "")

    def _read_journal(self):
        """What a kill has left of a last line is cut off: its point was not finished."""
        file = self.path / _JOURNAL
        if not file.exists():
            return
        data = file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with open(file, "r+b") as opened:
                opened.truncate(len(whole))
        for number, line in enumerate(whole.decode("utf-8").splitlines(), 1):
            try:
                entry = json.loads(line)
                if "asked" in entry:
                    self.asked.append(entry["asked"])
                else:
                    self.answers[entry.pop("stage"), entry.pop("point")] = entry
            except (ValueError, KeyError) as error:
                raise Error(f"{file}: line {number}: is damaged: must be JSON of a sweep") from error

    def _note(self, entry):
        self._journal.write(json.dumps(entry) + "\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def note_asked(self, batch):
        self.asked.append([list(one) for one in batch])
        self._note({"asked": batch})

    def note_answer(self, stage, point, answer):
        self.answers[stage, point] = answer
        self._note({"stage": stage, "point": point, **answer})
