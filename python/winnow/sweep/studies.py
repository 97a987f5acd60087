"""The sweep as Optuna's studies, for its dashboard and for other tools: one a stage, NAME and NAME/FIDELITY.

They are written from the folder's journal and never read back into a sweep, but for what is in them already."""

import os
import re
import warnings

import optuna

from winnow._core import Error
from winnow.sweep.search import trial_of

_IDENTITY = "winnow sweep"  # attribute of a study


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
    return optuna.storages.get_storage(spec.storage)


class Studies:
    """Raises Error where the storage does not answer, or holds a study of this name that is another sweep's."""

    def __init__(self, spec, folder, objectives, identity):
        """objectives: of each stage. identity: the sweep's, by which its own studies are known."""
        self._spec = spec
        self._studies, self._there = [], []
        shown = re.sub(r"//[^/@]*@", "//", spec.storage)  # without a password
        for stage, keys in zip(spec.stages, objectives):
            name = spec.name if stage is spec.stages[0] else f"{spec.name}/{stage.fidelity}"
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    if not self._studies:
                        self._storage = _open(spec, folder)
                    study = optuna.create_study(
                        storage=self._storage,
                        study_name=name,
                        directions=["minimize"] * len(keys),
                        load_if_exists=True,
                    )
                    there = {one.user_attrs.get("point") for one in study.get_trials(deepcopy=False)}
                    if there and study.user_attrs.get(_IDENTITY) != identity:
                        rule = f"holds another sweep's study {name!r}: give this one another `name`"
                        raise Error(f"storage: {shown}: {rule}")
                    study.set_user_attr(_IDENTITY, identity)
                    study.set_metric_names(keys)
            except Error:
                raise
            except Exception as error:  # each database's driver has its own kinds
                raise Error(f"storage: {shown}: {_one_line(error)}") from error
            self._studies.append(study)
            self._there.append(there)

    def add(self, stage, point, params, values, over, user):
        if point in self._there[stage]:
            return
        self._there[stage].add(point)
        user = {"point": point, **user}
        self._studies[stage].add_trial(trial_of(self._spec, params, {}, values, over, user))
