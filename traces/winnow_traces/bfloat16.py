"""bfloat16 without a numpy type for it: the upper half of a float32, held as uint16."""

import numpy as np


def narrowed(values):
    """float32 values as bfloat16 words, rounded to nearest, ties to even. NaN stays NaN."""
    wide = np.ascontiguousarray(values, dtype=np.float32)
    bits = wide.view(np.uint32)
    rounded = (bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16
    return np.where(np.isnan(wide), np.uint32(0x7FC0), rounded).astype("<u2")


def widened(words):
    """The float32 values of bfloat16 words; exact."""
    return (np.asarray(words, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
