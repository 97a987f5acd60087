"""`winnow capture --policy`: the trace of a run with golden inside, replayed, decides what the run decided."""

import json
import sys

import numpy as np
import pytest
import winnow
from conftest import ROOT
from conftest import winnow as command
from winnow import capture, golden
from winnow_traces.bert_source import BertSource
from winnow_traces.capture import capture as make_trace
from winnow_traces.errors import CaptureError
from winnow_traces.source import Request
from winnow_traces.sources import open_source
from winnow_traces.trace_file import read_trace, write_trace

sys.path.append(str(ROOT / "traces/tests"))
from tiny_models import write_bert, write_gemma, write_llama

TEXT = ROOT / "traces/samples/jargon-chapter1.txt"
PROMPT, STEPS = 40, 12
POLICIES = [
    "dense",
    "spatten",
    "spatten-protected",
    "spatten-protected scope=kv_head",
    "spatten permanent=true importance=normalised",
    "select",
    "winnow",
    "a3",
    "mnnfast",
    "select k_digits=2,2,2 select_keep=0.9,0.8 v_bits=6",
    "duo-attention",
    "task-kv protect_newest_share=0.05",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """{name: path} of tiny random models."""
    folder, text = tmp_path_factory.mktemp("models"), TEXT.read_text(encoding="utf-8")[:20_000]
    write_llama(folder / "llama.gguf", text, layers=4, width=64, heads=6, kv_heads=3, head_dim=16)
    write_gemma(folder / "gemma.gguf", text, head_dim=32)
    write_bert(folder / "bert", text, layers=6)
    return {"llama": folder / "llama.gguf", "gemma": folder / "gemma.gguf", "bert": folder / "bert"}


def run(path, words, mode, dtype="float16", *, teacher=False, generate=STEPS, attention=golden.step):
    """The trace of a run under a policy."""
    source = open_source(gguf=path)
    request = Request(text=TEXT, prompt=PROMPT, generate=generate, teacher=teacher)
    return make_trace(source, request, capture.under_policy(words, mode, dtype, attention=attention))


def importances(words):
    """Names of the importances that a decision asks for; a run may leave out what nobody asks for."""
    policy = winnow.accuracy.parse_policy(words)[1]
    keep = {"importance": policy.tokens, "head_importance": policy.heads}
    # Where no token stays but by its place nobody is ranked.
    return [name for name, s in keep.items() if min(s.start, s.end) < 1 and max(s.start, s.end) > 0]


def differences(made, walked, importance=()):
    """(how many values of two layers' decisions were compared, the names of those that differ)."""
    count, wrong = 0, []

    def same(name, a, b):
        nonlocal count
        a, b = np.asarray(a), np.asarray(b)
        count += a.size
        if a.shape != b.shape or not np.array_equal(a, b):
            wrong.append(name)

    for name in ("step", "layer", "tokens", "heads", "positions", "out"):
        same(name, getattr(made, name), getattr(walked, name))
    for name in importance:
        same(name, getattr(made, name), getattr(walked, name))
    for name in ("row_heads", "flat", "row_groups", "refetched", "keys_seen", "survivors", "values"):
        same(name, getattr(made, name), getattr(walked, name))
    same("useful", list(made.accesses.useful.values()), list(walked.accesses.useful.values()))
    same("read bursts", made.accesses.read_bursts, walked.accesses.read_bursts)
    same("write bursts", made.accesses.write_bursts, walked.accesses.write_bursts)
    for kv in range(len(made.heads)):
        same("live", made.live(kv), walked.live(kv))
    same("rows", len(made.rows), len(walked.rows))
    for mine, other in zip(made.rows, walked.rows):
        for name in ("position", "kv_head", "refetched", "survivors", "values", "weights"):
            same(f"row's {name}", getattr(mine, name), getattr(other, name))
    return count, wrong


def replay(trace, words, tmp_path, dtype="float16"):
    """A walk over the trace as a file: [Layer], and the walk itself."""
    write_trace(tmp_path / "t.safetensors", trace, dtype)
    _, policy = winnow.accuracy.parse_policy(words)
    walk = golden.Walk(winnow.Trace.open(str(tmp_path / "t.safetensors")), policy, winnow.Machine("spatten").alignment)
    return list(walk), walk


class Recorded:
    """golden.step that keeps what was decided in steps, and what the last session decided in its prompt."""

    def __init__(self):
        self.prompt, self.steps, self.session = [], [], None

    def __call__(self, sessions, q, k, v, out):
        (self.session,) = sessions
        self.steps.append(self.session.step_layer(q, k, v, out))


@pytest.fixture
def recorded(monkeypatch):
    kept = Recorded()

    class Session(golden.Session):
        def prompt_layer(self, *values):
            made = super().prompt_layer(*values)
            kept.prompt = [*kept.prompt, made] if made.layer else [made]
            return made

    monkeypatch.setattr(capture, "Session", Session)
    return kept


@pytest.mark.parametrize("words", POLICIES)
@pytest.mark.parametrize("mode", ["decode", "whole"])
@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_a_replay_decides_what_the_run_decided(kind, mode, words, models, tmp_path, recorded, compared):
    trace = run(models[kind], words, mode, attention=recorded)
    layers, walk = replay(trace, words, tmp_path)
    steps = [layer for layer in layers if layer.step > 0]
    assert len(steps) == len(recorded.steps) == STEPS * len(trace.q)
    prompt = layers[: len(trace.q)] if mode == "whole" else []
    assert len(prompt) == len(recorded.prompt)
    for made, walked in zip(recorded.prompt + recorded.steps, prompt + steps):
        count, wrong = differences(made, walked, importances(words))
        assert not wrong, (made.step, made.layer, wrong)
        compared(count)
    for layer in range(len(trace.q)):
        for kv in range(trace.k[0].shape[0]):
            for mine, other in zip(recorded.session.codes(layer, kv), walk.codes(layer, kv)):
                assert np.array_equal(mine, other)
                compared(mine.size)
    # The run read what the trace says, in the steps, and in a prompt that ran under the policy.
    read = sum(layer.accesses.kv_bytes for layer in (layers if mode == "whole" else steps))
    assert trace.info["policy_kv_bytes"] == str(read) and trace.info["policy_mode"] == mode


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("teacher", [False, True])
def test_any_element_type_replays(dtype, teacher, models, tmp_path, recorded, compared):
    trace = run(models["llama"], "select", "decode", dtype, teacher=teacher, attention=recorded)
    layers, _ = replay(trace, "select", tmp_path, dtype)
    for made, walked in zip(recorded.steps, (layer for layer in layers if layer.step > 0)):
        count, wrong = differences(made, walked)
        assert not wrong, wrong
        compared(count)
    again, _ = read_trace(tmp_path / "t.safetensors")
    for part in "qkv":
        for mine, other in zip(getattr(trace, part), getattr(again, part)):
            assert np.array_equal(mine, np.asarray(other, np.float32))
            compared(mine.size)


def test_another_policy_or_a_dense_trace_is_noticed(models, tmp_path, recorded, compared):
    """What is compared above tells runs apart: the trace under another policy, and the dense model's own trace."""
    trace = run(models["llama"], "select", "decode", teacher=True, attention=recorded)
    request = Request(text=TEXT, prompt=PROMPT, generate=STEPS, teacher=True)
    dense = make_trace(open_source(gguf=models["llama"]), request)
    assert dense.token_ids.tolist() == trace.token_ids.tolist()
    for other, words in ((trace, "select v_bits=7"), (trace, "select select_keep=0.96"), (dense, "select")):
        layers = [layer for layer in replay(other, words, tmp_path)[0] if layer.step > 0]
        wrong = [differences(made, walked)[1] for made, walked in zip(recorded.steps, layers)]
        assert sum(map(bool, wrong)) > len(wrong) / 2
        compared(len(wrong))
    # The prompt is dense float in both; only steps tell them apart, and in layer 0 they do not: nothing came before it.
    for layer in range(4):
        mine, other = (one.k[layer][:, PROMPT:].astype(np.float32) for one in (trace, dense))
        # A last bit: rows of a product depend on how many there are.
        assert np.allclose(mine, other, rtol=2**-9, atol=1e-3) == (layer == 0)


def test_the_run_is_the_one_of_accuracy(models, compared):
    """Teacher forced in float32, the keys of a step are made of what accuracy's run gives the same step."""
    from winnow.accuracy import decoder

    trace = run(models["llama"], "select", "decode", "float32", teacher=True)
    model, _ = open_source(gguf=models["llama"]).open()
    ids = [*trace.token_ids.tolist(), 5]
    state, *_ = decoder.run_dense(model, ids, PROMPT)
    _, policy = winnow.accuracy.parse_policy("select")
    point = decoder.run_policies(model, [(np.asarray(ids), state, policy)], PROMPT)[0]
    # The prompt's blocks are others, so that a last bit of float may differ: the bytes are close, not equal.
    assert abs(int(trace.info["policy_kv_bytes"]) - point.kv_bytes) < 0.02 * point.kv_bytes
    compared(1)


def test_greedy_is_the_pruned_models_own(models, compared):
    """A token is the most probable under the policy. A coarse policy shows it: dense float takes others."""
    coarse = run(models["llama"], "dense k_digits=2 v_bits=2", "decode")
    dense = make_trace(open_source(gguf=models["llama"]), Request(text=TEXT, prompt=PROMPT, generate=STEPS))
    assert coarse.token_ids[: PROMPT + 1].tolist() == dense.token_ids[: PROMPT + 1].tolist()
    assert coarse.token_ids[PROMPT + 1 :].tolist() != dense.token_ids[PROMPT + 1 :].tolist()
    compared(len(coarse.token_ids))


@pytest.mark.parametrize("words", ["dense", "spatten", "spatten-protected", "select", "a3"])
def test_an_encoder_replays(words, models, tmp_path, recorded, compared):
    trace = make_trace(BertSource(models["bert"]), Request(text=TEXT, prompt=PROMPT), capture.under_policy(words))
    assert not trace.causal and trace.info["policy_mode"] == "whole"
    layers, _ = replay(trace, words, tmp_path)
    assert len(layers) == len(recorded.prompt) == 6
    for made, walked in zip(recorded.prompt, layers):
        count, wrong = differences(made, walked, importances(words))
        assert not wrong, (made.layer, wrong)
        compared(count)
    assert sum(layer.accesses.kv_bytes for layer in layers) == int(trace.info["policy_kv_bytes"])


def test_the_command_line(models, tmp_path, compared):
    words = ["capture", "--gguf", models["llama"], "--text", TEXT, "--prompt", PROMPT, "--generate", STEPS]
    code, said, error = command(*words, "--policy", "select v_bits=6", "-o", "t.safetensors", cwd=tmp_path)
    assert code == 0, error
    _, metadata = read_trace(tmp_path / "t.safetensors")
    assert metadata["policy"] == "select v_bits=6" and json.loads(metadata["policy_settings"])["v_bits"] == 6
    assert f"{int(metadata['policy_kv_bytes']):,} bytes of K and V read" in said
    # `winnow run` on the machine: the same bytes in the steps.
    done = winnow.run(str(tmp_path / "t.safetensors"), "tiny", winnow.Policy("select", v_bits=6), steps=(1, STEPS))
    rows = done.layers
    kinds = [name for name in ("key_msb_bytes", "key_lsb_bytes", "value_bytes", "value_scale_bytes") if name in rows]
    assert rows[kinds].to_numpy().sum() == int(metadata["policy_kv_bytes"])
    compared(len(rows) * len(kinds))
    code, _, error = command(*words, "--policy", "select", "-o", "t.safetensors", cwd=tmp_path)
    assert code == 2 and error == "winnow: t.safetensors: exists; --force replaces it\n"


@pytest.mark.parametrize(
    "words, line",
    [
        (["--generate", "4", "--policy", "dens"], "--policy: 'dens': no such policy"),
        (["--generate", "4", "--policy", "select v_bits"], "'v_bits': must have the form key=value"),
        (["--policy", "select"], "--policy in mode decode: --generate is 0: must be at least 1, or --mode whole"),
        (
            ["--generate", "4", "--mode", "whole", "--policy", "dense out_scale=reference"],
            "--mode whole: policy's out_scale is 'reference'",
        ),
        (["--generate", "4", "--mode", "all", "--policy", "select"], "invalid choice: 'all'"),
        (["--generate", "4", "--mode", "whole"], "--mode needs --policy P"),
        (["--generate", "300", "--policy", "select"], "340 tokens are asked for, the model takes at most 256"),
    ],
)
def test_bad_input_is_one_line(words, line, models, tmp_path):
    before = sorted(tmp_path.iterdir())
    common = ["capture", "--gguf", models["llama"], "--text", TEXT, "--prompt", PROMPT, "-o", "t.safetensors"]
    code, said, error = command(*common, *words, cwd=tmp_path)
    assert code == 2 and said == "" and error.count("\n") == 1 and line in error, error
    assert sorted(tmp_path.iterdir()) == before


def test_an_encoder_has_no_steps(models):
    with pytest.raises(CaptureError, match="an encoder has no steps"):
        make_trace(BertSource(models["bert"]), Request(text=TEXT, prompt=20), capture.under_policy("select", "decode"))


def test_heads_whose_largest_output_never_settles(models, monkeypatch):
    """A run that cannot be replayed is refused, not written."""
    values = iter(range(100))

    class Unsettled(golden.Session):
        @property
        def largest_output(self):
            return next(values)

    monkeypatch.setattr(capture, "Session", Unsettled)
    with pytest.raises(CaptureError, match="policy spatten prunes heads by outputs whose largest"):
        run(models["llama"], "spatten", "whole", generate=2)
    run(models["llama"], "select", "whole", generate=2)  # nobody asks for the importance of heads
