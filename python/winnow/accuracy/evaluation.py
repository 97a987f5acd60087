"""One model, one text, some policies: windows run where the cache has no result, figures with their errors."""

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas
from threadpoolctl import threadpool_limits
from winnow_traces.progress import progress_bar

from winnow._core import Error
from winnow.accuracy import decoder, encoder
from winnow.accuracy.cache import Cache
from winnow.accuracy.models import open_model
from winnow.accuracy.policies import MACHINE, parse_policy
from winnow.accuracy.statistics import mean_and_error, paired_change
from winnow.accuracy.texts import open_text, windows
from winnow.settings import Machine, Policy

MODES = ("decode", "whole")
JOBS_AT_ONCE = 48  # (window, policy) pairs of a decoder that step together: 40 MB each at 512 tokens of SmolLM2
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


def _point_key(cache, kind, model_hash, ids, prompt, mode, policy):
    values = None if policy is None else policy.as_dict()
    return cache.key(
        kind=kind, model=model_hash, ids=[int(i) for i in ids], prompt=prompt, mode=mode, policy=values, machine=MACHINE
    )


class _Evaluation:
    def __init__(self, subject, policies, ids, prompt, mode, cache, threads):
        self.kind = "decoder" if subject.decoder else "encoder"
        self.model, self.policies, self.ids = subject.model, policies, ids
        self.prompt, self.mode, self.cache, self.threads = prompt, mode, cache, threads
        self.align = Machine(MACHINE).alignment
        self.keys = [
            [_point_key(cache, self.kind, subject.sha256, row, prompt, mode, p) for p in (None, *policies.values())]
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
            chunk = max(1, min(WINDOWS_AT_ONCE, JOBS_AT_ONCE // max(1, len(self.policies))))
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
            for (window, _), (_, nll) in zip(part, dense):
                self._keep(window, 0, {"nll": [float(x) for x in nll]})

            def run(group):
                jobs = [(self.ids[part[at][0]], dense[at][0], self.policies[names[p - 1]]) for at, p in group]
                whole = self.mode == "whole"
                made = decoder.run_policies(
                    self.model, jobs, self.prompt, whole=whole, align=self.align, on_tokens=bar.update
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


def _traffic(run, p, per_window):
    """Figures of bytes, of a policy over all windows."""
    kv, dense = sum(run.column(p, "kv_bytes")), sum(run.column(p, "dense_elements"))
    bursts = sum(run.column(p, "kv_burst_bytes"))
    tokens = sum(run.column(p, "tokens"))
    return {
        "kv_bytes_a_token": kv / (len(run.ids) * per_window),
        "kv_burst_bytes_a_token": bursts / (len(run.ids) * per_window),
        "below_fp32": 4 * dense / kv,
        "below_12_bit": 1.5 * dense / kv,
        "bursts_below_12_bit": 1.5 * dense / bursts,
        "tokens_left": sum(run.column(p, "survivors")) / tokens,
        "values_read": sum(run.column(p, "values")) / tokens,
    }


def _decoder_tables(run):
    nll = np.asarray(run.column(0, "nll"))
    rows, by_window = [], []
    for p, name in enumerate(run.policies, 1):
        mine = np.asarray(run.column(p, "nll"))
        change = paired_change(mine, nll)
        rows.append(
            {
                "policy": name,
                "perplexity": float(np.exp(mine.mean())),
                "change_per_cent": change.per_cent,
                "standard_error": change.standard_error,
                "interval_low": change.low,
                "interval_high": change.high,
                **_traffic(run, p, nll.shape[1]),
            }
        )
        for window in range(len(run.ids)):
            kv = run.points[window][p]["kv_bytes"]
            by_window.append((name, window, nll[window].mean(), mine[window].mean(), kv))
    frame = pandas.DataFrame(by_window, columns=["policy", "window", "dense_nll", "nll", "kv_bytes"])
    return {"perplexity of dense float": float(np.exp(nll.mean()))}, pandas.DataFrame(rows), frame


def _encoder_tables(run):
    dense = run.column(0, "embedding")
    rows, by_window = [], []
    for p, name in enumerate(run.policies, 1):
        figures = encoder.agreement(run.column(p, "embedding"), dense)
        cosine = figures.pop("cosine")
        mean, error = mean_and_error(cosine)
        rows.append(
            {
                "policy": name,
                "cosine": mean,
                "standard_error": error,
                **figures,
                **_traffic(run, p, run.ids.shape[1]),
            }
        )
        for window, one in enumerate(cosine):
            by_window.append((name, window, float(one), run.points[window][p]["kv_bytes"]))
    return {}, pandas.DataFrame(rows), pandas.DataFrame(by_window, columns=["policy", "window", "cosine", "kv_bytes"])


def _cut(subject, text, length, count, seed):
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
    steps=64,
    mode="decode",
    seed=1,
    cache="results/accuracy-cache",
    threads=None,
):
    """Runs `policies` (texts as parse_policy has them, or {label: Policy}) inside a model on windows of a text.

    model     "smollm2", "gemma3" or "minilm" (scripts/setup --models, --gemma), or a GGUF file; None where hf is given
    hf        a decoder's folder in Hugging Face's form, or its name
    text      a file, or "calibration", "test", "held-out" (scripts/setup --texts)
    prompt    tokens that run before the policy begins: 448 unless given; an encoder has this many tokens in all (256)
    steps     tokens that are then decoded under the policy, each predicting the next
    mode      "decode": the prompt is dense float; "whole": the prompt too runs under the policy
    cache     a folder of results by content; None: nothing is kept

    Returns a Report. Raises Error or winnow_traces' CaptureError, one line each."""
    if mode not in MODES:
        raise Error(f"--mode: {mode!r}: must be one of {', '.join(MODES)}")
    if isinstance(policies, (str, Policy)):
        policies = [policies]
    if not isinstance(policies, dict):
        policies = dict(parse_policy(p) if isinstance(p, str) else (repr(p), p) for p in policies)
    for label, value, least in (("--windows", windows_count, 1), ("--steps", steps, 1)):
        if value < least:
            raise Error(f"{label}: {value}: must be at least {least}")
    if prompt is not None and prompt < 3:
        raise Error(f"--prompt: {prompt}: must be at least 3")
    opened = open_text(text)
    subject = open_model(model, hf)
    decoder = subject.decoder
    prompt = prompt or (448 if decoder else 256)
    subject.check(prompt + (steps if decoder else 0))
    run = _Evaluation(
        subject,
        policies,
        _cut(subject, opened, prompt + (steps + 1 if decoder else 0), windows_count, seed),
        prompt,
        mode if decoder else "whole",
        Cache(cache),
        threads or os.cpu_count() or 1,
    )
    rate = run.run()
    more, table, by_window = (_decoder_tables if decoder else _encoder_tables)(run)
    facts = {
        "model": subject.title,
        "model_sha256": subject.sha256,
        "text": opened.name,
        "text_sha256": opened.sha256,
        "text_licence": opened.licence,
        "windows": windows_count,
        "seed": seed,
        "prompt": prompt,
        "steps": steps if decoder else 0,
        "mode": run.mode,
        **more,
    }
    return Report(facts, table, by_window, rate, run.computed, run.found)
