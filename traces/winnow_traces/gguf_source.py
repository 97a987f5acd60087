"""GGUF files as a model source: the architectures that are run, each a file of its own."""

import numpy as np

from winnow_traces.decoder import run_decoder
from winnow_traces.errors import CaptureError
from winnow_traces.gemma import GemmaModel
from winnow_traces.gguf_file import GgufFile
from winnow_traces.heads import head_distances, retrieval_scores
from winnow_traces.llama import LlamaModel
from winnow_traces.progress import progress_bar
from winnow_traces.source import Captured, ModelSource, check_length, split_text
from winnow_traces.tokenizer import tokenizer_of
from winnow_traces.trace_file import Trace

_ARCHITECTURES = {"llama": LlamaModel, "gemma3": GemmaModel}
_REFUSED = {
    "gemma": "scaled embeddings",
    "gemma2": "score caps (softcap) and sliding windows",
    "gpt-oss": "sliding windows and sinks",
    "phi3": "sliding windows",
    "cohere2": "sliding windows",
    "bloom": "ALiBi",
    "mpt": "ALiBi",
    "jais": "ALiBi",
    "grok": "score caps (softcap)",
}


def open_decoder(gguf):
    """The decoder.Decoder of an open GgufFile, with its weights. Raises CaptureError."""
    architecture = gguf.text("general.architecture")
    if architecture not in _ARCHITECTURES:
        why = f" ({_REFUSED[architecture]})" if architecture in _REFUSED else ""
        known = ", ".join(repr(name) for name in _ARCHITECTURES)
        raise CaptureError(f"{gguf.path}: architecture {architecture!r} is refused{why}; run are {known}")
    layers = gguf.value(f"{architecture}.block_count", 0)  # the model says what is wrong with it
    with progress_bar(layers if isinstance(layers, int) else 0, "layer", "load") as bar:
        return _ARCHITECTURES[architecture](gguf, lambda: bar.update(1))


class GgufSource(ModelSource):
    def __init__(self, path, title=None, licence=None):
        self._file = GgufFile(path)
        self.title = title or f"{self._file.text('general.name', '')} ({path.name})".strip()
        self.licence = licence or self._file.text("general.license", "unknown")
        self.weights = [path]

    def open(self):
        return open_decoder(self._file), tokenizer_of(self._file)

    def run(self, text, request):
        model, tokenizer = self.open()
        check_length(self._file.path, request.prompt + request.generate, model.shape.context, model.shape.context_why)
        prompt, teacher = split_text(request, [*model.begin, *tokenizer.encode(text)])
        # Weights that overflow give values that are not finite; the trace's writer names the first of them.
        with (
            progress_bar(request.prompt + request.generate, "token", "capture") as bar,
            np.errstate(over="ignore", invalid="ignore"),
        ):
            state, ids = run_decoder(model, prompt, request.generate, teacher, bar.update)
            heads = {
                "head_scores": retrieval_scores(model),
                "head_distances": head_distances(state.q, state.k, state.v, request.prompt, model.shape.scale),
            }
        trace = Trace(
            state.q,
            state.k,
            state.v,
            np.asarray(ids, np.int32),
            model.shape.scale,
            True,
            request.prompt,
            heads=heads,
        )
        return Captured(trace, tokenizer.strings(ids))
