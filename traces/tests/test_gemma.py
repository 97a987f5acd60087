"""The Gemma 3 forward against a float64 reference written as loops, on tiny random GGUF files; its tokenizer's pieces;
what is refused."""

import math

import numpy as np
import pytest
from tiny_models import write_gemma
from winnow_traces import decoder
from winnow_traces.capture import capture
from winnow_traces.decoder import DecoderState, run_decoder
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_file import GgufFile
from winnow_traces.gguf_source import open_decoder
from winnow_traces.source import Request
from winnow_traces.sources import open_source
from winnow_traces.tokenizer import SentencePieceTokenizer


def reference(tensors, ids, *, layers, heads, kv_heads, head_dim, linear=1.0):
    """q, k, v [layer][head][token][D] and logits [token][word] of all positions, no longer than the window."""
    t = {name: values.astype(np.float64) for name, values in tensors.items()}
    width, half = t["token_embd.weight"].shape[1], head_dim // 2

    def norm(row, name):
        spread = math.sqrt(sum(value * value for value in row) / len(row) + 1e-5)
        return np.array([value / spread * weight for value, weight in zip(row, t[name + ".weight"], strict=True)])

    def project(name, row):
        return np.array([sum(w * x for w, x in zip(line, row, strict=True)) for line in t[name + ".weight"]])

    def rotate(head, position, layer):
        sees_all = layer % 6 == 5
        out = list(head)
        for i in range(half):
            angle = position * (5000.0 if sees_all else 10000.0) ** (-2.0 * i / head_dim) / (linear if sees_all else 1)
            a, b = head[i], head[i + half]
            out[i] = a * math.cos(angle) - b * math.sin(angle)
            out[i + half] = a * math.sin(angle) + b * math.cos(angle)
        return np.array(out)

    def gelu(x):
        return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    rows = [t["token_embd.weight"][index] * math.sqrt(width) for index in ids]
    q, k, v = ([], [], [])
    for layer in range(layers):
        at = f"blk.{layer}."
        normed = [norm(row, at + "attn_norm") for row in rows]
        split = [
            [project(at + part, row).reshape(-1, head_dim) for row in normed] for part in ("attn_q", "attn_k", "attn_v")
        ]
        for kept, one, name, count in ((q, split[0], "attn_q_norm", heads), (k, split[1], "attn_k_norm", kv_heads)):
            kept.append([[rotate(norm(one[p][h], at + name), p, layer) for p in range(len(ids))] for h in range(count)])
        v.append([[split[2][p][h] for p in range(len(ids))] for h in range(kv_heads)])
        for p in range(len(ids)):
            joined = []
            for h in range(heads):
                shared = h // (heads // kv_heads)
                weights = [
                    math.exp(float(np.dot(q[layer][h][p], k[layer][shared][s])) / math.sqrt(head_dim))
                    for s in range(p + 1)
                ]
                joined.append(sum(w * v[layer][shared][s] for s, w in enumerate(weights)) / sum(weights))
            rows[p] = rows[p] + norm(project(at + "attn_output", np.concatenate(joined)), at + "post_attention_norm")
            before = norm(rows[p], at + "ffn_norm")
            gate, up = project(at + "ffn_gate", before), project(at + "ffn_up", before)
            inner = np.array([gelu(g) * u for g, u in zip(gate, up, strict=True)])
            rows[p] = rows[p] + norm(project(at + "ffn_down", inner), at + "post_ffw_norm")
    output = t.get("output.weight", t["token_embd.weight"])
    logits = [output @ norm(row, "output_norm") for row in rows]
    return np.array(q), np.array(k), np.array(v), np.array(logits)


SHAPE = {"layers": 7, "heads": 4, "kv_heads": 1, "head_dim": 16}
CASES = {
    "one KV head": ({}, {}),
    "two KV heads, an output of its own": ({"kv_heads": 2, "tied": False}, {}),
    "linear rope scaling where all is seen": (
        {"keys": [("gemma3.rope.scaling.type", "linear"), ("gemma3.rope.scaling.factor", 8.0)]},
        {"linear": 8.0},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_forward_equals_loops(case, tmp_path, text_file, compared, monkeypatch):
    options, arithmetic = CASES[case]
    tensors = write_gemma(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"), **options)
    shape = SHAPE | {key: value for key, value in options.items() if key in SHAPE}
    model = open_decoder(GgufFile(tmp_path / "tiny.gguf"))
    monkeypatch.setattr(decoder, "BLOCK", 5)  # the prompt of 11 goes through in three blocks
    ids = [*model.begin, *np.random.default_rng(3).integers(3, model.shape.vocabulary, 14).tolist()]
    state, seen = run_decoder(model, ids[:11], 4, ids[11:])
    assert seen == ids and state.filled == 15
    expected = reference(tensors, ids, **shape, **arithmetic)
    count = 0
    for ours, theirs, heads in zip(
        (state.q, state.k, state.v), expected, (shape["heads"], shape["kv_heads"], shape["kv_heads"])
    ):
        assert np.shape(ours) == theirs.shape == (shape["layers"], heads, 15, shape["head_dim"])
        np.testing.assert_allclose(np.array(ours), theirs, rtol=5e-5, atol=5e-5)
        count += theirs.size
    state = DecoderState(model.shape, 15)
    logits = np.concatenate(
        [model.logits(model.forward(state, ids[:11])), *(model.logits(model.forward(state, [i])) for i in ids[11:])]
    )
    np.testing.assert_allclose(logits, expected[3], rtol=5e-5, atol=5e-5)
    compared("values of q, k, v and logits with the float64 loops", count + logits.size)


def test_a_text_begins_with_the_begin_token(tmp_path, text_file, compared):
    write_gemma(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"))
    trace = capture(
        open_source(gguf=tmp_path / "tiny.gguf"), Request(text=text_file, prompt=20, generate=4, teacher=True)
    )
    assert trace.token_ids[0] == 1 and trace.prompt == 20 and trace.q[0].shape == (4, 24, 16)
    assert 1 not in trace.token_ids[1:]
    compared("tokens", len(trace.token_ids))


def test_up_to_the_window_and_no_further(tmp_path, text_file, compared):
    write_gemma(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"), window=30)
    source = open_source(gguf=tmp_path / "tiny.gguf")
    assert len(capture(source, Request(text=text_file, prompt=25, generate=5)).token_ids) == 30
    source = open_source(gguf=tmp_path / "tiny.gguf")
    with pytest.raises(CaptureError) as error:
        capture(source, Request(text=text_file, prompt=26, generate=5))
    line = "31 tokens are asked for, the model takes at most 30: 6 of its 7 layers see a sliding window of 30"
    assert line in str(error.value)
    compared("tokens and a message", 31)


REFUSED = {
    "gemma3.attention.sliding_window is missing": ({"keys": ()}, "key gemma3.attention.sliding_window is missing"),
    "gemma3.attn_logit_softcapping": ({"keys": [("gemma3.attn_logit_softcapping", 50.0)]}, "softcap"),
    "gemma3.final_logit_softcapping": ({"keys": [("gemma3.final_logit_softcapping", 30.0)]}, "softcap"),
    "gemma3.expert_count": ({"keys": [("gemma3.expert_count", 8)]}, "mixtures of experts"),
    "blk.0.attn_sinks.weight": ({"extra": {"blk.0.attn_sinks.weight": (4,)}}, "no place in the gemma3"),
    "gemma3.block_count is 62": ({"layers": 62, "weights": False}, "27B has an attention scale of its own"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what, tmp_path, text_file, compared):
    options, word = REFUSED[what]
    text = text_file.read_text(encoding="utf-8")
    if "missing" in what:
        from tiny_models import write_llama

        write_llama(tmp_path / "tiny.gguf", text, architecture="gemma3", vocabulary="spm")
    else:
        write_gemma(tmp_path / "tiny.gguf", text, **options)
    with pytest.raises(CaptureError) as error:
        open_decoder(GgufFile(tmp_path / "tiny.gguf"))
    assert word in str(error.value) and "tiny.gguf" in str(error.value) and "\n" not in str(error.value)
    compared("message", 1)


def test_defined_pieces_are_cut_out_first(compared):
    """As Gemma has line ends and runs of spaces: the longest first, and what lies between is joined on its own."""
    tokens = ["<unk>", "\n", "\n\n", "  ", "a", "b", "ab", "\u2581", "\u2581a", "b\n", "<0x63>"]
    scores = [0, -1000, -1000, -1000, -5, -6, -1, -7, -2, -0.5, 0]
    types = [2, 4, 4, 4, 1, 1, 1, 1, 1, 1, 6]
    tokenizer = SentencePieceTokenizer(tokens, scores, types, False)
    for text, ids in (
        ("ab\n\n\nab", [6, 2, 1, 6]),
        ("b\n", [5, 1]),
        (" ab", [7, 6]),
        ("   a", [3, 8]),
        ("\n", [1]),
        ("", []),
        ("cab", [10, 6]),
    ):
        assert tokenizer.encode(text) == ids, text
        compared("token ids", max(1, len(ids)))
    # With a space put before a text, one stands before each part.
    assert SentencePieceTokenizer(tokens, scores, types, True).encode("b\na") == [7, 5, 1, 8]
