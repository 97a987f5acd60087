"""The BERT forward against a float64 reference written as loops, on a tiny random model."""

import json
import math
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_models import write_bert
from winnow_traces.bert import BertModel, BertTokenizer
from winnow_traces.bert_source import BertSource
from winnow_traces.bfloat16 import narrowed, widened
from winnow_traces.errors import CaptureError
from winnow_traces.source import Request


def reference(tensors, config, ids):
    """q, k, v [layer][head][token][D] and the last layer's output [token][width]."""
    t = {name: values.astype(np.float64) for name, values in tensors.items()}
    heads, width = config["num_attention_heads"], config["hidden_size"]
    size = width // heads

    def norm(row, name):
        mean = sum(row) / width
        variance = sum((value - mean) ** 2 for value in row) / width
        return (row - mean) / math.sqrt(variance + 1e-12) * t[name + ".weight"] + t[name + ".bias"]

    def project(row, name):
        return np.array([sum(w * x for w, x in zip(line, row)) for line in t[name + ".weight"]]) + t[name + ".bias"]

    rows = [
        norm(
            t["embeddings.word_embeddings.weight"][index]
            + t["embeddings.position_embeddings.weight"][place]
            + t["embeddings.token_type_embeddings.weight"][0],
            "embeddings.LayerNorm",
        )
        for place, index in enumerate(ids)
    ]
    q, k, v = [], [], []
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for keep, part in ((q, "query"), (k, "key"), (v, "value")):
            whole = [project(row, f"{at}attention.self.{part}") for row in rows]
            keep.append([[row[h * size : (h + 1) * size] for row in whole] for h in range(heads)])
        after = []
        for p, row in enumerate(rows):
            joined = []
            for h in range(heads):
                weights = [math.exp(float(np.dot(q[layer][h][p], key)) / math.sqrt(size)) for key in k[layer][h]]
                joined.append(sum(w * value for w, value in zip(weights, v[layer][h])) / sum(weights))
            row = norm(
                row + project(np.concatenate(joined), at + "attention.output.dense"), at + "attention.output.LayerNorm"
            )
            inner = [x / 2 * (1 + math.erf(x / math.sqrt(2))) for x in project(row, at + "intermediate.dense")]
            after.append(norm(row + project(inner, at + "output.dense"), at + "output.LayerNorm"))
        rows = after
    return np.array(q), np.array(k), np.array(v), np.array(rows)


def test_forward_equals_loops(tmp_path, text_file, compared):
    tensors, config = write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    ids = [2, *np.random.default_rng(5).integers(4, config["vocab_size"], 19).tolist(), 3]
    ours = BertModel(tmp_path / "bert").forward(ids)
    theirs = reference(tensors, config, ids)
    for mine, other in zip(ours, theirs):
        assert np.shape(mine) == other.shape
        np.testing.assert_allclose(np.array(mine), other, rtol=2e-5, atol=2e-5)
    compared("values of q, k, v and hidden with the float64 loops", sum(other.size for other in theirs))


def test_prefixed_weights_give_the_same(tmp_path, text_file, compared):
    """Models saved with a head on top name their tensors bert.*; the head itself is not needed."""
    tensors, _config = write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    plain = BertModel(tmp_path / "bert").forward([2, 9, 8, 7, 3])[3]
    save_file({"bert." + name: values for name, values in tensors.items()}, tmp_path / "bert" / "model.safetensors")
    assert np.array_equal(plain, BertModel(tmp_path / "bert").forward([2, 9, 8, 7, 3])[3])
    compared("hidden values", plain.size)


def test_bfloat16_weights_are_their_widening(tmp_path, text_file, compared):
    """Most checkpoints are BF16: the same file with the same values in float32 gives the same hidden values."""
    tensors, _ = write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    words = {name: narrowed(values) for name, values in tensors.items()}
    header, offset = {}, 0
    for name, values in words.items():
        header[name] = {"dtype": "BF16", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    path = tmp_path / "bert" / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(values.tobytes() for values in words.values()))
    ours = BertModel(tmp_path / "bert").forward([2, 9, 8, 7, 3])[3]
    save_file({name: widened(values) for name, values in words.items()}, path)
    assert np.array_equal(ours, BertModel(tmp_path / "bert").forward([2, 9, 8, 7, 3])[3])
    compared("hidden values", ours.size)


def test_text_is_framed_and_not_truncated(tmp_path, text_file, compared):
    write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    text = text_file.read_text(encoding="utf-8")
    captured = BertSource(tmp_path / "bert").run(text, Request(text=text_file, prompt=60))
    trace, strings = captured.trace, captured.strings
    assert strings[0] == "[CLS]" and strings[-1] == "[SEP]" and "[SEP]" not in strings[1:-1]
    assert strings[1] in ("chapter", "c") and len(strings) == 60 == trace.q[0].shape[1]
    assert trace.causal is False and trace.prompt == 60
    assert (
        trace.token_ids[1:-1].tolist()
        == BertTokenizer(tmp_path / "bert").encode(text_file.read_text(encoding="utf-8"))[:58]
    )
    compared("tokens", 60)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"model_type": "mpnet"}, "model_type is 'mpnet'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new'"),
        ({"num_attention_heads": 5}, "no multiple"),
    ],
)
def test_refused_by_name(change, word, tmp_path, text_file, compared):
    write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    config = tmp_path / "bert" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(CaptureError, match=word):
        BertModel(tmp_path / "bert")
    compared("message", 1)


def test_requests_that_do_not_fit(tmp_path, text_file, compared):
    write_bert(tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    short = tmp_path / "short.txt"
    short.write_text("hello world")
    for options, word in (
        ({"prompt": 97}, "at most 96"),
        ({"prompt": 2}, "must be >= 3"),
        ({"prompt": 20, "generate": 4}, "--generate must be 0"),
        ({"prompt": 60, "text": short}, "58 are asked for"),
    ):
        request = Request(**({"text": text_file} | options))
        with pytest.raises(CaptureError, match=word):
            BertSource(tmp_path / "bert").run(request.text.read_text(encoding="utf-8"), request)
    compared("messages", 4)
