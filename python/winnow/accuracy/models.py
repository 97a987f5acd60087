"""The model of an evaluation: a packaged one, a GGUF file, or a Hugging Face folder, as `winnow capture` names them."""

from dataclasses import dataclass

from winnow_traces.decoder import Decoder
from winnow_traces.models import MODELS, sha256_of
from winnow_traces.source import check_length
from winnow_traces.sources import open_source

from winnow._core import Error


@dataclass(frozen=True)
class Subject:
    model: object  # winnow_traces' Decoder or BertModel
    encode: object  # text -> ids
    before: tuple  # ids that stand around every window, and count
    after: tuple
    title: str
    sha256: str  # of its weights

    @property
    def decoder(self):
        return isinstance(self.model, Decoder)

    def check(self, tokens):
        """Raises CaptureError where the model does not take so many."""
        shape = self.model.shape
        if self.decoder:
            check_length(self.title, tokens, shape.context, shape.context_why)
        else:
            check_length(self.title, tokens, shape.positions)


def open_model(name=None, hf=None):
    """The Subject of a name, or of a Hugging Face folder or name. Raises Error or CaptureError."""
    if (name is None) == (hf is None):
        raise Error(f"model: name one: {', '.join(MODELS)}, a .gguf file, or --hf PATH_OR_NAME")
    if hf is not None:
        source = open_source(hf=hf)
    elif name in MODELS:
        source = open_source(model=name)
    elif str(name).endswith(".gguf"):
        source = open_source(gguf=name)
    else:
        raise Error(f"model {name}: no such model: must be one of {', '.join(MODELS)}, or a .gguf file")
    model, tokenizer = source.open()
    frame = (tuple(model.begin), ()) if isinstance(model, Decoder) else ((tokenizer.first,), (tokenizer.last,))
    return Subject(model, tokenizer.encode, *frame, source.title, sha256_of(source.weights))
