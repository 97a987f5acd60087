"""What drives a unit's inputs while its toggles are counted: numbers of a real trace where the unit's inputs are such
numbers, else random ones within the unit's rules.

A stimulus is a function of the cycle that gives {port: [integers of LANES bits, one for each bit of the port]}.
"""

import functools
import random

from gates import LANES

# Always on while busy, and what is constant while a job runs.
CONSTANT = {
    "enable_i": 1,
    "valid_i": 1,
    "rst_ni": 1,
    "clear_i": 0,
    "ready_i": 1,
    "narrow_i": 0,
    "key_signed_i": 1,
    "a_signed_i": 1,
    "b_signed_i": 1,
    "is_signed_i": 1,
    "first_i": 0,
}
TRACED = {"dot", "whole_dot", "multiplier", "multiply12", "pv_accumulate", "accumulator", "unpacker"}
# No stimulus: control decides what they do.
STATED = ("topk_", "progressive", "writeback", "merge_sorter")


def kind(name):
    return "trace" if name in TRACED else "random"


@functools.cache
def codes(path):
    """12-bit codes of Q, K and V of a middle layer: {name: [row of D codes]}."""
    import numpy as np
    from safetensors.numpy import load_file

    tensors = load_file(path)
    found = {}
    for letter in "qkv":
        names = sorted(n for n in tensors if n.split(".")[-1].lower() == letter or n.lower().endswith("." + letter))
        values = tensors[names[len(names) // 2]].astype(np.float32).reshape(-1, tensors[names[0]].shape[-1])
        scale = np.abs(values).max() / 2047
        found[letter] = np.rint(values / scale).astype(int)
    return found


def bits_of(values, width):
    """Integers, one a lane, as `width` integers of LANES bits."""
    out = [0] * width
    for lane, value in enumerate(values):
        for bit in range(width):
            if value >> bit & 1:
                out[bit] |= 1 << lane
    return out


def of(name, ports, trace):
    if name.startswith(STATED):
        return None
    data = codes(str(trace)) if name in TRACED else None
    rng = random.Random(1)
    widths = {p: len(v["bits"]) for p, v in ports.items() if v["direction"] == "input" and p != "clk_i"}

    def number(cycle, lane, port, width):
        if port in CONSTANT and width <= 2:
            return CONSTANT[port]
        if port == "digits_i":
            return 3
        if port == "shift_i" and name == "dot":
            return 0
        if port == "bits_i":
            return 12
        if port in ("exponent_i", "shift_i") and name != "octave_scale":
            return 5
        if port == "mantissa_i" and name == "octave_scale":
            return 1 << (width - 1) | rng.getrandbits(width - 1)
        if port == "mantissa_i":
            return 1 << (width - 1) | (0x2AAA & ((1 << (width - 1)) - 1))
        if name in TRACED:
            # A lane has a query of its own; keys (or values, with the same weight) come one after another.
            q, k, v = data["q"], data["k"], data["v"]
            row = (37 * lane + cycle) % len(k)
            if port == "query_i":
                return pack(q[lane % len(q)][:16], 12)
            if port == "key_i" and name == "whole_dot":
                return pack(k[row][:16], 12)
            if port == "key_i":  # two words a dimension, three digits each
                return pack([word(k[row][i]) | word(k[(row + 1) % len(k)][i]) << 12 for i in range(16)], 36)
            if port == "a_i":
                return word(q[lane % len(q)][cycle % 16])
            if port == "b_i" and name == "multiplier":
                return word(k[row][3]) | word(k[(row + 1) % len(k)][3]) << 12
            if port == "b_i":
                return word(k[row][3])
            if port == "value_i":
                return word(v[row][lane % 16])
            if port == "weight_i":
                return min(4095, int(rng.expovariate(1 / 60)))
            if port == "product_i":
                return int(v[row][lane % 16]) * min(4095, int(rng.expovariate(1 / 60))) & ((1 << width) - 1)
            if port == "bytes_i":
                return pack([v[row][i % 32] for i in range(8)], 12)
            if port in ("partial_i", "start_i"):
                return 0
        return rng.getrandbits(width)

    def drive(cycle):
        return {
            port: bits_of([number(cycle, lane, port, width) for lane in range(LANES)], width)
            for port, width in widths.items()
        }

    return drive


def word(value):
    return int(value) & 0xFFF


def pack(values, width):
    out = 0
    for i, value in enumerate(values):
        out |= (int(value) & ((1 << width) - 1)) << (width * i)
    return out
