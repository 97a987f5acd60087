"""The llama forward against a float64 reference written as loops, on tiny random GGUF files."""

import math

import numpy as np
import pytest
from tiny_models import write_llama
from winnow_traces import decoder
from winnow_traces.decoder import DecoderState, run_decoder
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_file import GgufFile
from winnow_traces.gguf_source import open_decoder
from winnow_traces.llama import LlamaModel


def reference(tensors, ids, *, layers, heads, kv_heads, head_dim, linear=1.0):
    """q, k, v [layer][head][token][D] and logits [token][word] of all positions."""
    t = {name: values.astype(np.float64) for name, values in tensors.items()}
    scale = 1.0 / math.sqrt(head_dim)
    factors = t.get("rope_freqs.weight", np.ones(head_dim // 2))

    def norm(row, weight):
        return row / math.sqrt(sum(value * value for value in row) / len(row) + 1e-5) * weight

    def project(name, row):
        out = np.array([sum(w * x for w, x in zip(line, row)) for line in t[name + ".weight"]])
        return out + t[name + ".bias"] if name + ".bias" in t else out

    def rotate(head, position):
        out = list(head)
        for i in range(head_dim // 2):
            angle = position * 5000.0 ** (-2.0 * i / head_dim) / factors[i] / linear
            a, b = head[2 * i], head[2 * i + 1]
            out[2 * i] = a * math.cos(angle) - b * math.sin(angle)
            out[2 * i + 1] = a * math.sin(angle) + b * math.cos(angle)
        return np.array(out)

    rows = [t["token_embd.weight"][index] for index in ids]
    q, k, v = ([], [], [])
    for layer in range(layers):
        at = f"blk.{layer}."
        normed = [norm(row, t[at + "attn_norm.weight"]) for row in rows]
        split = [
            [project(at + part, row).reshape(-1, head_dim) for row in normed] for part in ("attn_q", "attn_k", "attn_v")
        ]
        q.append([[rotate(split[0][p][h], p) for p in range(len(ids))] for h in range(heads)])
        k.append([[rotate(split[1][p][h], p) for p in range(len(ids))] for h in range(kv_heads)])
        v.append([[split[2][p][h] for p in range(len(ids))] for h in range(kv_heads)])
        for p in range(len(ids)):
            joined = []
            for h in range(heads):
                shared = h // (heads // kv_heads)
                weights = [math.exp(scale * float(np.dot(q[layer][h][p], k[layer][shared][s]))) for s in range(p + 1)]
                joined.append(sum(w * v[layer][shared][s] for s, w in enumerate(weights)) / sum(weights))
            rows[p] = rows[p] + project(at + "attn_output", np.concatenate(joined))
            normed_row = norm(rows[p], t[at + "ffn_norm.weight"])
            gate, up = project(at + "ffn_gate", normed_row), project(at + "ffn_up", normed_row)
            rows[p] = rows[p] + project(
                at + "ffn_down", np.array([g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)])
            )
    output = t.get("output.weight", t["token_embd.weight"])
    logits = [output @ norm(row, t["output_norm.weight"]) for row in rows]
    return np.array(q), np.array(k), np.array(v), np.array(logits)


SHAPE = {"layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 16}
CASES = {
    "grouped heads": ({}, {}),
    "one KV head, tied output": ({"kv_heads": 1, "tied": True}, {}),
    "biases": ({"biases": True}, {}),
    "heads narrower than the width, Llama 3 rope factors": ({"head_dim": 8, "rope_factors": True}, {}),
    "linear rope scaling": (
        {"keys": [("llama.rope.scaling.type", "linear"), ("llama.rope.scaling.factor", 4.0)]},
        {"linear": 4.0},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_forward_equals_loops(case, tmp_path, text_file, compared, monkeypatch):
    options, arithmetic = CASES[case]
    path = tmp_path / "tiny.gguf"
    tensors = write_llama(path, text_file.read_text(encoding="utf-8"), **options)
    shape = SHAPE | {key: value for key, value in options.items() if key in SHAPE}
    model = LlamaModel(GgufFile(path))
    monkeypatch.setattr(decoder, "BLOCK", 5)  # the prompt of 13 goes through in three blocks
    ids = list(np.random.default_rng(3).integers(3, model.shape.vocabulary, 18))
    state, seen = run_decoder(model, ids[:13], 5, ids[13:])
    assert seen == ids and state.filled == 18
    expected = reference(tensors, ids, **shape, **arithmetic)
    count = 0
    for ours, theirs, heads in zip(
        (state.q, state.k, state.v), expected, (shape["heads"], shape["kv_heads"], shape["kv_heads"])
    ):
        assert np.shape(ours) == theirs.shape == (shape["layers"], heads, 18, shape["head_dim"])
        np.testing.assert_allclose(np.array(ours), theirs, rtol=2e-5, atol=2e-5)
        count += theirs.size
    state = DecoderState(model.shape, 18)
    logits = np.concatenate(
        [
            model.logits(model.forward(state, ids[:13])),
            *(model.logits(model.forward(state, [index])) for index in ids[13:]),
        ]
    )
    np.testing.assert_allclose(logits, expected[3], rtol=2e-5, atol=2e-5)
    compared("values of q, k, v and logits with the float64 loops", count + logits.size)


def test_greedy_takes_the_references_largest_logit(tmp_path, text_file, compared):
    tensors = write_llama(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"))
    prompt, want = [40, 90, 77], []
    while len(want) < 6:
        want.append(int(np.argmax(reference(tensors, prompt + want, **SHAPE)[3][-1])))
    _, ids = run_decoder(LlamaModel(GgufFile(tmp_path / "tiny.gguf")), prompt, 6, None)
    assert ids == prompt + want
    compared("greedy tokens", len(want))


REFUSED = {
    "llama.attention.sliding_window": ({"keys": [("llama.attention.sliding_window", 64)]}, "sliding windows"),
    "llama.attn_logit_softcapping": ({"keys": [("llama.attn_logit_softcapping", 50.0)]}, "softcap"),
    "llama.attention.max_alibi_bias": ({"keys": [("llama.attention.max_alibi_bias", 8.0)]}, "ALiBi"),
    "llama.expert_count": ({"keys": [("llama.expert_count", 8)]}, "mixtures of experts"),
    "llama.rope.scaling.type": ({"keys": [("llama.rope.scaling.type", "yarn")]}, "'yarn'"),
    "blk.0.attn_q_norm.weight": ({"extra": {"blk.0.attn_q_norm.weight": (16,)}}, "no place"),
    "'gemma2'": ({"architecture": "gemma2"}, "softcap"),
    "'bloom'": ({"architecture": "bloom"}, "ALiBi"),
    "llama.rope.dimension_count is 8": ({"rotated": 8}, "must be the head dimension 16"),
    "llama.attention.scale": ({"keys": [("llama.attention.scale", 0.375)]}, "scale of their own"),
    "5 heads over 2": ({"heads": 5}, "must be a multiple"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what, tmp_path, text_file, compared):
    options, word = REFUSED[what]
    write_llama(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"), **options)
    with pytest.raises(CaptureError) as error:
        open_decoder(GgufFile(tmp_path / "tiny.gguf"))
    assert word in str(error.value) and "tiny.gguf" in str(error.value)
    assert what in str(error.value)
    compared("message", 1)


def test_truncated_or_foreign_file(tmp_path, text_file, compared):
    path = tmp_path / "tiny.gguf"
    write_llama(path, text_file.read_text(encoding="utf-8"))
    whole = path.read_bytes()
    for size in (0, 3, 20, 400, 2000, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:size])
        with pytest.raises(CaptureError, match="not a readable GGUF file"):
            LlamaModel(GgufFile(path))
    path.write_bytes(b"\x00" * 4096)
    with pytest.raises(CaptureError, match="not a readable GGUF file"):
        GgufFile(path)
    compared("damaged files", 8)
