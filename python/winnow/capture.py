"""A trace of a model with golden inside: its queries, keys and values are those that the policy's outputs made.

Golden is given what the trace will hold, rounded to its element type. So a walk over the trace under that policy makes
the codes, and with them every decision, that were made here.

    run = under_policy("select v_bits=6", "decode", "float16")
    trace = winnow_traces.capture.capture(source, request, run)"""

import json

import numpy as np
from threadpoolctl import threadpool_limits
from winnow_traces.decoder import Decoder, DecoderState, prefill
from winnow_traces.errors import CaptureError
from winnow_traces.heads import head_distances, retrieval_scores
from winnow_traces.progress import progress_bar
from winnow_traces.source import Captured, check_length, frame_text, split_text
from winnow_traces.trace_file import Trace, rounded

from winnow.accuracy.basis import for_golden
from winnow.accuracy.decoder import run_prompt, run_step
from winnow.accuracy.policies import MACHINE, parse_policy
from winnow.golden import Session, step
from winnow.settings import Machine

ATTEMPTS = 4  # runs of a prompt until the importance of heads is that of a replay


class _Record:
    """q, k and v of a run, [layers] of [heads, tokens, D], as the trace holds them."""

    def __init__(self, shape, tokens, dtype):
        self.parts = [
            [np.zeros((heads, tokens, shape.head_dim), np.float32) for _ in range(shape.layers)]
            for heads in (shape.heads, shape.kv_heads, shape.kv_heads)
        ]
        self._dtype = dtype

    def keep(self, layer, positions, *values):
        """Of q, k and v, [heads, positions, D] each: rounds them in place and keeps them."""
        for name, part, value in zip("qkv", self.parts, values):
            value[:] = rounded(f"layers.{layer}.{name}", value, self._dtype)
            part[layer][:, positions] = value

    def of_token(self, position):
        """run_step's `record` for one sequence's token at that position."""

        def keep(layer, *values):
            self.keep(layer, slice(position, position + 1), *(part[0][:, None] for part in values))

        return keep

    def keep_all(self, q, k, v):
        for layer, values in enumerate(zip(q, k, v)):
            self.keep(layer, slice(0, values[0].shape[1]), *(np.array(value, np.float32) for value in values))


def _run_prompt(policy, record, open_session, run):
    """Runs a prompt under the policy, of which `record` holds dense float's values and then the run's; returns the
    session.

    A head's importance is its |out| beside the largest output of the whole model, which is not known before the last
    layer has run. A session takes it from a run before; so the prompt runs again until that run had the same."""
    for _ in range(ATTEMPTS):
        session = open_session()
        run(session)
        if policy.heads.start == policy.heads.end == 1 or open_session().largest_output == session.largest_output:
            return session
    raise CaptureError(
        f"--mode whole: policy {policy.name} prunes heads by outputs whose largest was another in each of {ATTEMPTS} "
        "runs: a replay could decide otherwise; heads.start=1 heads.end=1, or --mode decode"
    )


def _run_encoder(model, tokenizer, policy, dtype, align, text, request):
    s = model.shape
    check_length("--prompt", request.prompt, s.positions)
    ids = frame_text(request, tokenizer.encode(text), tokenizer.first, tokenizer.last)
    record = _Record(s, len(ids), dtype)
    record.keep_all(*model.forward(ids)[:3])

    def attend(layer, *values):
        q, k, v = (np.array(part, np.float32, order="C") for part in values)
        record.keep(layer, slice(0, len(ids)), q, k, v)
        session, out = sessions[-1], np.empty_like(q)
        session.prompt_layer(q, k, v, out)
        return out

    sessions = []

    def run(session):
        sessions.append(session)
        model.forward(ids, attend=attend)

    session = _run_prompt(
        policy, record, lambda: Session(policy, *record.parts, len(ids), 0, s.scale, False, align), run
    )
    return record, ids, session


def _run_decoder(model, tokenizer, policy, whole, dtype, align, text, request, attention, basis):
    s, total = model.shape, request.prompt + request.generate
    check_length("--prompt", total, s.context, s.context_why)
    prompt, teacher = split_text(request, [*model.begin, *tokenizer.encode(text)])
    record, state = _Record(s, total, dtype), DecoderState(s, len(prompt))
    with progress_bar(total, "token", "capture") as bar:
        hidden = prefill(model, state, prompt, bar.update)
        record.keep_all(state.q, state.k, state.v)
        heads = {
            "head_scores": retrieval_scores(model),
            "head_distances": head_distances(state.q, state.k, state.v, len(prompt), s.scale),
        }

        def open_session():
            told = ([float(x) for x in of.ravel()] for of in heads.values())
            return Session(policy, *record.parts, len(prompt), request.generate, s.scale, True, align, *told, basis)

        if whole:
            last = []

            def run(session):
                last[:] = [run_prompt(model, session, prompt, record.keep)]

            session = _run_prompt(policy, record, open_session, run)
            hidden = last[0]
        else:
            session = open_session()
            session.replay_prompt()
        ids = list(prompt)
        with threadpool_limits(1):  # one token's products are too small for threads
            for i in range(request.generate):
                position = len(ids)
                ids.append(teacher[i] if teacher else int(np.argmax(model.logits(hidden[-1]))))
                hidden = run_step(model, [session], ids[-1:], position, record.of_token(position), attention)
                bar.update(1)
    return record, ids, session, heads


def under_policy(words, mode=None, dtype="float16", *, attention=step, basis=None):
    """What runs a model under the policy `words` (as parse_policy has it): the argument `run` of capture().

    mode        "decode": a decoder's prompt is dense float; "whole": the prompt too runs under the policy; None: as the
                model has it
    basis       of policies whose keys have one: of a file of `winnow basis`; the trace has to have it too
    attention   golden's for the steps, as run_step has it

    Raises Error or CaptureError where a policy is wrong, or such a run could not be replayed."""
    _, policy = parse_policy(words)
    coded = policy["key_basis"] != "none"
    if coded and basis is None:
        raise CaptureError(
            f"--policy: {words}: key_basis: trace: needs a basis: --basis FILE, which winnow basis makes"
        )
    told = for_golden(basis) if coded else None

    def run(source, text, request):
        model, tokenizer = source.open()
        decoder, align = isinstance(model, Decoder), Machine(MACHINE).alignment
        chosen = mode or ("decode" if decoder else "whole")
        if coded and not decoder:
            raise CaptureError(f"--policy: {words}: key_basis: trace: an encoder has no basis")
        if chosen == "decode" and not decoder:
            raise CaptureError("--mode decode: an encoder has no steps: its prompt runs under the policy, --mode whole")
        if chosen == "decode" and not request.generate:
            raise CaptureError("--policy in mode decode: --generate is 0: must be at least 1, or --mode whole")
        if chosen == "whole" and policy.out_scale == "reference":
            raise CaptureError(
                "--mode whole: policy's out_scale is 'reference', the largest output of float attention, which a "
                "replay takes from other values: must be 'value'"
            )
        heads = {}
        if decoder:
            record, ids, session, heads = _run_decoder(
                model, tokenizer, policy, chosen == "whole", dtype, align, text, request, attention, told
            )
        else:
            record, ids, session = _run_encoder(model, tokenizer, policy, dtype, align, text, request)
        trace = Trace(*record.parts, np.asarray(ids, np.int32), model.shape.scale, decoder, request.prompt, heads=heads)
        read = session.prompt_totals.accesses.kv_bytes + session.step_totals.accesses.kv_bytes
        info = {
            "policy": words,
            "policy_settings": json.dumps(policy.as_dict(), sort_keys=True),
            "policy_mode": chosen,
            "policy_kv_bytes": str(read),
        }
        return Captured(trace, tokenizer.strings(ids), info)

    return run
