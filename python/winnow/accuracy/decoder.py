"""A decoder with golden's attention in it.

A window has prompt + steps + 1 tokens. The prompt runs dense in float. Then each step feeds the text's next token:
golden decides and computes attention under the policy in every layer, and its outputs make the next layer's queries,
keys and values. The last token is only predicted. Mode `whole`: the prompt too runs under the policy."""

from dataclasses import dataclass

import numpy as np
from winnow_traces.decoder import DecoderState
from winnow_traces.heads import head_distances, retrieval_scores

from winnow.golden import Session, step

# A batch is padded to a multiple of this, so that the products of a row are the same, bit for bit, whatever else is in
# the batch: BLAS has kernels of their own for what is left over of a tile. A job alone gives what it gives in a sweep.
BATCH_ROWS = 16


@dataclass
class Point:
    """One window under one policy."""

    nll: list[float]  # of each of the steps' predictions
    top: list[bool]  # whether what came was the most likely token
    kv_bytes: int  # read by the steps, scales included
    kv_burst_bytes: int
    basis_bytes: int  # of the tables of keys in a basis of their own, beside all others
    dense_elements: int  # of K and V, were all of it read
    tokens: int  # that there are, over (query, KV head) pairs
    keys: int  # of them offered to the query,
    survivors: int  # left by a selection,
    values: int  # with V


def judged(model, hidden, targets):
    """Of hidden values [n, width]: negative log likelihoods of the targets [n], in float64, and whether each target is
    the most likely token, bool [n]."""
    logits = model.logits(hidden)
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1, dtype=np.float64)) + top[:, 0].astype(np.float64)
    nll = total - logits[np.arange(len(targets)), targets].astype(np.float64)
    return nll, logits.argmax(axis=-1) == targets


def run_dense(model, ids, prompt):
    """(state with the prompt's q, k and v; nll and top, as `judged` has them, of the predictions behind it) of one
    window, dense in float32."""
    state = DecoderState(model.shape, len(ids) - 1)
    model.forward(state, ids[:prompt])
    hidden = model.forward(state, ids[prompt:-1])
    return state, *judged(model, hidden, ids[prompt + 1 :])


def run_prompt(model, session, ids, record=None):
    """The prompt `ids` under the session's policy, in golden's integers; returns its hidden values [n, width].

    `record(layer, positions, q, k, v)` sees the floats that golden is given, [heads, positions, D], and may round them
    in place."""
    out = np.empty((model.shape.heads, len(ids), model.shape.head_dim), np.float32)

    def attend(layer, *values):
        q, k, v = (np.ascontiguousarray(part.transpose(1, 0, 2)) for part in values)
        if record:
            record(layer, slice(0, len(ids)), q, k, v)
        session.prompt_layer(q, k, v, out)
        return out.transpose(1, 0, 2).reshape(len(ids), -1)

    return model.run(ids, np.arange(len(ids)), attend)


def run_step(model, sessions, ids, position, record=None, attention=step):
    """One token of each of the sequences, ids [sessions], all at `position`, under their sessions' policies; returns
    their hidden values [sessions, width].

    `record(layer, q, k, v)` sees the floats that golden is given, [sessions, heads, D], and may round them in place.
    `attention(sessions, q, k, v, out)` is golden's."""
    jobs = len(sessions)
    # Copies of the first sequence: computed by the model, unknown to golden.
    rows = np.concatenate([np.arange(jobs), np.zeros(-jobs % BATCH_ROWS, np.int64)])
    out = np.empty((len(rows), model.shape.heads, model.shape.head_dim), np.float32)

    def attend(layer, *values):
        q, k, v = (np.ascontiguousarray(part[:jobs]) for part in values)
        if record:
            record(layer, q, k, v)
        attention(sessions, q, k, v, out[:jobs])
        out[jobs:] = out[0]
        return out.reshape(len(rows), -1)

    return model.run(np.asarray(ids)[rows], np.full(len(rows), position), attend)[:jobs]


def _goes_by(policy, measure):
    """Whether some heads are full, by that measure of theirs."""
    return policy["full_heads"] > 0 and policy["full_heads_by"] == measure


def run_policies(model, jobs, prompt, *, whole=False, align=4096, on_tokens=lambda count: None, basis=None):
    """A Point each of `jobs`: (ids [prompt + steps + 1], state of run_dense, policy). All jobs take their steps
    together, so that the weights are read once a step, on the thread that calls this. `basis`: golden's, for policies
    whose keys have one."""
    s, steps = model.shape, len(jobs[0][0]) - 1 - prompt
    ids = np.asarray([job[0] for job in jobs])
    sessions = []
    tells_apart = any(_goes_by(policy, "scores") for _, _, policy in jobs)
    scores = [float(x) for x in retrieval_scores(model).ravel()] if tells_apart else []
    for window, state, policy in jobs:
        far = (
            [float(x) for x in head_distances(state.q, state.k, state.v, prompt, s.scale).ravel()]
            if _goes_by(policy, "distances")
            else []
        )
        session = Session(policy, state.q, state.k, state.v, prompt, steps, s.scale, True, align, scores, far, basis)
        if whole:
            run_prompt(model, session, window[:prompt])
        else:
            session.replay_prompt()
        sessions.append(session)
    hidden = np.empty((len(jobs), steps, s.width), np.float32)
    for i in range(steps):
        hidden[:, i] = run_step(model, sessions, ids[:, prompt + i], prompt + i)
        on_tokens(len(jobs))
    points = []
    for job, window in enumerate(ids):
        totals = sessions[job].step_totals
        nll, top = judged(model, hidden[job], window[prompt + 1 :])
        points.append(
            Point(
                nll.tolist(),
                top.tolist(),
                totals.accesses.kv_bytes,
                totals.accesses.kv_burst_bytes,
                totals.accesses.basis_bytes,
                totals.dense_elements,
                totals.tokens,
                totals.keys,
                totals.survivors,
                totals.values,
            )
        )
    return points
