"""Capture from a Hugging Face model through transformers' attention interface.

Our attention function stands in for the library's: it receives every layer's query, key and value after position
encoding, records them, and computes softmax(q k^T * scale) v itself. So what is recorded is what was computed with,
and a mask or an argument that plain attention does not have (a window, a bias, a cap) is noticed and refused.
"""

import math
import re
from pathlib import Path

import numpy as np

from winnow_traces.errors import CaptureError
from winnow_traces.progress import progress_bar
from winnow_traces.source import Captured, ModelSource, check_length, frame_text, split_text
from winnow_traces.trace_file import Trace

BLOCK = 512  # tokens of a prompt that go through the layers together
_ENCODERS = {"bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra"}
_REFUSED_TYPES = {
    "bloom": "ALiBi",
    "mpt": "ALiBi",
    "gemma2": "score caps (softcap) and sliding windows",
    "t5": "relative position biases",
    "mpnet": "relative position biases",
}
_REFUSED_ARGUMENTS = {
    "sliding_window": "sliding windows",
    "softcap": "score caps (softcap)",
    "s_aux": "sinks",
    "position_bias": "position biases",
    "alibi": "ALiBi",
}


def _import():
    try:
        import torch
        import transformers
        from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
    except ImportError as error:
        raise CaptureError(
            f"--hf needs torch and a recent transformers ({error}); install them with: scripts/setup --hf"
        ) from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch, transformers, ALL_ATTENTION_FUNCTIONS, ALL_MASK_ATTENTION_FUNCTIONS, eager_mask


def _refuse(path, config):
    """What plain attention with a cache cannot stand for, by its name in the configuration."""
    kind = config.model_type
    if kind in _REFUSED_TYPES:
        raise CaptureError(f"{path}: model type {kind!r} is refused: it has {_REFUSED_TYPES[kind]}")
    if getattr(config, "is_encoder_decoder", False):
        raise CaptureError(f"{path}: model type {kind!r} is refused: it is an encoder with a decoder")
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        raise CaptureError(
            f"{path}: sliding_window is {config.sliding_window}: models with sliding windows are refused"
        )
    for layer, layer_type in enumerate(getattr(config, "layer_types", None) or ()):
        if layer_type != "full_attention":
            raise CaptureError(f"{path}: layer_types[{layer}] is {layer_type!r}, must be 'full_attention'")
    for key in ("attn_logit_softcapping", "attention_logit_cap"):
        if getattr(config, key, None):
            raise CaptureError(f"{path}: {key} is {getattr(config, key)}: models with score caps (softcap) are refused")
    if getattr(config, "alibi", False):
        raise CaptureError(f"{path}: alibi is true: models with ALiBi are refused")
    positions = getattr(config, "position_embedding_type", "absolute")
    if positions not in ("absolute", "rotary", "rope", None):
        raise CaptureError(f"{path}: position_embedding_type is {positions!r}: relative position biases are refused")


def _refuse_arguments(path, layer, arguments):
    for name, what in _REFUSED_ARGUMENTS.items():
        if arguments.get(name) is not None:
            raise CaptureError(f"{path}: attention of layer {layer} has {name}: models with {what} are refused")


class _Recorder:
    """The attention function, and the q, k, v and scale of each layer that went through it."""

    def __init__(self, torch, path, causal):
        self._torch, self._path, self._causal = torch, path, causal
        self.layers = {}  # layer: ([q blocks], [k blocks], [v blocks]), arrays [heads, tokens of the block, D]
        self.scales = set()

    def attend(self, module, query, key, value, attention_mask, scaling=None, dropout=0.0, **arguments):
        torch, layer = self._torch, getattr(module, "layer_idx", None)
        if layer is None:
            raise CaptureError(f"{self._path}: {type(module).__name__} does not number its layers: refused")
        _refuse_arguments(self._path, layer, arguments)
        n, total = query.shape[2], key.shape[2]
        scale = query.shape[3] ** -0.5 if scaling is None else float(scaling)
        self.scales.add(scale)
        place = torch.arange(total - n, total)[:, None]
        hidden = (torch.arange(total)[None, :] > place) if self._causal else torch.zeros(n, total, dtype=torch.bool)
        if attention_mask is not None:
            mask = attention_mask[0, 0, :, :total]
            masked = ~mask if mask.dtype == torch.bool else mask <= torch.finfo(mask.dtype).min / 2
            biased = mask.dtype != torch.bool and bool((mask[~masked] != 0).any())
            if biased or not torch.equal(masked, hidden):
                raise CaptureError(
                    f"{self._path}: attention of layer {layer} has a mask that is not "
                    f"{'causal' if self._causal else 'empty'} (a sliding window or ALiBi): refused"
                )
        blocks = self.layers.setdefault(layer, ([], [], []))
        for keep, values in zip(blocks, (query, key[:, :, -n:], value[:, :, -n:])):
            keep.append(values[0].detach().to(torch.float32).numpy().copy())
        group = query.shape[1] // key.shape[1]
        scores = query @ key.repeat_interleave(group, dim=1).transpose(2, 3) * scale
        weights = torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)
        return (weights @ value.repeat_interleave(group, dim=1)).transpose(1, 2).contiguous(), None


def _licence(path):
    """The `license:` of the model card, if there is one."""
    try:
        found = re.search(r"^license:\s*(\S+)", (path / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        found = None
    return found.group(1) if found else "unknown"


def _first_line(error):
    return (str(error).strip().splitlines() or [repr(error)])[0]


def _folder(path_or_name):
    """A local folder: the one named, or that of a model's name in the library's cache, fetched where that can be."""
    path = Path(path_or_name)
    if path.is_dir():
        return path
    if path.is_absolute() or str(path_or_name).startswith(".") or str(path_or_name).count("/") > 1:
        raise CaptureError(f"{path}: no such folder")
    _import()  # names what to install, where nothing is
    import huggingface_hub

    wanted = ["*.json", "*.safetensors", "*.model", "*.txt", "README.md"]
    try:
        return Path(huggingface_hub.snapshot_download(str(path_or_name), allow_patterns=wanted))
    except Exception as error:  # the package's, its network library's and the system's errors have no common class
        raise CaptureError(
            f"--hf {path_or_name}: no such folder, and no model of that name to be had: {_first_line(error)}"
        ) from error


class _Tokenizer:
    """The library's tokenizer as ours: nothing is added."""

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer

    def encode(self, text):
        return self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    def strings(self, ids):
        return self._tokenizer.convert_ids_to_tokens(list(map(int, ids)))


class HfSource(ModelSource):
    def __init__(self, path_or_name):
        self._path = path = _folder(path_or_name)
        named = path.resolve() == Path(path_or_name).resolve()
        self.title = path.resolve().name if named else str(path_or_name)
        self.licence = _licence(path)
        self.weights = sorted(p for p in path.iterdir() if p.suffix in (".safetensors", ".bin"))

    def _load(self, interface, attend, mask):
        """(torch, whether it is an encoder, model, tokenizer) with `attend` as its attention."""
        path = self._path
        torch, transformers, attentions, masks, _ = _import()
        torch.manual_seed(0)
        try:
            config = transformers.AutoConfig.from_pretrained(path, local_files_only=True)
            _refuse(path, config)
            encoder = config.model_type in _ENCODERS and not getattr(config, "is_decoder", False)
            attentions.register(interface, attend)
            masks.register(interface, mask)
            loader = transformers.AutoModel if encoder else transformers.AutoModelForCausalLM
            model = loader.from_pretrained(path, local_files_only=True, attn_implementation=interface).float().eval()
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise CaptureError(f"{path}: not a loadable Hugging Face model: {_first_line(error)}") from error
        return torch, encoder, model, tokenizer

    def open(self):
        from winnow_traces.hf_decoder import INTERFACE, HfDecoder, attend

        torch, encoder, model, tokenizer = self._load(INTERFACE, attend, lambda *given, **named: None)
        if encoder:
            raise CaptureError(
                f"{self._path}: model type {model.config.model_type!r} is an encoder: with golden inside, decoders are "
                "run"
            )
        made = HfDecoder(torch, self._path, model, lambda layer, named: _refuse_arguments(self._path, layer, named))
        return made, _Tokenizer(tokenizer)

    def run(self, text, request):
        path, recorder = self._path, None

        def attend(module, *given, **named):
            return recorder.attend(module, *given, **named)

        torch, encoder, model, tokenizer = self._load("winnow", attend, _import()[-1])
        recorder = _Recorder(torch, path, causal=not encoder)
        tokens, config = request.prompt + request.generate, model.config
        limit = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
        if limit:
            check_length(path, tokens, limit)
        ids = _Tokenizer(tokenizer).encode(text)
        with torch.no_grad(), progress_bar(tokens, "token", "capture") as bar:
            if encoder:
                if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
                    raise CaptureError(f"{path}: its tokenizer has no [CLS] or [SEP] token")
                ids = frame_text(request, ids, tokenizer.cls_token_id, tokenizer.sep_token_id)
                model(input_ids=torch.tensor([ids]))
                bar.update(tokens)
            else:
                ids = _decode(torch, model, request, ids, bar)
        trace = _trace(path, recorder, request, ids, causal=not encoder)
        return Captured(trace, _Tokenizer(tokenizer).strings(ids))


def _decode(torch, model, request, ids, bar):
    prompt, teacher = split_text(request, ids)
    known, done, cache, result = [*prompt, *(teacher or [])], 0, None, None
    while done < request.prompt + request.generate:
        if done == len(known):
            known.append(int(result.logits[0, -1].argmax()))
        block = known[done : done + BLOCK]
        result = model(input_ids=torch.tensor([block]), past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = result.past_key_values
        done += len(block)
        bar.update(len(block))
    return known


def _trace(path, recorder, request, ids, causal):
    layers = len(recorder.layers)
    if sorted(recorder.layers) != list(range(layers)) or not layers:
        raise CaptureError(
            f"{path}: its attention does not go through transformers' attention interface; "
            "a newer transformers may have it"
        )
    if len(recorder.scales) != 1:
        raise CaptureError(
            f"{path}: the attention scale differs from layer to layer "
            f"({min(recorder.scales):g} to {max(recorder.scales):g}), must be one"
        )
    parts = [[np.concatenate(recorder.layers[layer][part], axis=1) for layer in range(layers)] for part in range(3)]
    if parts[0][0].shape[1] != len(ids) or len({(q.shape, k.shape) for q, k in zip(*parts[:2])}) != 1:
        raise CaptureError(f"{path}: layers differ in heads or saw other than the {len(ids)} tokens once each")
    return Trace(*parts, np.asarray(ids, np.int32), recorder.scales.pop(), causal, request.prompt)
