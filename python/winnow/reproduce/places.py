"""Where in the repository the inputs lie. Installed by pip there is no repository, and nothing to reproduce with."""

from pathlib import Path

from winnow._core import Error

# The build's package is links to the sources.
ROOT = Path(__file__).resolve().parents[3]
DECODER = ROOT / "traces/samples/smollm2-160.safetensors"
ENCODER = ROOT / "traces/samples/minilm-128.safetensors"
# Made by scripts/capture_long; --full takes them where they are.
LONG_DECODER = ROOT / "results/traces/smollm2-1024.safetensors"
LONG_ENCODER = ROOT / "results/traces/minilm-512.safetensors"
GPUS = ROOT / "cuda_ref/results"
SYNTHESIS = ROOT / "tests/rtl/synth/results"


def require_repository():
    for path in (DECODER, ENCODER):
        if not path.is_file():
            raise Error(f"{path}: reproduce: no such file: must be run from a checkout of the repository")
