"""What every decoder's forward shares: the shape, the record of a run that is its KV cache too, float attention, and a
prompt followed by tokens one at a time.

A model does all but attention token by token. So `Decoder.run` takes rows of tokens, each at a position of its own, and
calls back for attention: the rows may be one sequence's prompt or the next tokens of many sequences.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

BLOCK = 256  # tokens of a prompt that go through the layers together


@dataclass
class DecoderShape:
    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int  # most tokens that are run
    epsilon: float
    scale: float  # of the scores
    context_why: str = ""  # why no more, behind the number, where the model itself takes more


class DecoderState:
    """What one run records, and its KV cache at the same time: per layer q [heads, tokens, D], k and v
    [KV heads, tokens, D]; `filled` positions are valid."""

    def __init__(self, shape, tokens):
        self.q = [np.zeros((shape.heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.k = [np.zeros((shape.kv_heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.v = [np.zeros((shape.kv_heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.filled = 0


def rms_norm(x, weight, epsilon):
    mean = np.mean(np.square(x, dtype=np.float64), axis=-1, keepdims=True)
    return x * (1.0 / np.sqrt(mean + epsilon)).astype(np.float32) * weight


def attend_causally(q, k, v, first, scale):
    """Causal attention of queries q [heads, n, D] at positions first.. over k and v [KV heads, first + n, D]; returns
    [n, heads * D]."""
    (heads, n, head_dim), (kv_heads, total, _) = q.shape, k.shape
    group = heads // kv_heads
    scores = q.reshape(kv_heads, group * n, head_dim) @ k.transpose(0, 2, 1)
    scores = scores.reshape(heads, n, total) * np.float32(scale)
    scores[:, np.arange(total)[None, :] > first + np.arange(n)[:, None]] = -np.inf
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    out = scores.reshape(kv_heads, group * n, total) @ v
    return out.reshape(heads, n, head_dim).transpose(1, 0, 2).reshape(n, heads * head_dim)


class Decoder(ABC):
    """A decoder without its attention."""

    shape: DecoderShape
    begin = ()  # token ids that stand before every text, and count

    @abstractmethod
    def run(self, token_ids, positions, attend):
        """Hidden values [n, width], ready for logits(), of n tokens at a position each. Layer by layer it calls
        attend(layer, q [n, heads, D], k [n, KV heads, D], v alike), which returns [n, heads * D]."""

    @abstractmethod
    def logits(self, hidden):
        """hidden [..., width] -> [..., vocabulary]."""

    def forward(self, state, token_ids):
        """Runs the tokens at the next positions of the state; returns their hidden values [n, width]."""
        first, end = state.filled, state.filled + len(token_ids)
        here = slice(first, end)

        def attend(layer, q, k, v):
            for kept, values in ((state.q, q), (state.k, k), (state.v, v)):
                kept[layer][:, here] = values.transpose(1, 0, 2)
            q, k, v = state.q[layer][:, here], state.k[layer][:, :end], state.v[layer][:, :end]
            return attend_causally(q, k, v, first, self.shape.scale)

        hidden = self.run(token_ids, np.arange(first, end), attend)
        state.filled = end
        return hidden


class LayeredDecoder(Decoder):
    """A decoder whose parts are ours: `run` goes through them."""

    @abstractmethod
    def embed(self, token_ids):
        """Hidden values [n, width] that enter layer 0."""

    @abstractmethod
    def project(self, layer, x, positions):
        """q [n, heads, D], k and v [n, KV heads, D] of a layer's input x [n, width]; a position each, any order."""

    @abstractmethod
    def finish_layer(self, layer, x, attended):
        """What leaves a layer [n, width], of its input x and its attention [n, heads * D]."""

    @abstractmethod
    def normalised(self, x):
        """What the last layer left, ready for logits()."""

    def run(self, token_ids, positions, attend):
        x = self.embed(token_ids)
        for layer in range(self.shape.layers):
            x = self.finish_layer(layer, x, attend(layer, *self.project(layer, x, positions)))
        return self.normalised(x)


def prefill(model, state, token_ids, on_tokens=lambda count: None):
    """Runs the tokens in blocks, dense; returns the hidden values [n, width] of the last block."""
    hidden = None
    for start in range(0, len(token_ids), BLOCK):
        block = token_ids[start : start + BLOCK]
        hidden = model.forward(state, block)
        on_tokens(len(block))
    return hidden


def run_decoder(model, prompt, generate, teacher_ids, on_tokens=lambda count: None):
    """Prompt in blocks, then `generate` tokens: the text's own (teacher_ids) or greedy. End-of-text does not stop it.

    Returns (state, all token ids). Every token, the last one included, has gone through the model."""
    state = DecoderState(model.shape, len(prompt) + generate)
    ids = list(prompt) + list(teacher_ids[:generate] if teacher_ids is not None else [])
    hidden = prefill(model, state, ids, on_tokens)
    # One token's products are too small for threads: on a busy machine they wait for each other, four times as long.
    with threadpool_limits(1):
        while len(ids) < len(prompt) + generate:
            ids.append(int(np.argmax(model.logits(hidden[-1]))))
            hidden = model.forward(state, ids[-1:])
            on_tokens(1)
    return state, ids
