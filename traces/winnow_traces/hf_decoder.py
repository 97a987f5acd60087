"""Any Hugging Face decoder as a decoder.Decoder: the library's model with our callback for its attention function.

All but attention is done token by token, so every token goes in as a sequence of its own, of length 1, with its
position. Whether that holds for a model is tried when it is opened: a few tokens so, with float attention, must give
the logits that the library's own attention gives them as one sequence."""

import threading

import numpy as np

from winnow_traces.decoder import Decoder, DecoderShape, DecoderState
from winnow_traces.errors import CaptureError

PROBE = 24  # tokens that are tried
BOUND = 1e-3  # of the largest difference of logits, as a share of the largest logit
INTERFACE = "winnow-rows"  # our name in transformers' lists of attention functions and masks

_caller = threading.local()  # the thread's HfDecoder.run: sessions of golden run on threads of their own


def attend(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **arguments):
    """transformers' attention interface: query [n, heads, 1, D] in, [n, 1, heads, D] out."""
    return _caller.attend(module, query, key, value, scaling, arguments), None


class HfDecoder(Decoder):
    """`model`: the library's, loaded with the attention implementation INTERFACE. `refuse(layer, arguments)` raises on
    an argument that plain attention lacks."""

    def __init__(self, torch, path, model, refuse):
        self._torch, self._path, self._model, self._refuse = torch, path, model, refuse
        self._head = model.get_output_embeddings()
        config = model.config
        self.shape = DecoderShape(
            layers=0,
            width=0,
            hidden=0,
            heads=0,
            kv_heads=0,
            head_dim=0,
            vocabulary=config.vocab_size,
            context=getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 1 << 30,
            epsilon=0.0,
            scale=0.0,
        )
        self._look()
        self._try()

    def _look(self):
        """The shape, by what attention is called with for one token."""
        s, seen = self.shape, []

        def look(layer, q, k, v, scale):
            seen.append((layer, q.shape[1], k.shape[1], q.shape[2], v.shape[2], scale))
            return q.reshape(1, -1)

        hidden = self._rows([0], [0], look)
        layers = [layer for layer, *_ in seen]
        if not layers or layers != list(range(len(layers))):
            raise CaptureError(
                f"{self._path}: its attention does not go through transformers' attention interface once a layer, in "
                "order; a newer transformers may have it"
            )
        first = seen[0][1:]
        if any(one[1:] != first for one in seen) or first[2] != first[3]:
            raise CaptureError(f"{self._path}: heads, head dimension or attention scale differ from layer to layer")
        s.layers, s.width = len(layers), hidden.shape[-1]
        s.heads, s.kv_heads, s.head_dim, _, s.scale = first

    def _try(self):
        """Refuses a model whose tokens are not what its own attention makes of them."""
        torch, n = self._torch, min(PROBE, self.shape.context)
        ids = np.random.default_rng(1).integers(0, self.shape.vocabulary, n)
        ours = self.logits(self.forward(DecoderState(self.shape, n), ids))
        self._model.set_attn_implementation("eager")
        with torch.no_grad():
            theirs = self._model(input_ids=torch.from_numpy(ids)[None], use_cache=False).logits[0].float().numpy()
        self._model.set_attn_implementation(INTERFACE)
        difference, most = float(np.abs(ours - theirs).max()), float(np.abs(theirs).max())
        if not difference <= BOUND * most:
            raise CaptureError(
                f"{self._path}: {n} tokens one by one give other logits than the model's own attention (by "
                f"{difference:.2g} of {most:.2g}): it does more with them than plain attention: refused"
            )

    def _rows(self, token_ids, positions, attend):
        """Hidden values [n, width]; `attend` also gets the scale."""
        torch = self._torch

        def called(module, query, key, value, scaling, arguments):
            layer = getattr(module, "layer_idx", None)
            if layer is None:
                raise CaptureError(f"{self._path}: {type(module).__name__} does not number its layers: refused")
            self._refuse(layer, arguments)
            if query.shape[2] != 1 or key.shape[2] != 1:
                raise CaptureError(f"{self._path}: attention of layer {layer} sees tokens of before: refused")
            scale = query.shape[3] ** -0.5 if scaling is None else float(scaling)
            out = attend(layer, *(part[:, :, 0].float().numpy() for part in (query, key, value)), scale)
            out = torch.from_numpy(np.ascontiguousarray(out, np.float32))
            return out.reshape(query.shape[0], 1, query.shape[1], value.shape[3]).to(query.dtype)

        before = getattr(_caller, "attend", None)
        _caller.attend = called
        try:
            with torch.no_grad():
                made = self._model.base_model(
                    input_ids=torch.as_tensor(np.asarray(token_ids, np.int64))[:, None],
                    position_ids=torch.as_tensor(np.asarray(positions, np.int64))[:, None],
                    use_cache=False,
                )
        finally:
            _caller.attend = before
        return made.last_hidden_state[:, 0].float().numpy()

    def run(self, token_ids, positions, attend):
        return self._rows(token_ids, positions, lambda layer, q, k, v, scale: attend(layer, q, k, v))

    def logits(self, hidden):
        with self._torch.no_grad():
            return self._head(self._torch.from_numpy(np.ascontiguousarray(hidden, np.float32))).numpy()
