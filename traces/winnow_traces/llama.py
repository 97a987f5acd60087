"""The llama architecture in numpy float32: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Weights come from a GGUF file, whose rotary pairs are the neighbours (2i, 2i+1) of a head. q and k are recorded after
the rotation and before any scale; v as projected.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from winnow_traces.errors import CaptureError

BLOCK = 256  # tokens of a prompt that go through the layers together
_OTHER_ARCHITECTURES = {
    "gemma": "scaled embeddings",
    "gemma2": "score caps (softcap) and sliding windows",
    "gemma3": "sliding windows",
    "gpt-oss": "sliding windows and sinks",
    "phi3": "sliding windows",
    "cohere2": "sliding windows",
    "bloom": "ALiBi",
    "mpt": "ALiBi",
    "jais": "ALiBi",
    "grok": "score caps (softcap)",
}


@dataclass
class LlamaShape:
    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    epsilon: float

    @property
    def scale(self):
        """Of the scores."""
        return 1.0 / float(np.sqrt(self.head_dim))


def _shape(gguf):
    architecture = gguf.text("general.architecture")
    if architecture != "llama":
        why = _OTHER_ARCHITECTURES.get(architecture)
        raise CaptureError(
            f"{gguf.path}: architecture {architecture!r} is refused{f' ({why})' if why else ''}; only 'llama' is run"
        )
    refused = {
        "attention.sliding_window": "sliding windows",
        "attn_logit_softcapping": "score caps (softcap)",
        "attention.max_alibi_bias": "ALiBi",
        "expert_count": "mixtures of experts",
        "attention.scale": "an attention scale of their own",
    }
    for key, what in refused.items():
        value = gguf.value(f"llama.{key}", 0)
        if value:
            raise CaptureError(f"{gguf.path}: llama.{key} is {value}: models with {what} are refused")
    scaling = gguf.value("llama.rope.scaling.type", "none")
    if scaling not in ("none", "linear"):
        raise CaptureError(f"{gguf.path}: llama.rope.scaling.type is {scaling!r}, known are 'none' and 'linear'")
    for key in ("llama.attention.head_count", "llama.attention.head_count_kv"):
        if isinstance(gguf.value(key, 0), list):
            raise CaptureError(f"{gguf.path}: {key} differs from layer to layer, must be one number")
    heads = gguf.integer("llama.attention.head_count")
    kv_heads = gguf.integer("llama.attention.head_count_kv", heads)
    width = gguf.integer("llama.embedding_length")
    if heads % kv_heads:
        raise CaptureError(f"{gguf.path}: {heads} heads over {kv_heads} KV heads: must be a multiple")
    head_dim = gguf.integer("llama.attention.key_length", max(1, width // heads))
    if head_dim % 2:
        raise CaptureError(f"{gguf.path}: head dimension {head_dim}: must be even, rotary positions turn pairs")
    if gguf.value("llama.attention.value_length", head_dim) != head_dim:
        raise CaptureError(f"{gguf.path}: llama.attention.value_length differs from key_length {head_dim}")
    if gguf.value("llama.rope.dimension_count", head_dim) != head_dim:
        raise CaptureError(
            f"{gguf.path}: llama.rope.dimension_count is {gguf.value('llama.rope.dimension_count')}, "
            f"must be the head dimension {head_dim}"
        )
    return LlamaShape(
        layers=gguf.integer("llama.block_count"),
        width=width,
        hidden=gguf.integer("llama.feed_forward_length"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        vocabulary=len(gguf.listing("tokenizer.ggml.tokens", str)),
        context=gguf.integer("llama.context_length"),
        epsilon=gguf.number("llama.attention.layer_norm_rms_epsilon"),
    )


def _rms_norm(x, weight, epsilon):
    mean = np.mean(np.square(x, dtype=np.float64), axis=-1, keepdims=True)
    return x * (1.0 / np.sqrt(mean + epsilon)).astype(np.float32) * weight


class LlamaState:
    """What one run records, and its KV cache at the same time: per layer q [heads, tokens, D], k and v
    [KV heads, tokens, D]; `filled` positions are valid."""

    def __init__(self, shape, tokens):
        self.q = [np.zeros((shape.heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.k = [np.zeros((shape.kv_heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.v = [np.zeros((shape.kv_heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
        self.filled = 0


class LlamaModel:
    """Weights as float32, one copy (the file itself is only mapped)."""

    def __init__(self, gguf, on_layer=lambda: None):
        self.shape = s = _shape(gguf)
        q_width, kv_width = s.heads * s.head_dim, s.kv_heads * s.head_dim
        self._embedding = gguf.tensor("token_embd.weight", (s.vocabulary, s.width))
        self._output_norm = gguf.tensor("output_norm.weight", (s.width,))
        tied = not gguf.has("output.weight")
        self._output = self._embedding if tied else gguf.tensor("output.weight", (s.vocabulary, s.width))
        parts = {
            "attn_norm": (s.width,),
            "attn_q": (q_width, s.width),
            "attn_k": (kv_width, s.width),
            "attn_v": (kv_width, s.width),
            "attn_output": (s.width, q_width),
            "ffn_norm": (s.width,),
            "ffn_gate": (s.hidden, s.width),
            "ffn_up": (s.hidden, s.width),
            "ffn_down": (s.width, s.hidden),
        }
        self._layers = []
        for layer in range(s.layers):
            weights = {}
            for part, size in parts.items():
                weights[part] = gguf.tensor(f"blk.{layer}.{part}.weight", size)
                if gguf.has(f"blk.{layer}.{part}.bias"):
                    weights[part + ".bias"] = gguf.tensor(f"blk.{layer}.{part}.bias", size[:1])
            self._layers.append(weights)
            on_layer()
        pairs = np.arange(0, s.head_dim, 2, dtype=np.float64) / s.head_dim
        self._frequencies = gguf.number("llama.rope.freq_base", 10000.0) ** -pairs
        if gguf.value("llama.rope.scaling.type", "none") == "linear":
            self._frequencies /= gguf.number("llama.rope.scaling.factor")
        if gguf.has("rope_freqs.weight"):  # Llama 3's stretched low frequencies
            self._frequencies /= gguf.tensor("rope_freqs.weight", (s.head_dim // 2,))
        if gguf.unread:
            raise CaptureError(f"{gguf.path}: tensor {sorted(gguf.unread)[0]} has no place in the llama architecture")

    def _rotate(self, x, positions):
        """x [tokens, heads, D] at `positions`: each pair (2i, 2i+1) turned by position * frequency i."""
        angles = np.asarray(positions)[:, None] * self._frequencies
        cos, sin = np.cos(angles).astype(np.float32)[:, None], np.sin(angles).astype(np.float32)[:, None]
        out = np.empty_like(x)
        even, odd = x[..., 0::2], x[..., 1::2]
        out[..., 0::2] = even * cos - odd * sin
        out[..., 1::2] = even * sin + odd * cos
        return out

    def _attend(self, q, k, v, first):
        """Causal attention of queries q [heads, n, D] at positions first.. over k and v [KV heads, first + n, D]."""
        s, n, total = self.shape, q.shape[1], k.shape[1]
        group = s.heads // s.kv_heads
        scores = q.reshape(s.kv_heads, group * n, s.head_dim) @ k.transpose(0, 2, 1)
        scores = scores.reshape(s.heads, n, total) * np.float32(s.scale)
        scores[:, np.arange(total)[None, :] > first + np.arange(n)[:, None]] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        out = scores.reshape(s.kv_heads, group * n, total) @ v
        return out.reshape(s.heads, n, s.head_dim).transpose(1, 0, 2).reshape(n, s.heads * s.head_dim)

    @property
    def vocabulary(self):
        """How many tokens there are."""
        return len(self._embedding)

    def embed(self, token_ids):
        """Hidden values [n, width] that enter layer 0."""
        return self._embedding[np.asarray(token_ids)]

    def _project(self, layer, part, values):
        w = self._layers[layer]
        out = values @ w[part].T
        return out + w[part + ".bias"] if part + ".bias" in w else out

    def project(self, layer, x, positions):
        """q [n, heads, D], k and v [n, KV heads, D] of a layer's input x [n, width]; a position each, any order."""
        s, n = self.shape, len(x)
        h = _rms_norm(x, self._layers[layer]["attn_norm"], s.epsilon)
        q = self._rotate(self._project(layer, "attn_q", h).reshape(n, s.heads, s.head_dim), positions)
        k = self._rotate(self._project(layer, "attn_k", h).reshape(n, s.kv_heads, s.head_dim), positions)
        return q, k, self._project(layer, "attn_v", h).reshape(n, s.kv_heads, s.head_dim)

    def finish_layer(self, layer, x, attended):
        """What leaves a layer [n, width], of its input x and its attention [n, heads * D]."""
        x = x + self._project(layer, "attn_output", attended)
        h = _rms_norm(x, self._layers[layer]["ffn_norm"], self.shape.epsilon)
        gate = self._project(layer, "ffn_gate", h)
        with np.errstate(over="ignore"):  # exp(-gate) = inf gives the right 0
            gate /= 1.0 + np.exp(-gate)
        return x + self._project(layer, "ffn_down", gate * self._project(layer, "ffn_up", h))

    def normalised(self, x):
        """What the last layer left, ready for logits()."""
        return _rms_norm(x, self._output_norm, self.shape.epsilon)

    def forward(self, state, token_ids):
        """Runs the tokens at the next positions of the state; returns their hidden values [n, width], normalised."""
        first, end = state.filled, state.filled + len(token_ids)
        here = slice(first, end)
        x = self.embed(token_ids)
        for layer in range(self.shape.layers):
            q, k, v = self.project(layer, x, np.arange(first, end))
            state.q[layer][:, here] = q.transpose(1, 0, 2)
            state.k[layer][:, here] = k.transpose(1, 0, 2)
            state.v[layer][:, here] = v.transpose(1, 0, 2)
            attended = self._attend(state.q[layer][:, here], state.k[layer][:, :end], state.v[layer][:, :end], first)
            x = self.finish_layer(layer, x, attended)
        state.filled = end
        return self.normalised(x)

    def logits(self, hidden):
        """hidden [..., width] -> [..., vocabulary]."""
        return hidden @ self._output.T


def run_decoder(model, prompt, generate, teacher_ids, on_tokens=lambda count: None):
    """Prompt in blocks, then `generate` tokens: the text's own (teacher_ids) or greedy. End-of-text does not stop it.

    Returns (state, all token ids). Every token, the last one included, has gone through the model."""
    state = LlamaState(model.shape, len(prompt) + generate)
    known = list(prompt) + list(teacher_ids[:generate] if teacher_ids is not None else [])
    hidden = None
    for start in range(0, len(known), BLOCK):
        block = known[start : start + BLOCK]
        hidden = model.forward(state, block)
        on_tokens(len(block))
    ids = known
    # One token's products are too small for threads: on a busy machine they wait for each other, four times as long.
    with threadpool_limits(1):
        while len(ids) < len(prompt) + generate:
            ids.append(int(np.argmax(model.logits(hidden[-1]))))
            hidden = model.forward(state, ids[-1:])
            on_tokens(1)
    return state, ids
