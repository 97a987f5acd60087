"""A decoder's shape out of a GGUF file's keys, under its architecture's prefix, and what of them is refused."""

import numpy as np

from winnow_traces.decoder import DecoderShape
from winnow_traces.errors import CaptureError


def refuse_keys(gguf, refused):
    """An error at the first key of {key without prefix: what such models have} that is set."""
    prefix = gguf.text("general.architecture")
    for key, what in refused.items():
        value = gguf.value(f"{prefix}.{key}", 0)
        if value:
            raise CaptureError(f"{gguf.path}: {prefix}.{key} is {value}: models with {what} are refused")


def read_shape(gguf):
    """DecoderShape of the file's keys; scores are scaled by 1 / sqrt(D)."""
    prefix = gguf.text("general.architecture")
    scaling = gguf.value(f"{prefix}.rope.scaling.type", "none")
    if scaling not in ("none", "linear"):
        raise CaptureError(f"{gguf.path}: {prefix}.rope.scaling.type is {scaling!r}, known are 'none' and 'linear'")
    for key in (f"{prefix}.attention.head_count", f"{prefix}.attention.head_count_kv"):
        if isinstance(gguf.value(key, 0), list):
            raise CaptureError(f"{gguf.path}: {key} differs from layer to layer, must be one number")
    heads = gguf.integer(f"{prefix}.attention.head_count")
    kv_heads = gguf.integer(f"{prefix}.attention.head_count_kv", heads)
    width = gguf.integer(f"{prefix}.embedding_length")
    if heads % kv_heads:
        raise CaptureError(f"{gguf.path}: {heads} heads over {kv_heads} KV heads: must be a multiple")
    head_dim = gguf.integer(f"{prefix}.attention.key_length", max(1, width // heads))
    if head_dim % 2:
        raise CaptureError(f"{gguf.path}: head dimension {head_dim}: must be even, rotary positions turn pairs")
    if gguf.value(f"{prefix}.attention.value_length", head_dim) != head_dim:
        raise CaptureError(f"{gguf.path}: {prefix}.attention.value_length differs from key_length {head_dim}")
    rotated = gguf.value(f"{prefix}.rope.dimension_count", head_dim)
    if rotated != head_dim:
        raise CaptureError(
            f"{gguf.path}: {prefix}.rope.dimension_count is {rotated}, must be the head dimension {head_dim}"
        )
    return DecoderShape(
        layers=gguf.integer(f"{prefix}.block_count"),
        width=width,
        hidden=gguf.integer(f"{prefix}.feed_forward_length"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        vocabulary=len(gguf.listing("tokenizer.ggml.tokens", str)),
        context=gguf.integer(f"{prefix}.context_length"),
        epsilon=gguf.number(f"{prefix}.attention.layer_norm_rms_epsilon"),
        scale=1.0 / float(np.sqrt(head_dim)),
    )
