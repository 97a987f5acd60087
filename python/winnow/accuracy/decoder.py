"""A decoder with golden's attention in it.

A window has prompt + steps + 1 tokens. The prompt runs dense in float. Then each step feeds the text's next token:
golden decides and computes attention under the policy in every layer, and its outputs make the next layer's queries,
keys and values. The last token is only predicted. Mode `whole`: the prompt too runs under the policy."""

from dataclasses import dataclass

import numpy as np
from winnow_traces.heads import retrieval_scores
from winnow_traces.llama import LlamaState

from winnow.golden import Session, step

# A batch is padded to a multiple of this, so that the products of a row are the same, bit for bit, whatever else is in
# the batch: BLAS has kernels of their own for what is left over of a tile. A job alone gives what it gives in a sweep.
BATCH_ROWS = 16


@dataclass
class Point:
    """One window under one policy."""

    nll: list[float]  # of each of the steps' predictions
    kv_bytes: int  # read by the steps, scales included
    kv_burst_bytes: int
    dense_elements: int  # of K and V, were all of it read
    tokens: int  # that there are, over (query, KV head) pairs
    keys: int  # of them offered to the query,
    survivors: int  # left by a selection,
    values: int  # with V


def nll_of(model, hidden, targets):
    """Negative log likelihoods of the targets [n], in float64, of hidden values [n, width]."""
    logits = model.logits(hidden)
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1, dtype=np.float64)) + top[:, 0].astype(np.float64)
    return total - logits[np.arange(len(targets)), targets].astype(np.float64)


def run_dense(model, ids, prompt):
    """(state with the prompt's q, k and v, nll of the predictions behind it) of one window, dense in float32."""
    state = LlamaState(model.shape, len(ids) - 1)
    model.forward(state, ids[:prompt])
    hidden = model.forward(state, ids[prompt:-1])
    return state, nll_of(model, hidden, ids[prompt + 1 :])


def _prompt_under_policy(model, session, ids, record):
    s = model.shape
    x, positions = model.embed(ids), np.arange(len(ids))
    out = np.empty((s.heads, len(ids), s.head_dim), np.float32)
    for layer in range(s.layers):
        q, k, v = (np.ascontiguousarray(part.transpose(1, 0, 2)) for part in model.project(layer, x, positions))
        if record:
            record(layer, slice(0, len(ids)), q[None], k[None], v[None])
        session.prompt_layer(q, k, v, out)
        x = model.finish_layer(layer, x, out.transpose(1, 0, 2).reshape(len(ids), -1))


def run_policies(model, jobs, prompt, *, whole=False, align=4096, on_tokens=lambda count: None, record=None):
    """A Point each of `jobs`: (ids [prompt + steps + 1], state of run_dense, policy). All jobs take their steps
    together, so that the weights are read once a step, on the thread that calls this.

    `record(layer, positions, q, k, v)` sees what golden is given: slices of positions, q [jobs, heads, positions, D], k
    and v alike; of the prompt too where it runs under the policy, a job at a time."""
    s, steps = model.shape, len(jobs[0][0]) - 1 - prompt
    ids = np.asarray([job[0] for job in jobs])
    sessions = []
    tells_apart = any(policy["full_heads"] > 0 for _, _, policy in jobs)
    scores = [float(x) for x in retrieval_scores(model).ravel()] if tells_apart else []
    for window, state, policy in jobs:
        session = Session(policy, state.q, state.k, state.v, prompt, steps, s.scale, True, align, scores)
        if whole:
            _prompt_under_policy(model, session, window[:prompt], record)
        else:
            session.replay_prompt()
        sessions.append(session)
    padding = np.zeros(-len(jobs) % BATCH_ROWS, np.int64)  # copies of job 0: computed by the model, unknown to golden
    rows = np.concatenate([np.arange(len(jobs)), padding])
    hidden = np.empty((len(jobs), steps, s.width), np.float32)
    out = np.empty((len(rows), s.heads, s.head_dim), np.float32)
    for i in range(steps):
        x, positions = model.embed(ids[rows, prompt + i]), np.full(len(rows), prompt + i)
        for layer in range(s.layers):
            q, k, v = (np.ascontiguousarray(part[: len(jobs)]) for part in model.project(layer, x, positions))
            if record:
                record(layer, slice(prompt + i, prompt + i + 1), *(part[:, :, None] for part in (q, k, v)))
            step(sessions, q, k, v, out[: len(jobs)])
            out[len(jobs) :] = out[0]
            x = model.finish_layer(layer, x, out.reshape(len(rows), -1))
        hidden[:, i] = model.normalised(x)[: len(jobs)]
        on_tokens(len(jobs))
    points = []
    for job, window in enumerate(ids):
        totals = sessions[job].step_totals
        points.append(
            Point(
                [float(x) for x in nll_of(model, hidden[job], window[prompt + 1 :])],
                totals.accesses.kv_bytes,
                totals.accesses.kv_burst_bytes,
                totals.dense_elements,
                totals.tokens,
                totals.keys,
                totals.survivors,
                totals.values,
            )
        )
    return points
