"""The Gemma 3 architecture in numpy float32: norms before and behind attention and feed-forward, norms of q and k,
rotary positions of two bases, grouped-query attention, gated GELU.

Five of six layers see a sliding window. Contexts no longer than that window are all within it, so that attention is
plain there; longer ones are refused. Weights come from a GGUF file, whose norms hold 1 + weight, and whose rotary pairs
are the halves (i, i + D/2) of a head. q and k are recorded after the rotation and before any scale; v as projected.
"""

import dataclasses

import numpy as np

from winnow_traces.decoder import LayeredDecoder, rms_norm
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_shape import read_shape, refuse_keys

REFUSED = {
    "attn_logit_softcapping": "score caps (softcap)",
    "final_logit_softcapping": "score caps (softcap)",
    "expert_count": "mixtures of experts",
    "attention.scale": "an attention scale of their own",
}
PATTERN = 6  # every 6th layer sees everything, the others a sliding window
LOCAL_BASE = 10000.0  # of rotary positions in the others; in no key of the file
LAYERS_27B = 62  # the one size whose attention scale is not 1 / sqrt(D); no key says so


def _shape(gguf):
    refuse_keys(gguf, REFUSED)
    shape = read_shape(gguf)
    if shape.layers == LAYERS_27B:
        raise CaptureError(
            f"{gguf.path}: gemma3.block_count is {LAYERS_27B}: Gemma 3 27B has an attention scale of its own"
        )
    window, local = gguf.integer("gemma3.attention.sliding_window"), sum(map(_is_local, range(shape.layers)))
    if window >= shape.context:
        return shape
    why = f": {local} of its {shape.layers} layers see a sliding window of {window}, which is not run"
    return dataclasses.replace(shape, context=window, context_why=why)


def _is_local(layer):
    return layer % PATTERN != PATTERN - 1


def _gelu(x):
    """GELU's tanh approximation, as the model was trained."""
    return 0.5 * x * (1.0 + np.tanh(np.float32(0.7978845608028654) * x * (1.0 + np.float32(0.044715) * x * x)))


class GemmaModel(LayeredDecoder):
    """Weights as float32, one copy (the file itself is only mapped)."""

    def __init__(self, gguf, on_layer=lambda: None):
        self.shape = s = _shape(gguf)
        self.begin = (gguf.integer("tokenizer.ggml.bos_token_id", least=0),)  # it was never trained without
        q_width, kv_width = s.heads * s.head_dim, s.kv_heads * s.head_dim
        self._embedding = gguf.tensor("token_embd.weight", (s.vocabulary, s.width))
        self._output_norm = gguf.tensor("output_norm.weight", (s.width,))
        tied = not gguf.has("output.weight")
        self._output = self._embedding if tied else gguf.tensor("output.weight", (s.vocabulary, s.width))
        parts = {
            "attn_norm": (s.width,),
            "attn_q": (q_width, s.width),
            "attn_q_norm": (s.head_dim,),
            "attn_k": (kv_width, s.width),
            "attn_k_norm": (s.head_dim,),
            "attn_v": (kv_width, s.width),
            "attn_output": (s.width, q_width),
            "post_attention_norm": (s.width,),
            "ffn_norm": (s.width,),
            "ffn_gate": (s.hidden, s.width),
            "ffn_up": (s.hidden, s.width),
            "ffn_down": (s.width, s.hidden),
            "post_ffw_norm": (s.width,),
        }
        self._layers = []
        for layer in range(s.layers):
            self._layers.append({part: gguf.tensor(f"blk.{layer}.{part}.weight", size) for part, size in parts.items()})
            on_layer()
        pairs = np.arange(0, s.head_dim, 2, dtype=np.float64) / s.head_dim
        self._local, self._global = LOCAL_BASE**-pairs, gguf.number("gemma3.rope.freq_base", 1e6) ** -pairs
        if gguf.value("gemma3.rope.scaling.type", "none") == "linear":  # of the layers that see everything
            self._global /= gguf.number("gemma3.rope.scaling.factor")
        if gguf.unread:
            raise CaptureError(f"{gguf.path}: tensor {sorted(gguf.unread)[0]} has no place in the gemma3 architecture")

    def _rotate(self, layer, x, positions):
        """x [tokens, heads, D] at `positions`: each pair (i, i + D/2) turned by position * frequency i."""
        angles = np.asarray(positions)[:, None] * (self._local if _is_local(layer) else self._global)
        cos, sin = np.cos(angles).astype(np.float32)[:, None], np.sin(angles).astype(np.float32)[:, None]
        half = x.shape[-1] // 2
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)

    def embed(self, token_ids):
        return self._embedding[np.asarray(token_ids)] * np.float32(np.sqrt(self.shape.width))

    def project(self, layer, x, positions):
        s, n, w = self.shape, len(x), self._layers[layer]
        h = rms_norm(x, w["attn_norm"], s.epsilon)
        q = rms_norm((h @ w["attn_q"].T).reshape(n, s.heads, s.head_dim), w["attn_q_norm"], s.epsilon)
        k = rms_norm((h @ w["attn_k"].T).reshape(n, s.kv_heads, s.head_dim), w["attn_k_norm"], s.epsilon)
        v = (h @ w["attn_v"].T).reshape(n, s.kv_heads, s.head_dim)
        return self._rotate(layer, q, positions), self._rotate(layer, k, positions), v

    def finish_layer(self, layer, x, attended):
        s, w = self.shape, self._layers[layer]
        x = x + rms_norm(attended @ w["attn_output"].T, w["post_attention_norm"], s.epsilon)
        h = rms_norm(x, w["ffn_norm"], s.epsilon)
        inner = _gelu(h @ w["ffn_gate"].T) * (h @ w["ffn_up"].T)
        return x + rms_norm(inner @ w["ffn_down"].T, w["post_ffw_norm"], s.epsilon)

    def normalised(self, x):
        return rms_norm(x, self._output_norm, self.shape.epsilon)

    def logits(self, hidden):
        return hidden @ self._output.T
