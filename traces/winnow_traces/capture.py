"""From a model and a text to a Trace."""

import hashlib
import json
from pathlib import Path

from winnow_traces import __version__
from winnow_traces.errors import CaptureError
from winnow_traces.models import sha256_of


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


def capture(source, request, run=None):
    """Runs a source.ModelSource on the text of a source.Request; returns the Trace with its metadata.

    `run(source, text, request)` gives the source.Captured in place of the source's own run."""
    text, text_hash = read_text(request.text)
    captured = run(source, text, request) if run else source.run(text, request)
    model_licence = request.model_licence or source.licence
    text_licence = request.text_licence or "unknown"
    if not request.generate:
        generated_by = "none"
    else:
        generated_by = "text" if request.teacher else "greedy"
    trace = captured.trace
    trace.info = {
        "model": source.title,
        "licence": f"model: {model_licence}; text: {text_licence}",
        "source": request.text_source or Path(request.text).name,
        "tool": f"winnow capture {__version__}",
        "model_licence": model_licence,
        "model_sha256": sha256_of(source.weights),
        "text_licence": text_licence,
        "text_sha256": text_hash,
        "generated_by": generated_by,
        "tokens_text": json.dumps(captured.strings, ensure_ascii=False, separators=(",", ":")),
        **captured.info,
    }
    return trace
