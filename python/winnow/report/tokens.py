"""Which words lived where: golden's decisions of a run, a share for each layer and token.

A run's folder holds counts of tokens and not their names. So golden walks the trace again under the run's policy, and
its counts are compared with those of layers.csv: they are equal, or the picture would be of something else."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winnow import golden
from winnow._core import Error, Trace
from winnow.settings import Policy


@dataclass
class Survival:
    """Of the last step that ran. Shares are lists [layer][token] of 0..1."""

    step: int
    layers: list  # numbers of the layers
    texts: list  # of the tokens, ready to be set one behind the other
    live: list  # share of the KV heads at work in which the token lives (cascade pruning)
    used: list  # share of (query, KV head) pairs that read the token's V, of those that could have
    importance: list  # share of all importance, after the layer
    compared: int  # counts that equal layers.csv's
    generated_from: int  # tokens from here on were generated
    source: str


class Missing(Exception):
    """No picture of tokens, and why. The report says so in its place."""


def policy_of(run):
    """The run's policy with every key, whatever its name was."""
    policy = Policy("dense")
    for key, value in run.manifest["policy"].items():
        if key != "name":
            policy._set(key, value)
    policy.check()
    return policy


def trace_of(run, trace=None):
    """The trace that the run had, as its hash says; `trace`: where it lies now."""
    options = run.manifest.get("options", {})
    if run.is_gpu:
        raise Missing("a GPU measures time and energy and prunes nothing itself")
    if "batch" in options or "with" in options:
        raise Missing("several sequences ran together; a run of one of them has the picture")
    name = str(trace or run.manifest["trace"])
    if name.endswith(".csv"):
        raise Missing("a shape-only workload has no tokens")
    if not name.startswith("synthetic:") and not Path(name).exists():
        raise Missing(f"the trace {name} is not there from here: --trace FILE says where it lies")
    opened = Trace.open(name)
    if opened.sha256() != run.manifest.get("trace_sha256"):
        raise Missing(f"{name} is not the trace of this run: its SHA-256 differs from the manifest's")
    return opened


def _texts(trace):
    """Token texts with the spaces between them; numbers where the trace has none."""
    try:
        texts = json.loads(trace.metadata["tokens_text"])
    except (KeyError, ValueError):
        return [f"{i} " for i in range(trace.tokens)]
    if any(text.startswith("##") for text in texts) or texts[:1] == ["[CLS]"]:  # word pieces carry no spaces
        glued = [text.startswith("##") or text in set(".,;:") for text in texts]
        texts = [text if i == 0 or stuck else " " + text for i, (text, stuck) in enumerate(zip(texts, glued))]
        texts = [text.replace("##", "", 1) for text in texts]
    return texts


def _counts(layer):
    """(column of layers.csv, golden's count)."""
    live = [(len(layer.live(kv)), heads) for kv, heads in enumerate(layer.heads)]
    yield "live_tokens_over_kv_heads", sum(count for count, heads in live if heads)
    yield "live_query_heads", sum(int(heads).bit_count() for _, heads in live)
    yield "keys_seen", layer.keys_seen
    yield "survivors", layer.survivors
    yield "values_used", layer.values


def _shares(layer, causal_prompt):
    """(live, used) of one layer, each token's share."""
    tokens = layer.tokens
    at_work = [kv for kv, heads in enumerate(layer.heads) if heads]
    live, used = np.zeros(tokens), np.zeros(tokens)
    # Queries that could have read a token's V: in a causal prompt those that do not stand before it.
    could = np.full(tokens, float(len(layer.positions)))
    if causal_prompt:
        could -= np.searchsorted(layer.positions, np.arange(tokens))
    for kv in at_work:
        lives = np.asarray(layer.live(kv))
        live[lives] += 1
        if layer.values == layer.keys_seen:  # nobody chose among the living
            used[lives] += could[lives]
        else:
            used += layer.value_uses(kv)
    heads = max(1, len(at_work))
    used = np.divide(used, could * heads, out=np.zeros(tokens), where=could > 0)
    return [round(float(x), 4) for x in live / heads], [round(float(x), 4) for x in used]


def survival(run, trace=None):
    """Golden's walk over the run's trace. Raises Missing where there is no picture, Error where golden decides
    otherwise than the run's folder says."""
    opened = trace_of(run, trace)
    rows = {(int(row["step"]), int(row["layer"])): row for row in run.layers}
    if not rows:
        raise Missing("layers.csv is missing or empty")
    last = max(step for step, _ in rows)
    made = Survival(last, [], _texts(opened), [], [], [], 0, opened.prompt, opened.source)
    for layer in golden.walk(opened, policy_of(run)):
        if layer.step > last:
            break
        row = rows.get((layer.step, layer.layer))
        if row is None:
            continue
        for column, count in _counts(layer):
            if int(row[column]) != count:
                raise Error(
                    f"{run.path}/layers.csv: step {layer.step}, layer {layer.layer}: {column}: {row[column]}: golden "
                    f"counts {count}: the run is of another version; run again"
                )
            made.compared += 1
        if layer.step != last:
            continue
        live, used = _shares(layer, opened.causal and layer.step == 0)
        total = sum(int(one) for one in layer.importance)
        made.layers.append(layer.layer)
        made.live.append(live)
        made.used.append(used)
        made.importance.append([int(one) / total if total else 0.0 for one in layer.importance[: layer.tokens]])
    made.texts = made.texts[: len(made.live[0])]
    return made
