"""A Hugging Face decoder token by token, with our attention called back, against the library's own forward; needs torch
and transformers."""

import importlib.util

import numpy as np
import pytest

if not (importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")):
    pytest.skip("no torch: scripts/setup --hf", allow_module_level=True)

import torch
import transformers
from test_hf import SMALL, WORDS, save
from winnow_traces.decoder import DecoderState, run_decoder
from winnow_traces.errors import CaptureError
from winnow_traces.hf import HfSource
from winnow_traces.sources import open_source

LLAMA_3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


def small(kind):
    if kind in SMALL:
        return SMALL[kind]()
    common = {
        "vocab_size": WORDS,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
    }
    if kind == "qwen3":
        return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**common, head_dim=32))
    scaling = LLAMA_3 | {"original_max_position_embeddings": 128, "rope_theta": 10000.0}
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**common, rope_parameters=scaling, tie_word_embeddings=True)
    )


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen3", "llama with Llama 3 frequencies"])
def test_logits_are_the_librarys(kind, tmp_path, text_file, compared):
    torch.manual_seed(5)
    model = small(kind).eval()
    save(model, tmp_path / "model", text_file.read_text(encoding="utf-8"))
    ours, tokenizer = open_source(hf=tmp_path / "model").open()
    ids = tokenizer.encode(text_file.read_text(encoding="utf-8")[:800])[:150]
    state, seen = run_decoder(ours, ids[:140], 10, ids[140:])
    assert seen == ids
    again = DecoderState(ours.shape, len(ids))
    logits = ours.logits(ours.forward(again, ids))
    with torch.no_grad():
        result = model(input_ids=torch.tensor([ids]), use_cache=True)
    theirs = result.logits[0].numpy()
    assert np.abs(theirs).max() > 1  # no row of equals
    np.testing.assert_allclose(logits, theirs, atol=1e-4 * np.abs(theirs).max())
    count = logits.size
    for layer, (k, v) in enumerate(zip(state.k, state.v)):
        cached = result.past_key_values.layers[layer]
        np.testing.assert_allclose(k, cached.keys[0].numpy(), atol=1e-4)
        np.testing.assert_allclose(v, cached.values[0].numpy(), atol=1e-4)
        count += k.size + v.size
    assert ours.shape.layers == 3 and ours.shape.scale == pytest.approx(ours.shape.head_dim**-0.5)
    compared("logits, keys and values", count)


def test_an_encoder_is_refused(tmp_path, text_file, compared):
    save(SMALL["bert"](), tmp_path / "bert", text_file.read_text(encoding="utf-8"))
    with pytest.raises(CaptureError, match="'bert' is an encoder: with golden inside, decoders are run"):
        open_source(hf=tmp_path / "bert").open()
    compared("message", 1)


def test_what_tokens_alone_cannot_give_is_refused(tmp_path, text_file, compared, monkeypatch):
    """A cap on logits is no part of attention, and nothing in the configuration that is read: the trial finds it."""
    model = SMALL["llama"]()
    save(model, tmp_path / "model", text_file.read_text(encoding="utf-8"))
    forward = transformers.LlamaForCausalLM.forward

    def capped(self, *given, **named):
        made = forward(self, *given, **named)
        made.logits = 2 * torch.tanh(made.logits / 2)
        return made

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", capped)
    with pytest.raises(CaptureError, match="24 tokens one by one give other logits than the model's own attention"):
        open_source(hf=tmp_path / "model").open()
    compared("message", 1)


def test_a_name_is_looked_up(tmp_path, text_file, compared, monkeypatch):
    import huggingface_hub

    save(SMALL["llama"](), tmp_path / "kept", text_file.read_text(encoding="utf-8"))
    asked = []

    def snapshot(name, allow_patterns):
        asked.append(name)
        if name == "someone/llama":
            return str(tmp_path / "kept")
        raise OSError("not reachable\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    source = HfSource("someone/llama")
    assert source.title == "someone/llama" and source.licence == "mit" and len(source.weights) == 1
    with pytest.raises(CaptureError) as error:
        HfSource("someone/else")
    assert str(error.value).endswith("someone/else: no such folder, and no model of that name to be had: not reachable")
    with pytest.raises(CaptureError, match="no such folder"):
        HfSource("./someone")
    assert asked == ["someone/llama", "someone/else"]
    compared("names", 3)
