"""The sweep as Optuna's studies, for its dashboard and for other tools: one a stage, NAME and NAME/FIDELITY.

They are written from the folder's journal and never read back into a sweep, but for what is in them already."""

import os
import re
import warnings
from contextlib import contextmanager

import optuna

from winnow._core import Error
from winnow.sweep.search import trial_of

_IDENTITY = "winnow sweep"  # attribute of a study
_SECONDS = 5  # to wait for a server; without a limit it is minutes where nobody is


def _one_line(error):
    text = str(error.__cause__ or error) or type(error).__name__
    return re.sub(r"\s+", " ", text).strip()


def _open(spec, folder):
    """A storage in the folder is made anew each time: a kill may have left half a line in it."""
    if spec.storage == "journal":
        path = folder / "study.journal"
        for old in (path, folder / "study.journal.lock"):
            if os.path.lexists(old):
                old.unlink()
        backend = optuna.storages.journal.JournalFileBackend(str(path))
        return optuna.storages.JournalStorage(backend)
    if spec.storage == "sqlite":
        for old in folder.glob("study.sqlite*"):
            old.unlink()
        return optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.sqlite'}")
    if re.match("postgresql|mysql|mariadb", spec.storage):
        limit = {"connect_args": {"connect_timeout": _SECONDS}}
        return optuna.storages.RDBStorage(spec.storage, engine_kwargs=limit)
    return optuna.storages.get_storage(spec.storage)


@contextmanager
def _errors(spec, so=""):
    """What goes wrong inside, as one line without a password. `so`: what can be done about it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Error:
        raise
    except Exception as error:  # each database's driver has its own kinds
        text = _one_line(error).replace(spec.storage, spec.shown_storage)
        raise Error(f"storage: {spec.shown_storage}: {text}{so}") from error


class Studies:
    """Raises Error where the storage does not answer, or holds a study of this name that is another sweep's."""

    def __init__(self, spec, folder, objectives, identity):
        """objectives: of each stage. identity: the sweep's, by which its own studies are known."""
        self._spec = spec
        self._studies, self._there = [], []
        with _errors(spec):
            storage = _open(spec, folder)
            for stage, keys in zip(spec.stages, objectives):
                name = spec.name if stage is spec.stages[0] else f"{spec.name}/{stage.fidelity}"
                study = optuna.create_study(
                    storage=storage,
                    study_name=name,
                    directions=["minimize"] * len(keys),
                    load_if_exists=True,
                )
                there = {one.user_attrs.get("point") for one in study.get_trials(deepcopy=False)}
                if there and study.user_attrs.get(_IDENTITY) != identity:
                    rule = f"holds another sweep's study {name!r}: give this one another `name`"
                    raise Error(f"storage: {spec.shown_storage}: {rule}")
                study.set_user_attr(_IDENTITY, identity)
                study.set_metric_names(keys)
                self._studies.append(study)
                self._there.append(there)

    def add(self, stage, point, params, values, over, user):
        if point in self._there[stage]:
            return
        user = {"point": point, **user}
        with _errors(self._spec, "; --resume goes on with what is finished"):
            self._studies[stage].add_trial(trial_of(self._spec, params, {}, values, over, user))
        self._there[stage].add(point)
