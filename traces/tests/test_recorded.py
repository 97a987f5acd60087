"""With the model packages installed: the forwards against the numbers that other runtimes gave (recorded by
scripts/verify_forward), and the shipped samples against a new capture."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits
from winnow_traces.bert import BertModel, BertTokenizer
from winnow_traces.decoder import DecoderState, run_decoder
from winnow_traces.gguf_file import GgufFile
from winnow_traces.gguf_source import open_decoder
from winnow_traces.llama import LlamaModel
from winnow_traces.models import MODELS, find_model
from winnow_traces.tokenizer import tokenizer_of
from winnow_traces.trace_file import read_trace

DATA = Path(__file__).parent / "data"
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TOLERANCE = 1e-3


def needs(name):
    missing = importlib.util.find_spec(MODELS[name].module) is None
    return pytest.mark.skipif(missing, reason=f"no package {MODELS[name].package}: scripts/setup {MODELS[name].setup}")


@pytest.fixture(scope="module")
def smollm2():
    file = GgufFile(find_model("smollm2")[0])
    return LlamaModel(file), tokenizer_of(file)


@needs("smollm2")
def test_smollm2_logits(smollm2, text_file, compared):
    record = json.loads((DATA / "smollm2_logits.json").read_text())
    model, tokenizer = smollm2
    ids, prompt = record["token_ids"], record["prompt"]
    assert tokenizer.encode(text_file.read_text(encoding="utf-8"))[: len(ids)] == ids
    state = DecoderState(model.shape, len(ids))
    rows = [model.logits(model.forward(state, ids[:prompt]))]
    with threadpool_limits(1):  # as run_decoder does
        rows += [model.logits(model.forward(state, [index])) for index in ids[prompt:]]
    logits = np.concatenate(rows)
    rows = logits[record["positions"]]
    assert rows.argmax(axis=1).tolist() == record["argmax"]
    ours = np.column_stack([rows.max(axis=1), rows[:, record["vocabulary_ids"]]])
    theirs = np.column_stack([record["max_logit"], record["logits"]])
    assert ours.shape == theirs.shape
    difference = np.abs(ours - theirs).max()
    print(f"\n  largest difference from {record['llama_cpp']}: {difference:.2e}", end="")
    assert difference <= TOLERANCE
    compared("logits", theirs.size)


@needs("smollm2")
def test_smollm2_greedy(smollm2, compared):
    record = json.loads((DATA / "smollm2_logits.json").read_text())
    prompt, greedy = record["token_ids"][: record["prompt"]], record["greedy_ids"]
    _, ids = run_decoder(smollm2[0], prompt, len(greedy), None)
    assert ids == prompt + greedy
    compared("greedy tokens", len(greedy))


@needs("gemma3")
def test_gemma3_logits(text_file, compared):
    record = json.loads((DATA / "gemma3_logits.json").read_text())
    file, ids = GgufFile(find_model("gemma3")[0]), record["token_ids"]
    model = open_decoder(file)
    tokens = tokenizer_of(file).encode(text_file.read_text(encoding="utf-8"))
    assert [*model.begin, *tokens][: len(ids)] == ids and len(ids) == model.shape.context
    rows = model.logits(model.forward(DecoderState(model.shape, len(ids)), ids)[record["positions"]])
    assert rows.argmax(axis=1).tolist() == record["argmax"]
    ours = np.column_stack([rows.max(axis=1), rows[:, record["vocabulary_ids"]]])
    theirs = np.column_stack([record["max_logit"], record["logits"]])
    assert ours.shape == theirs.shape
    difference = np.abs(ours - theirs).max()
    print(f"\n  largest difference from {record['runtime']}: {difference:.2e}", end="")
    assert difference <= TOLERANCE
    compared("logits", theirs.size)


@needs("minilm")
def test_minilm_hidden(text_file, compared):
    record = json.loads((DATA / "minilm_hidden.json").read_text())
    path, _ = find_model("minilm")
    model, tokenizer = BertModel(path), BertTokenizer(path)
    ids = record["token_ids"]
    assert ids[1:-1] == tokenizer.encode(text_file.read_text(encoding="utf-8"))[: len(ids) - 2]
    hidden = model.forward(ids)[3]
    chosen, theirs = hidden[record["positions"]][:, record["channels"]], np.array(record["hidden"])
    difference = np.abs(chosen - theirs).max()
    embedding = hidden.mean(axis=0)
    embedding = (embedding / np.linalg.norm(embedding))[record["channels"]]
    pooled = np.abs(embedding - record["embedding"]).max()
    print(
        f"\n  largest difference from {record['torch']}: {difference:.2e}; embedding from {record['llama_cpp']}: "
        f"{pooled:.2e}",
        end="",
    )
    assert chosen.shape == theirs.shape and difference <= TOLERANCE and pooled <= TOLERANCE
    compared("hidden values", theirs.size + len(record["embedding"]))


def same_up_to_rounding(ours, shipped):
    """float16 values that were rounded from sums in another order: half a unit in the last place each, and what
    float32 sums over 30 layers differ by."""
    for mine, other in zip(ours, shipped, strict=True):
        np.testing.assert_allclose(mine.astype(np.float32), other.astype(np.float32), rtol=2**-10, atol=2e-3)
    return sum(other.size for other in shipped)


@pytest.mark.parametrize(
    "sample, arguments",
    [
        pytest.param(
            "smollm2-160", ["smollm2", "--prompt", "128", "--generate", "32", "--teacher"], marks=needs("smollm2")
        ),
        pytest.param("minilm-128", ["minilm", "--prompt", "128"], marks=needs("minilm")),
    ],
)
def test_sample_is_captured_again(sample, arguments, tmp_path, text_file, winnow, compared):
    output = tmp_path / "again.safetensors"
    code, _, error = winnow("capture", *arguments, "--text", text_file, "-o", output)
    assert (code, error) == (0, "")
    (again, new), (shipped, old) = read_trace(output), read_trace(SAMPLES / f"{sample}.safetensors")
    assert again.token_ids.tolist() == shipped.token_ids.tolist()
    changed = {key for key in old if new[key] != old[key]}
    assert changed <= {"source", "licence", "text_licence", "tool"}
    compared(
        "values of q, k and v", sum(same_up_to_rounding(getattr(again, part), getattr(shipped, part)) for part in "qkv")
    )
