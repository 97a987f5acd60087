"""BERT folders (config.json, tokenizer.json, model.safetensors) as a model source."""

from pathlib import Path

import numpy as np

from winnow_traces.bert import BertModel, BertTokenizer
from winnow_traces.progress import progress_bar
from winnow_traces.source import Captured, ModelSource, check_length, frame_text
from winnow_traces.trace_file import Trace


class BertSource(ModelSource):
    def __init__(self, path, title=None, licence="unknown"):
        self._path = Path(path)
        self.title = title or self._path.name
        self.licence = licence
        self.weights = [self._path / "model.safetensors"]

    def open(self):
        return BertModel(self._path), BertTokenizer(self._path)

    def run(self, text, request):
        model, tokenizer = self.open()
        check_length(self._path, request.prompt, model.shape.positions)
        ids = frame_text(request, tokenizer.encode(text), tokenizer.first, tokenizer.last)
        with progress_bar(model.shape.layers, "layer", "capture") as bar:
            q, k, v, _ = model.forward(ids, lambda: bar.update(1))
        trace = Trace(q, k, v, np.asarray(ids, np.int32), model.shape.scale, False, request.prompt)
        return Captured(trace, tokenizer.strings(ids))
