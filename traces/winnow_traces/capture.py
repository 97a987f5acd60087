"""From a model and a text to a Trace."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winnow_traces import __version__
from winnow_traces.errors import CaptureError
from winnow_traces.models import MODELS, find_model, sha256_of
from winnow_traces.progress import progress_bar
from winnow_traces.trace_file import Trace


@dataclass
class Request:
    """What the user asked for. Exactly one of model, gguf, hf is set."""

    text: Path
    prompt: int
    generate: int
    teacher: bool
    model: str = None
    gguf: Path = None
    hf: Path = None
    text_source: str = None
    text_licence: str = None
    model_licence: str = None


def read_text(path):
    """(text, sha256 of the file's bytes)."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error
    try:
        return data.decode("utf-8"), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise CaptureError(f"{path}: byte {error.start} is {data[error.start]:#04x}: must be UTF-8 text") from error


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


def check_length(what, tokens, limit):
    if tokens > limit:
        raise CaptureError(f"{what}: {tokens} tokens are asked for, the model takes at most {limit}")


def _capture_llama(request, path):
    from winnow_traces.gguf_file import GgufFile
    from winnow_traces.llama import LlamaModel, run_decoder
    from winnow_traces.tokenizer import tokenizer_of

    text, text_hash = read_text(request.text)
    file = GgufFile(path)
    with progress_bar(int(file.value("llama.block_count", 0)), "layer", "load") as bar:
        model = LlamaModel(file, lambda: bar.update(1))
    check_length(path, request.prompt + request.generate, model.shape.context)
    tokenizer = tokenizer_of(file)
    prompt, teacher = split_text(request, tokenizer.encode(text))
    with progress_bar(request.prompt + request.generate, "token", "capture") as bar:
        state, ids = run_decoder(model, prompt, request.generate, teacher, bar.update)
    trace = Trace(state.q, state.k, state.v, np.asarray(ids, np.int32), model.shape.scale, True, request.prompt)
    title = f"{file.value('general.name', '')} ({path.name})".strip()
    licence = file.value("general.license", "unknown")
    return trace, tokenizer.strings(ids), text_hash, title, licence, [path]


def _capture_bert(request, path):
    from winnow_traces.bert import BertModel, BertTokenizer

    text, text_hash = read_text(request.text)
    model, tokenizer = BertModel(path), BertTokenizer(path)
    check_length(path, request.prompt, model.shape.positions)
    ids = frame_text(request, tokenizer.encode(text), tokenizer.first, tokenizer.last)
    with progress_bar(model.shape.layers, "layer", "capture") as bar:
        q, k, v, _ = model.forward(ids, lambda: bar.update(1))
    trace = Trace(q, k, v, np.asarray(ids, np.int32), model.shape.scale, False, request.prompt)
    return trace, tokenizer.strings(ids), text_hash, path.name, "unknown", [path / "model.safetensors"]


def _capture_hf(request, path):
    from winnow_traces.hf import capture_hf

    text, text_hash = read_text(request.text)
    trace, strings, licence = capture_hf(request, path, text)
    weights = sorted(p for p in path.iterdir() if p.suffix in (".safetensors", ".bin"))
    return trace, strings, text_hash, path.resolve().name, licence, weights


def capture(request):
    """Runs the model on the text; returns the Trace with its metadata."""
    if request.model == "smollm2":
        path, title = find_model("smollm2")
        result = _capture_llama(request, path)
    elif request.model == "minilm":
        path, title = find_model("minilm")
        result = _capture_bert(request, path)
    elif request.gguf:
        title, result = None, _capture_llama(request, Path(request.gguf))
    else:
        title, result = None, _capture_hf(request, Path(request.hf))
    trace, strings, text_hash, found_title, found_licence, weights = result
    model_licence = request.model_licence or (MODELS[request.model].licence if request.model else found_licence)
    text_licence = request.text_licence or "unknown"
    if not request.generate:
        generated_by = "none"
    else:
        generated_by = "text" if request.teacher else "greedy"
    trace.info = {
        "model": title or found_title,
        "licence": f"model: {model_licence}; text: {text_licence}",
        "source": request.text_source or Path(request.text).name,
        "tool": f"winnow capture {__version__}",
        "model_licence": model_licence,
        "model_sha256": sha256_of(weights),
        "text_licence": text_licence,
        "text_sha256": text_hash,
        "generated_by": generated_by,
        "tokens_text": json.dumps(strings, ensure_ascii=False, separators=(",", ":")),
    }
    return trace
