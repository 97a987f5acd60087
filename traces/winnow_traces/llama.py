"""The llama architecture in numpy float32: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Weights come from a GGUF file, whose rotary pairs are the neighbours (2i, 2i+1) of a head. q and k are recorded after
the rotation and before any scale; v as projected.
"""

import numpy as np

from winnow_traces.decoder import LayeredDecoder, rms_norm
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_shape import read_shape, refuse_keys

REFUSED = {
    "attention.sliding_window": "sliding windows",
    "attn_logit_softcapping": "score caps (softcap)",
    "attention.max_alibi_bias": "ALiBi",
    "expert_count": "mixtures of experts",
    "attention.scale": "an attention scale of their own",
}


class LlamaModel(LayeredDecoder):
    """Weights as float32, one copy (the file itself is only mapped)."""

    def __init__(self, gguf, on_layer=lambda: None):
        refuse_keys(gguf, REFUSED)
        self.shape = s = read_shape(gguf)
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

    def embed(self, token_ids):
        return self._embedding[np.asarray(token_ids)]

    def _project(self, layer, part, values):
        w = self._layers[layer]
        out = values @ w[part].T
        return out + w[part + ".bias"] if part + ".bias" in w else out

    def project(self, layer, x, positions):
        s, n = self.shape, len(x)
        h = rms_norm(x, self._layers[layer]["attn_norm"], s.epsilon)
        q = self._rotate(self._project(layer, "attn_q", h).reshape(n, s.heads, s.head_dim), positions)
        k = self._rotate(self._project(layer, "attn_k", h).reshape(n, s.kv_heads, s.head_dim), positions)
        return q, k, self._project(layer, "attn_v", h).reshape(n, s.kv_heads, s.head_dim)

    def finish_layer(self, layer, x, attended):
        x = x + self._project(layer, "attn_output", attended)
        h = rms_norm(x, self._layers[layer]["ffn_norm"], self.shape.epsilon)
        gate = self._project(layer, "ffn_gate", h)
        with np.errstate(over="ignore"):  # exp(-gate) = inf gives the right 0
            gate /= 1.0 + np.exp(-gate)
        return x + self._project(layer, "ffn_down", gate * self._project(layer, "ffn_up", h))

    def normalised(self, x):
        return rms_norm(x, self._output_norm, self.shape.epsilon)

    def logits(self, hidden):
        return hidden @ self._output.T
