"""A run read back from its folder, as sim/results/stored_run.h reads it, with the same words where it refuses."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from winnow._core import Error
from winnow.results import Part

# kResultFormat of sim/results/writers.h; a test holds the two together.
FORMAT = "winnow-result-2"


@dataclass
class StoredRun:
    """What a run's folder holds."""

    path: Path
    label: str  # the folder's name; made different where two folders have the same
    result: Part
    manifest: dict
    layers: list = field(default_factory=list)  # rows of layers.csv: {column: text}

    @property
    def policy(self):
        return self.manifest["policy"]["name"]

    @property
    def machine(self):
        return self.manifest["machine"]["name"]

    @property
    def is_gpu(self):
        return self.manifest["engine"] == "gpu"

    def find(self, path):
        """The Statistic at "summary.cycles", or None."""
        part = self.result
        for key in path.split("."):
            if not isinstance(part, Part) or key not in part:
                return None
            part = part[key]
        return part

    def value(self, path, otherwise=None):
        one = self.find(path)
        return otherwise if one is None else one.value

    def setting(self, key, otherwise=None):
        """Of machine or policy: "machine.qk.multipliers". Text, as the manifest has it."""
        section, _, name = key.partition(".")
        return self.manifest.get(section, {}).get(name, otherwise)


def _parsed(file, what):
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Error(f"{file}: file: {error.strerror}") from error
    except ValueError as error:
        raise Error(f"{file}: file: no JSON: must be {what}") from error
    if not isinstance(tree, dict):
        raise Error(f"{file}: file: no object: must be {what}")
    return tree


def _require_format(file, tree):
    rule = f"this winnow reads {FORMAT} alone: run again, or use the winnow that manifest.json beside it names"
    if "format" not in tree:
        raise Error(f"{file}: format: '': a result of version 1, which had none: {rule}")
    if tree["format"] != FORMAT:
        raise Error(f"{file}: format: '{tree['format']}': another version: {rule}")


def _require_statistics(file, tree, place=""):
    for key, entry in tree.items():
        if key == "label" or (not place and key == "format"):
            continue
        here = f"{place}.{key}" if place else key
        if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
            raise Error(f"{file}: {here}: '{entry}': must be a part or a statistic, with a label")
        if "unit" not in entry:
            _require_statistics(file, entry, here)
        elif isinstance(entry.get("value"), bool) or not isinstance(entry.get("value"), int | float):
            raise Error(f"{file}: {here}: '{entry}': must be a value with a unit")


def load_run(folder):
    """Raises Error when the folder holds no finished run of this version."""
    folder = Path(folder)
    if not folder.is_dir():
        raise Error(f"{folder}: run: no such folder: must be the output of winnow run")
    result, manifest = folder / "result.json", folder / "manifest.json"
    if not manifest.exists():
        raise Error(f"{manifest}: run: no such file: must be the output of winnow run")
    if not result.exists():
        raise Error(f"{result}: run: no such file: the run did not finish")
    tree = _parsed(result, "a result that winnow wrote")
    _require_format(result, tree)
    _require_statistics(result, tree)
    facts = _parsed(manifest, "a manifest that winnow wrote")
    for key in ("engine", "trace", "command", "version"):
        if not isinstance(facts.get(key), str):
            raise Error(f"{manifest}: {key}: missing: must be a manifest that winnow wrote")
    for key in ("machine", "policy"):
        if not isinstance(facts.get(key), dict) or "name" not in facts[key]:
            raise Error(f"{manifest}: {key}.name: missing: must be a manifest that winnow wrote")
    rows = []
    if (folder / "layers.csv").exists():
        with open(folder / "layers.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    return StoredRun(folder, folder.resolve().name, Part("result", {"label": "result", **tree}), facts, rows)


def load_runs(folders):
    """All of them, each under a label of its own. Raises Error when a folder is named twice."""
    runs = [load_run(folder) for folder in folders]
    seen = {}
    for run in runs:
        place = run.path.resolve()
        if place in seen:
            raise Error(f"{run.path}: run: named twice: every run stands once in a report")
        seen[place] = run
    labels = [run.label for run in runs]
    for run in runs:
        if labels.count(run.label) > 1:
            run.label = f"{run.path.resolve().parent.name}/{run.label}"
    return runs
