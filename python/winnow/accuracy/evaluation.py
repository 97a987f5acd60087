"""One model, one text, some policies: windows run where the cache has no result, figures with their errors."""

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas
from threadpoolctl import threadpool_limits
from winnow_traces.basis_file import check_basis, read_basis
from winnow_traces.progress import progress_bar

from winnow._core import Error
from winnow.accuracy import decoder, encoder, needle
from winnow.accuracy.basis import for_golden
from winnow.accuracy.cache import Cache
from winnow.accuracy.models import open_model
from winnow.accuracy.policies import MACHINE, parse_policy
from winnow.accuracy.tables import embedding_tables, needle_tables, perplexity_tables
from winnow.accuracy.texts import open_text, windows
from winnow.settings import Machine, Policy

MODES = ("decode", "whole")
# Of windows of 512 tokens; of longer ones fewer, so that memory stays within the same bound.
JOBS_AT_ONCE = 48  # (window, policy) pairs of a decoder that step together: 40 MB each of SmolLM2
WINDOWS_AT_ONCE = 24  # whose float prompts are kept: 50 MB each


@dataclass
class Report:
    """What came out. `table` has a row a policy, `windows` a row a policy and window."""

    facts: dict  # model, text and how it was cut, in the order of printing
    table: pandas.DataFrame
    windows: pandas.DataFrame
    tokens_a_minute: float | None  # of what was computed; None: everything was found
    computed: int  # (window, policy) pairs
    found: int


def _point_key(cache, kind, model_hash, ids, prompt, mode, policy, basis):
    values = None if policy is None else policy.as_dict()
    if values and _coded(policy):
        values["basis"] = basis.sha256
    return cache.key(
        kind=kind, model=model_hash, ids=[int(i) for i in ids], prompt=prompt, mode=mode, policy=values, machine=MACHINE
    )


def _coded(policy):
    return policy["key_basis"] != "none"


class _Evaluation:
    def __init__(self, subject, policies, ids, prompt, mode, cache, threads, basis=None):
        self.basis = for_golden(basis) if basis else None
        self.kind = "decoder" if subject.decoder else "encoder"
        self.model, self.policies, self.ids = subject.model, policies, ids
        self.prompt, self.mode, self.cache, self.threads = prompt, mode, cache, threads
        self.align = Machine(MACHINE).alignment
        self.keys = [
            [
                _point_key(cache, self.kind, subject.sha256, row, prompt, mode, p, basis)
                for p in (None, *policies.values())
            ]
            for row in ids
        ]
        # [window][0: dense float, then policies]
        self.points = [[cache.get(key) for key in row] for row in self.keys]
        self.found = sum(point is not None for row in self.points for point in row[1:])
        self.missing = [
            (w, [p for p, point in enumerate(row[1:], 1) if point is None])
            for w, row in enumerate(self.points)
            if any(point is None for point in row)
        ]
        self.computed = sum(len(wanted) for _, wanted in self.missing)

    def _keep(self, window, policy, value):
        self.points[window][policy] = value
        self.cache.put(self.keys[window][policy], value)

    def run(self):
        """Computes what is missing; returns the tokens a minute, or None."""
        if not self.missing:
            return None
        per_window = self.ids.shape[1] - 1 - self.prompt if self.kind == "decoder" else self.ids.shape[1]
        total = max(1, self.computed) * per_window
        start = time.monotonic()
        with progress_bar(total, "token", "accuracy") as bar:
            count = min(WINDOWS_AT_ONCE, JOBS_AT_ONCE // max(1, len(self.policies)))
            chunk = max(1, count * 512 // max(512, self.ids.shape[1]))
            for at in range(0, len(self.missing), chunk):
                part = self.missing[at : at + chunk]
                (self._decode if self.kind == "decoder" else self._encode)(part, bar)
        return 60 * total / (time.monotonic() - start)

    def _decode(self, part, bar):
        names = list(self.policies)
        places = [(at, p) for at, (_, wanted) in enumerate(part) for p in wanted]
        # A thread has windows, then jobs, of its own: what is no product runs side by side too, and none waits for
        # another in each layer.
        with threadpool_limits(1), ThreadPoolExecutor(self.threads) as pool:
            dense = list(pool.map(lambda one: decoder.run_dense(self.model, self.ids[one[0]], self.prompt), part))
            for (window, _), (_, nll, top) in zip(part, dense):
                self._keep(window, 0, {"nll": nll.tolist(), "top": top.tolist()})

            def run(group):
                jobs = [(self.ids[part[at][0]], dense[at][0], self.policies[names[p - 1]]) for at, p in group]
                whole = self.mode == "whole"
                made = decoder.run_policies(
                    self.model, jobs, self.prompt, whole=whole, align=self.align, on_tokens=bar.update, basis=self.basis
                )
                for (at, p), point in zip(group, made):
                    self._keep(part[at][0], p, dataclasses.asdict(point))

            count = min(self.threads, -(-len(places) // decoder.BATCH_ROWS)) or 1
            size = -(-len(places) // count)
            list(pool.map(run, (places[at : at + size] for at in range(0, len(places), size or 1))))

    def _encode(self, part, bar):
        names = list(self.policies)
        for window, wanted in part:
            dense = encoder.run_dense(self.model, self.ids[window])
            self._keep(window, 0, {"embedding": [float(x) for x in dense[3]]})
            for p in wanted:
                point = encoder.run_policy(self.model, self.ids[window], dense, self.policies[names[p - 1]], self.align)
                self._keep(window, p, dataclasses.asdict(point))
                bar.update(len(self.ids[window]))

    def column(self, policy, name):
        return [row[policy][name] for row in self.points]


def cut(subject, text, length, count, seed):
    """Windows of `length` ids, [count, length], the model's own begin and end tokens among them."""
    before, after = subject.before, subject.after
    inner = windows(text, subject.encode, length - len(before) - len(after), count, seed)
    first, last = (np.broadcast_to(np.asarray(ids, np.int32), (count, len(ids))) for ids in (before, after))
    return np.concatenate([first, inner, last], axis=1)


def evaluate(
    model,
    policies,
    text,
    *,
    hf=None,
    windows_count=24,
    prompt=None,
    steps=None,
    mode="decode",
    seed=1,
    depths=None,
    basis=None,
    cache="results/accuracy-cache",
    threads=None,
):
    """Runs `policies` (texts as parse_policy has them, or {label: Policy}) inside a model on windows of a text.

    model     "smollm2", "gemma3" or "minilm" (scripts/setup --models, --gemma), or a GGUF file; None where hf is given
    hf        a decoder's folder in Hugging Face's form, or its name
    text      a file, or "calibration", "test", "held-out" (scripts/setup --texts)
    prompt    tokens that run before the policy begins: 448 unless given, with `depths` 2,016; an encoder has this many
              tokens in all (256)
    steps     tokens that are then decoded under the policy, each predicting the next: 64 unless given, with `depths` 32
    mode      "decode": the prompt is dense float; "whole": the prompt too runs under the policy
    depths    a needle test (needle.py): per cent of the prompt at which the windows' facts stand; None: perplexity
    basis     a file of `winnow basis`, for policies with key_basis trace
    cache     a folder of results by content; None: nothing is kept

    Returns a Report. Raises Error or winnow_traces' CaptureError, one line each."""
    if mode not in MODES:
        raise Error(f"--mode: {mode!r}: must be one of {', '.join(MODES)}")
    if isinstance(policies, (str, Policy)):
        policies = [policies]
    if not isinstance(policies, dict):
        policies = dict(parse_policy(p) if isinstance(p, str) else (repr(p), p) for p in policies)
    if depths is not None:
        needle.check_depths(depths)
    for label, value, least in (("--windows", windows_count, 1), ("--steps", steps, 1)):
        if value is not None and value < least:
            raise Error(f"{label}: {value}: must be at least {least}")
    if prompt is not None and prompt < 3:
        raise Error(f"--prompt: {prompt}: must be at least 3")
    opened = open_text(text)
    subject = open_model(model, hf)
    decoder = subject.decoder
    if depths is not None and not decoder:
        raise Error(f"--needle: {subject.title}: is an encoder: only a decoder answers")
    usual = (needle.PROMPT, needle.STEPS) if depths is not None else (448, 64) if decoder else (256, 0)
    prompt = prompt or usual[0]
    steps = steps or usual[1] if decoder else 0
    subject.check(prompt + steps)
    coded = [label for label, policy in policies.items() if _coded(policy)]
    if coded and basis is None:
        raise Error(f"--policy: {coded[0]}: key_basis: trace: needs a basis: --basis FILE, which winnow basis makes")
    if coded and not decoder:
        raise Error(
            f"--policy: {coded[0]}: key_basis: trace: {subject.title} is an encoder: only a decoder has a basis"
        )
    measured = read_basis(basis) if coded else None
    if measured:
        check_basis(basis, measured, subject.sha256, prompt + steps)
    if depths is not None:
        ids, needles = needle.needle_windows(
            opened, subject.encode, prompt, steps, windows_count, seed, depths, subject.before
        )
    else:
        ids = cut(subject, opened, prompt + (steps + 1 if decoder else 0), windows_count, seed)
    run = _Evaluation(
        subject,
        policies,
        ids,
        prompt,
        mode if decoder else "whole",
        Cache(cache),
        threads or os.cpu_count() or 1,
        measured,
    )
    rate = run.run()
    if depths is not None:
        more, table, by_window = needle_tables(run, needles)
    else:
        more, table, by_window = (perplexity_tables if decoder else embedding_tables)(run)
    facts = {
        "model": subject.title,
        "model_sha256": subject.sha256,
        "text": opened.name,
        "text_sha256": opened.sha256,
        "text_licence": opened.licence,
        "windows": windows_count,
        "seed": seed,
        "prompt": prompt,
        "steps": steps,
        "mode": run.mode,
        **({"basis": {"sha256": measured.sha256, **measured.facts}} if measured else {}),
        **({} if depths is None else {"depths": [float(depth) for depth in depths]}),
        **more,
    }
    return Report(facts, table, by_window, rate, run.computed, run.found)
