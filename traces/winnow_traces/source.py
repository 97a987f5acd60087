"""What capture knows of a model: the interface that every kind of model file implements, and what they share.

A backend is one file beside this one (`gguf_source.py`, `bert_source.py`, `hf.py`); `sources.py` alone names them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from winnow_traces.errors import CaptureError
from winnow_traces.trace_file import Trace


@dataclass
class Request:
    """What the user asked for, whatever the model is."""

    text: Path
    prompt: int
    generate: int = 0
    teacher: bool = False
    text_source: str | None = None
    text_licence: str | None = None
    model_licence: str | None = None


@dataclass
class Captured:
    """One run of a model: the trace without its `info`, and a string for each of its tokens."""

    trace: Trace
    strings: list[str]
    info: dict = field(default_factory=dict)  # further metadata, strings


class ModelSource(ABC):
    """A model that can be run on a text. The constructor opens it and raises CaptureError if it cannot be run."""

    title: str  # what the trace's metadata call the model
    licence: str  # as the model's own files say; "unknown" if they do not
    weights: list[Path]  # the files whose bytes identify the model

    @abstractmethod
    def open(self):
        """(model, tokenizer), for who runs them with an attention of their own: a decoder.Decoder, or a bert.BertModel.
        Raises CaptureError."""

    @abstractmethod
    def run(self, text, request):
        """Runs the model on the text as the request says and returns Captured. Raises CaptureError."""


def split_text(request, ids):
    """(prompt ids, following ids or None) of a decoder's text; an error if the text is too short."""
    needed = request.prompt + (request.generate if request.teacher else 0)
    if len(ids) < needed:
        raise CaptureError(f"{request.text}: holds {len(ids)} tokens, {needed} are asked for")
    return ids[: request.prompt], ids[request.prompt : needed] if request.teacher else None


def frame_text(request, ids, first, last):
    """The encoder's input of exactly `prompt` tokens: [CLS], the text's first prompt - 2, [SEP]."""
    if request.generate or request.teacher:
        raise CaptureError("an encoder generates no tokens: --generate must be 0, without --teacher")
    if request.prompt < 3:
        raise CaptureError(f"--prompt {request.prompt}: an encoder's begin and end tokens count, so it must be >= 3")
    if len(ids) < request.prompt - 2:
        raise CaptureError(f"{request.text}: holds {len(ids)} tokens, {request.prompt - 2} are asked for")
    return [first, *ids[: request.prompt - 2], last]


def check_length(what, tokens, limit, why=""):
    """`why`: of a limit that is ours and not the model's, behind the number."""
    if tokens > limit:
        raise CaptureError(f"{what}: {tokens} tokens are asked for, the model takes at most {limit}{why}")
