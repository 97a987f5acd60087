"""GGUF files of the llama architecture as a model source."""

import numpy as np

from winnow_traces.gguf_file import GgufFile
from winnow_traces.heads import retrieval_scores
from winnow_traces.llama import LlamaModel, run_decoder
from winnow_traces.progress import progress_bar
from winnow_traces.source import Captured, ModelSource, check_length, split_text
from winnow_traces.tokenizer import tokenizer_of
from winnow_traces.trace_file import Trace


class LlamaSource(ModelSource):
    def __init__(self, path, title=None, licence=None):
        self._file = GgufFile(path)
        self.title = title or f"{self._file.text('general.name', '')} ({path.name})".strip()
        self.licence = licence or self._file.text("general.license", "unknown")
        self.weights = [path]

    def run(self, text, request):
        layers = self._file.value("llama.block_count", 0)  # LlamaModel says what is wrong with it
        with progress_bar(layers if isinstance(layers, int) else 0, "layer", "load") as bar:
            model = LlamaModel(self._file, lambda: bar.update(1))
        check_length(self._file.path, request.prompt + request.generate, model.shape.context)
        tokenizer = tokenizer_of(self._file)
        prompt, teacher = split_text(request, tokenizer.encode(text))
        # Weights that overflow give values that are not finite; the trace's writer names the first of them.
        with (
            progress_bar(request.prompt + request.generate, "token", "capture") as bar,
            np.errstate(over="ignore", invalid="ignore"),
        ):
            state, ids = run_decoder(model, prompt, request.generate, teacher, bar.update)
            scores = retrieval_scores(model)
        trace = Trace(
            state.q, state.k, state.v, np.asarray(ids, np.int32), model.shape.scale, True, request.prompt, scores
        )
        return Captured(trace, tokenizer.strings(ids))
