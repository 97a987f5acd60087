"""The kinds of model that can be named on the command line. A backend is imported only when it is asked for."""

from pathlib import Path

from winnow_traces.models import MODELS, find_model


def _packaged_gguf(name):
    from winnow_traces.gguf_source import GgufSource

    path, title = find_model(name)
    return GgufSource(path, title, MODELS[name].licence)


def _packaged_bert(name):
    from winnow_traces.bert_source import BertSource

    path, title = find_model(name)
    return BertSource(path, title, MODELS[name].licence)


def _gguf(path):
    from winnow_traces.gguf_source import GgufSource

    return GgufSource(Path(path))


def _hf(path_or_name):
    from winnow_traces.hf import HfSource

    return HfSource(path_or_name)


_PACKAGED = {"smollm2": _packaged_gguf, "gemma3": _packaged_gguf, "minilm": _packaged_bert}


def open_source(*, model=None, gguf=None, hf=None):
    """The ModelSource of a packaged model's name, a GGUF file, or a Hugging Face folder or name: exactly one."""
    if model is not None:
        return _PACKAGED[model](model)
    return _gguf(gguf) if gguf is not None else _hf(hf)
