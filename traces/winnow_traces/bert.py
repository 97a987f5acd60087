"""The BERT encoder in numpy float32, from a folder with config.json, tokenizer.json and model.safetensors."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from tokenizers import Tokenizer

from winnow_traces.errors import CaptureError
from winnow_traces.trace_file import read_tensors

_erf = np.frompyfunc(math.erf, 1, 1)  # numpy has none


def _gelu(x):
    """x * Phi(x), with the error function itself (BERT's 'gelu'), not its tanh approximation."""
    return x * (0.5 * (1.0 + _erf(x.astype(np.float64) / math.sqrt(2.0)).astype(np.float64))).astype(np.float32)


def _layer_norm(x, weight, bias, epsilon):
    x64 = x.astype(np.float64)
    centred = x64 - x64.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + epsilon)
    return (centred / spread).astype(np.float32) * weight + bias


@dataclass
class BertShape:
    layers: int
    width: int
    hidden: int
    heads: int
    head_dim: int
    positions: int
    epsilon: float
    scale: float

    @property
    def kv_heads(self):
        return self.heads


def _shape(path):
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaptureError(f"{path}: not a readable model configuration: {error}") from error
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, only in expected.items():
        if config.get(key, only) != only:
            raise CaptureError(f"{path}: {key} is {config[key]!r}, only {only!r} is run")
    width, heads = config["hidden_size"], config["num_attention_heads"]
    if width % heads:
        raise CaptureError(f"{path}: hidden_size {width} is no multiple of num_attention_heads {heads}")
    return BertShape(
        layers=config["num_hidden_layers"],
        width=width,
        hidden=config["intermediate_size"],
        heads=heads,
        head_dim=width // heads,
        positions=config["max_position_embeddings"],
        epsilon=config["layer_norm_eps"],
        scale=1.0 / math.sqrt(width // heads),
    )


class BertTokenizer:
    """WordPiece from tokenizer.json, without its padding and truncation."""

    def __init__(self, folder):
        path = Path(folder) / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the package raises nothing more precise
            raise CaptureError(f"{path}: not a readable tokenizer: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.first, self.last = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        if self.first is None or self.last is None:
            raise CaptureError(f"{path}: has no [CLS] or [SEP] token")

    def encode(self, text):
        """Ids of the text alone, without [CLS] and [SEP]."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def strings(self, ids):
        return [self._tokenizer.id_to_token(index) for index in ids]


class BertModel:
    def __init__(self, folder):
        folder = Path(folder)
        self.shape = _shape(folder / "config.json")
        path = folder / "model.safetensors"
        try:
            self._weights, _ = read_tensors(path)
        except (OSError, ValueError, SafetensorError) as error:
            raise CaptureError(f"{path}: not readable: {error}") from error
        self._weights = {
            name.removeprefix("bert."): np.asarray(values, np.float32) for name, values in self._weights.items()
        }
        self._path = path

    def _weight(self, name, shape=None):
        if name not in self._weights:
            raise CaptureError(f"{self._path}: tensor {name} is missing")
        values = self._weights[name]
        if shape is not None and values.shape != shape:
            raise CaptureError(f"{self._path}: tensor {name} has shape {list(values.shape)}, must be {list(shape)}")
        return values

    def _linear(self, x, name, outputs):
        return x @ self._weight(f"{name}.weight", (outputs, x.shape[-1])).T + self._weight(f"{name}.bias", (outputs,))

    def _norm(self, x, name):
        return _layer_norm(
            x,
            self._weight(f"{name}.weight", x.shape[-1:]),
            self._weight(f"{name}.bias", x.shape[-1:]),
            self.shape.epsilon,
        )

    def _attend(self, q, k, v):
        scores = (q @ k.transpose(0, 2, 1)) * np.float32(self.shape.scale)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores @ v

    def forward(self, token_ids, on_layer=lambda: None, attend=None):
        """All layers over token_ids (one segment). Returns (q, k, v, hidden): per layer [heads, tokens, D], and the
        last layer's output [tokens, width]. `attend`: another attention, of (layer, q, k, v) as above each, which
        returns [heads, tokens, D]."""
        s, n = self.shape, len(token_ids)
        x = (
            self._weight("embeddings.word_embeddings.weight")[np.asarray(token_ids)]
            + self._weight("embeddings.position_embeddings.weight")[:n]
            + self._weight("embeddings.token_type_embeddings.weight")[0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        recorded = ([], [], [])
        for layer in range(s.layers):
            at = f"encoder.layer.{layer}"
            q, k, v = (
                self._linear(x, f"{at}.attention.self.{part}", s.width)
                .reshape(n, s.heads, s.head_dim)
                .transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            for keep, values in zip(recorded, (q, k, v)):
                keep.append(values)
            attended = self._attend(q, k, v) if attend is None else attend(layer, q, k, v)
            attended = attended.transpose(1, 0, 2).reshape(n, s.width)
            x = self._norm(
                x + self._linear(attended, f"{at}.attention.output.dense", s.width), f"{at}.attention.output.LayerNorm"
            )
            inner = _gelu(self._linear(x, f"{at}.intermediate.dense", s.hidden))
            x = self._norm(x + self._linear(inner, f"{at}.output.dense", s.width), f"{at}.output.LayerNorm")
            on_layer()
        return *recorded, x
