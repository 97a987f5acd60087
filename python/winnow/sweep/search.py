"""Which points are measured next at the first stage.

A batch is asked from what all batches before it gave, by a sampler of its own seed. So a killed sweep goes on as if it
had not been killed, and how many processes measure the batch changes nothing."""

import itertools
import warnings

import optuna
from optuna.trial import TrialState, create_trial

from winnow._core import Error

optuna.logging.set_verbosity(optuna.logging.WARNING)


def distributions(spec):
    """{name: Optuna's distribution}."""
    made = {}
    for one in spec.parameters:
        if one.choices is not None:
            made[one.name] = optuna.distributions.CategoricalDistribution(one.choices)
        elif isinstance(one.low, int):
            made[one.name] = optuna.distributions.IntDistribution(one.low, one.high, one.log, one.step or 1)
        else:
            made[one.name] = optuna.distributions.FloatDistribution(one.low, one.high, one.log, one.step)
    return made


def _sampler(spec, batch):
    seed = (spec.seed * 1_000_003 + batch) % 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which of these Optuna calls experimental
        if spec.method == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        if spec.method == "nsga2":
            return optuna.samplers.NSGAIISampler(population_size=max(2, spec.batch), seed=seed)
        if spec.method == "gp":
            try:
                import torch  # noqa: F401 - Optuna imports it late, in many lines
            except ImportError as error:
                raise Error(
                    "search.method: gp: the package torch is not installed: .venv/bin/pip install torch"
                ) from error
            return optuna.samplers.GPSampler(seed=seed)
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def trial_of(spec, params, attrs, values, over, user=None):
    """A finished trial as Optuna has it. `values`: of the objectives, or None where there are none; `over`: {metric: by
    how much its limit is exceeded}."""
    fine = values is not None
    return create_trial(
        state=TrialState.COMPLETE if fine else TrialState.FAIL,
        values=values,
        params=params,
        distributions=distributions(spec),
        system_attrs={**attrs, **({f"constraints:{key}": x for key, x in over.items()} if fine else {})},
        user_attrs=user or {},
    )


def ask(spec, batch, count, history, objectives):
    """[(params, what the sampler notes beside a trial)] of `count` points. history: arguments of trial_of, in order."""
    if spec.method == "grid":
        at = len(history)
        return [(params, {}) for params in itertools.islice(spec.grid(), at, at + count)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(directions=["minimize"] * objectives, sampler=_sampler(spec, batch))
        if spec.method != "random":
            study.add_trials([trial_of(spec, *one) for one in history])
        space = distributions(spec)
        asked = [study.ask(space) for _ in range(count)]
        trials = study.get_trials(deepcopy=False)[-len(asked) :]
    return [(dict(one.params), _plain(one.system_attrs)) for one in trials]


def _plain(attrs):
    """Without what cannot be noted as JSON."""
    return {key: value for key, value in attrs.items() if isinstance(value, (int, float, str, list))}
