"""Golden from Python: a walk against the machine's own account of it, sessions against walks, bit for bit."""

import numpy as np
import pytest
import winnow
from conftest import DECODER, ENCODER
from winnow import golden
from winnow_traces.trace_file import Trace as Written
from winnow_traces.trace_file import write_trace

POLICIES = [
    "dense",
    "spatten",
    "spatten-protected",
    "select",
    "winnow",
    "a3",
    "mnnfast",
    winnow.Policy("select", k_digits=[3, 3], select_keep=[0.98], v_bits=6),
    winnow.Policy("spatten-protected", scope="kv_head", heads={"start": 0.9, "end": 0.8}),
    winnow.Policy("spatten", permanent=True, importance="normalised"),
]


@pytest.mark.parametrize("policy", ["dense", "select", "spatten"])
def test_a_walk_counts_what_a_run_counts(policy, compared):
    run = winnow.run(DECODER, "spatten", policy, engine="golden")
    layers = list(golden.walk(winnow.Trace.open(str(DECODER)), policy))
    rows = run.layers
    assert len(layers) == len(rows) == 30 * 33
    for layer, row in zip(layers, rows.to_dict("records")):
        assert (layer.step, layer.layer) == (row["step"], row["layer"])
        for kind in ("key_msb", "key_lsb", "value"):
            assert layer.accesses.useful[kind] == row[f"{kind}_bytes"]
            compared(1)


def parts(trace):
    """float32 q, k, v, a layer each, and [layers] of what a step has of them."""
    return [[np.asarray(of(layer), np.float32) for layer in range(trace.layers)] for of in (trace.q, trace.k, trace.v)]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_steps_are_a_walk_over_the_same_values(policy, compared):
    """What a session computes and reads, step by step, is what a walk over the whole trace does."""
    trace = winnow.synthetic(layers=6, heads=6, kv_heads=3, head_dim=32, tokens=70, prompt=60, causal=True, seed=9)
    chosen = policy if isinstance(policy, winnow.Policy) else winnow.Policy(policy)
    q, k, v = parts(trace)
    session = golden.Session(chosen, q, k, v, 60, 10, trace.attention_scale)
    session.replay_prompt()
    out = np.empty((1, 6, 32), np.float32)
    read, units = 0, {}
    for layer in golden.Walk(trace, chosen, 4096):
        if layer.step == 0:
            continue
        assert (session.step, session.layer) == (layer.step, layer.layer)
        token = 59 + layer.step
        row = [np.ascontiguousarray(x[layer.layer][None, :, token]) for x in (q, k, v)]
        golden.step([session], *row, out)
        codes = layer.out.reshape(6, 32)
        for head in range(6):
            # One unit a layer and head: code * unit, the same in every step.
            mine, its = out[0, head], codes[head]
            assert np.array_equal(mine == 0, its == 0)
            if its.any():
                at = np.abs(its).argmax()
                unit = units.setdefault((layer.layer, head), mine[at] / its[at])
                assert np.allclose(mine, its * unit, rtol=1e-6, atol=0)
            compared(32)
        read += layer.accesses.kv_bytes
        assert session.step_totals.accesses.kv_bytes == read
    assert session.step_totals.layers == 60


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_batch_on_threads_is_the_sessions_one_by_one(policy, compared):
    traces = [
        winnow.synthetic(layers=4, heads=4, kv_heads=2, head_dim=32, tokens=40, prompt=36, causal=True, seed=seed)
        for seed in range(5)
    ]
    chosen = policy if isinstance(policy, winnow.Policy) else winnow.Policy(policy)
    values = [parts(trace) for trace in traces]

    def sessions():
        made = [golden.Session(chosen, *value, 36, 4, traces[0].attention_scale) for value in values]
        for one in made:
            one.replay_prompt()
        return made

    together, alone = sessions(), sessions()
    out, single = np.empty((5, 4, 32), np.float32), np.empty((1, 4, 32), np.float32)
    for token in range(36, 40):
        for layer in range(4):
            batch = [np.stack([value[i][layer][:, token] for value in values]) for i in range(3)]
            golden.step(together, *batch, out, 3)
            for i, one in enumerate(alone):
                golden.step([one], *(np.ascontiguousarray(x[i : i + 1]) for x in batch), single)
                assert np.array_equal(out[i], single[0])
                compared(single.size)


@pytest.mark.parametrize("policy", ["dense", "spatten", "select"])
@pytest.mark.parametrize("path", [ENCODER, DECODER])
def test_prompt_layers_are_a_walk_over_the_same_values(path, policy, tmp_path, compared):
    """The prompt layer by layer from this run's own values; the trace of them, walked, is the same."""
    trace = winnow.Trace.open(str(path))
    chosen = winnow.Policy(policy)
    layers, prompt = 5, trace.prompt
    q, k, v = (part[:layers] for part in parts(trace))
    session = golden.Session(chosen, q, k, v, prompt, 0, trace.attention_scale, trace.causal)
    rows = [[np.ascontiguousarray(x[:, :prompt]) for x in part] for part in (q, k, v)]
    written = tmp_path / "t.safetensors"
    info = {"model": "m", "licence": "l", "source": "s", "tool": "t"}
    ids = np.zeros(prompt, np.int32)
    write_trace(written, Written(*rows, ids, trace.attention_scale, trace.causal, prompt, info), "float32")
    out = np.empty_like(rows[0][0])
    for expected in golden.Walk(winnow.Trace.open(str(written)), chosen, 4096):
        layer = expected.layer
        made = session.prompt_layer(rows[0][layer], rows[1][layer], rows[2][layer], out)
        assert np.array_equal(made.out, expected.out) and np.array_equal(made.positions, expected.positions)
        assert made.accesses.useful == expected.accesses.useful
        assert np.array_equal(made.importance, expected.importance)
        assert np.array_equal(made.head_importance, expected.head_importance)
        compared(made.out.size)
        dead = np.setdiff1d(np.arange(prompt), made.positions)
        assert not out[:, dead].any()
    assert session.prompt_totals.layers == layers


def test_errors():
    trace = winnow.synthetic(layers=2, heads=4, kv_heads=2, head_dim=32, tokens=12, prompt=10, causal=True)
    q, k, v = parts(trace)
    policy = winnow.Policy("select")
    session = golden.Session(policy, q, k, v, 10, 1, 0.2)
    row = [np.zeros((1, heads, 32), np.float32) for heads in (4, 2, 2, 4)]
    with pytest.raises(winnow.Error, match="the prompt has not run"):
        golden.step([session], *row)
    session.replay_prompt()
    with pytest.raises(winnow.Error, match=r"session: k: \[1, 4, 32\]: must be \[1, 2, 32\]"):
        golden.step([session], row[0], row[0], *row[2:])
    with pytest.raises(winnow.Error, match="stands twice"):
        golden.step([session, session], *(np.repeat(one, 2, axis=0) for one in row))
    for _ in range(2):
        golden.step([session], *row)
    with pytest.raises(winnow.Error, match="there are 1 steps"):
        golden.step([session], *row)
    with pytest.raises(winnow.Error, match=r"session: q: \[4, 12, 32\]: must be \[4, 20 or more, 32\]"):
        golden.Session(policy, q, k, v, 20, 1, 0.2)
    with pytest.raises(winnow.Error, match="a multiple of the 2 KV heads"):
        golden.Session(policy, [one[:3] for one in q], k, v, 10, 1, 0.2)
    with pytest.raises(TypeError):
        golden.Session(policy, [one.astype(np.float64) for one in q], k, v, 10, 1, 0.2)


def test_a_policy_that_would_do_nothing_is_refused():
    """It acts in generation steps, and there are none: what came out would look like its result."""
    q, k = [np.ones((2, 8, 16), np.float32)], [np.ones((1, 8, 16), np.float32)]
    for name in ("h2o", "sink-window", "s2"):
        with pytest.raises(winnow.Error, match="generation steps"):
            golden.Session(winnow.Policy(name), q, k, k, 8, 0, 0.25, False)
        golden.Session(winnow.Policy(name), q, k, k, 8, 2, 0.25, True)
