"""Simulated experiments whose truth is known: scores of a base and of tuned models on the same test rows.

In: a `Setting`. Out: a `Draw`, scores of shape (experiments, rows) for each model, and the true difference.

    draw = draw_scores(Setting("right", p=0.1, n=100, clusters=0.5), experiments=2000, seed=1)
    differences = draw.scores[1] - draw.scores[0]

A row's score is a quantile of a normal variable that models and clusters share in part, so any kind of score can be
drawn at any correlation, and its mean is known exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from tuneproof.statistics import weigh_tasks

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
STEPS = 4_000
"""Quantiles a graded score's distribution is cut into."""
CHANGED = 0.2
"""Share of rows that a `mostly_same` tuned model answers otherwise than the base."""
SINGLES = [1] * 20 + [2] * 4 + [3] * 3 + [4] * 2 + [5]
"""Cluster sizes of 50 rows: 30 clusters. Above, sizes 1 to 5 in turn: 34 clusters of 100 rows, 67 of 200."""
TASK_SHARES = (0.6, 0.3, 0.1)


class Setting(NamedTuple):
    """What an experiment is drawn from."""

    kind: str
    """Scores: `right` is 0 or 1, `fields` are quarters, `overlap` any; `mostly_same` is any, and mostly the base's."""
    p: float
    """The base's expected score."""
    n: int
    effect: float = 0.0
    """Expected score of tuned minus base's; over several tasks their mean, and they differ by half of it."""
    correlation: float = 0.0
    """Of tuned with base, before scores are cut from it: at 0.9 most answers stay right or wrong together."""
    clusters: float | None = None
    """Correlation within clusters; at 1 a cluster's rows score alike. None: every row for itself."""
    tasks: int = 1


class Draw(NamedTuple):
    """Scores of the experiments of one setting."""

    scores: list[Floats]
    """The base's, then each further model's: (experiments, rows)."""
    truth: float
    """Tasks weighed as in every score."""
    task: Indices
    """Each row's task, from 0."""
    cluster: Indices
    """Each row's cluster, from 0, within tasks."""


def list_settings() -> list[Setting]:
    """Every setting whose coverage is measured."""
    rates, sizes = (0.02, 0.1, 0.3, 0.5, 0.9), (50, 100, 200)
    effects = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
    few, graded = (0.0, 0.1), ("fields", "overlap", "mostly_same")
    some: list[Iterator[Setting]] = [
        _cross(("right",), rates, sizes, effects, (0, 0.5, 0.9), (None,), (1,)),
        _cross(("right",), rates, sizes, effects, (0, 0.9), (0, 0.5, 1), (1,)),
        _cross(("right",), rates, sizes, few, (0, 0.9), (None, 0.5), (3,)),
        _cross(graded, (0.1, 0.5, 0.9), sizes, (0, 0.02, 0.05, 0.1), (0, 0.9), (None,), (1,)),
        _cross(graded, (0.1, 0.5, 0.9), (50, 200), (0, 0.02, 0.05, 0.1), (0, 0.9), (0, 0.5, 1), (1,)),
        _cross(graded[:2], (0.1, 0.5, 0.9), (50, 200), few, (0, 0.9), (None, 0.5), (3,)),
    ]
    return [setting for settings in some for setting in settings if 0 < reach(setting) < 1]


def reach(setting: Setting) -> float:
    """The largest (or, where scores fall, smallest) expected score that a task's changed answers must have."""
    most = setting.effect * (1.5 if setting.tasks > 1 else 1)
    return setting.p + most / (CHANGED if setting.kind == "mostly_same" else 1)


def _cross(*choices: tuple[object, ...]) -> Iterator[Setting]:
    """Every combination, in the order of Setting's fields; a base near 1 can only lose."""
    for kind, p, n, effect, *rest in itertools.product(*choices):
        yield Setting(kind, p, n, -effect if p == 0.9 else effect, *rest)  # type: ignore[arg-type, operator]


def draw_scores(setting: Setting, experiments: int, seed: int, models: int = 2) -> Draw:
    """Scores of base and tuned, and of further models that are as good as the base and as correlated with it."""
    chance = np.random.default_rng(seed)
    task, cluster = lay_out(setting)
    latent = [_draw_latent(setting.clusters, cluster, experiments, chance) for _ in range(models)]
    base = _cut(setting.kind, setting.p, latent[0])
    scores, truth, weights = [base], 0.0, weigh_tasks(np.bincount(task))
    share = CHANGED if setting.kind == "mostly_same" else 1.0
    for model in range(1, models):
        mixed = setting.correlation * latent[0] + math.sqrt(1 - setting.correlation**2) * latent[model]
        other = np.empty_like(base)
        effects = setting.effect * (np.linspace(0.5, 1.5, setting.tasks) if setting.tasks > 1 else np.ones(1))
        for at, effect in enumerate(effects if model == 1 else np.zeros(setting.tasks)):
            rows, p = task == at, setting.p + float(effect) / share
            other[:, rows] = _cut(setting.kind, p, mixed[:, rows])
            truth += weights[at] * share * (_mean(setting.kind, p) - _mean(setting.kind, setting.p))
        if share < 1:
            changed = special.ndtr(_draw_latent(setting.clusters, cluster, experiments, chance)) < share
            other = np.where(changed, other, base)
        scores.append(other)
    return Draw(scores, truth, task, cluster)


def lay_out(setting: Setting) -> tuple[Indices, Indices]:
    """Each row's task and cluster. Clusters lie within tasks; the last one of a task is cut to fit."""
    counts = [round(setting.n * share) for share in TASK_SHARES] if setting.tasks > 1 else [setting.n]
    task = np.repeat(np.arange(len(counts)), counts)
    if setting.clusters is None:
        return task, np.arange(setting.n)
    sizes = SINGLES if setting.n == sum(SINGLES) else [at % 5 + 1 for at in range(setting.n)]
    turn = iter(np.random.default_rng(5).permutation(sizes) if setting.n == sum(SINGLES) else sizes)
    cluster: list[int] = []
    for count in counts:
        end = len(cluster) + count
        while len(cluster) < end:
            number = cluster[-1] + 1 if cluster else 0
            cluster += [number] * min(int(next(turn)), end - len(cluster))
    return task, np.array(cluster)


def _draw_latent(within: float | None, cluster: Indices, experiments: int, chance: np.random.Generator) -> Floats:
    own = chance.standard_normal((experiments, len(cluster)))
    if not within:
        return own
    shared = chance.standard_normal((experiments, int(cluster[-1]) + 1))[:, cluster]
    return math.sqrt(within) * shared + math.sqrt(1 - within) * own


def _cut(kind: str, p: float, latent: Floats) -> Floats:
    """Scores of this kind and mean, from normal variables."""
    if kind == "right":
        return np.asarray(latent < special.ndtri(p), dtype=float)
    at = np.minimum((special.ndtr(latent) * STEPS).astype(int), STEPS - 1)
    scores: Floats = _quantiles(kind, round(p, 6))[at]
    return scores


def _mean(kind: str, p: float) -> float:
    return p if kind == "right" else float(_quantiles(kind, round(p, 6)).mean())


@cache
def _quantiles(kind: str, p: float) -> Floats:
    """Graded scores: four fields that tend to be right together, or an overlap of any size (Beta-distributed)."""
    grid = (np.arange(STEPS) + 0.5) / STEPS
    if kind == "fields":
        below = stats.betabinom(4, 2 * p, 2 * (1 - p)).cdf(np.arange(5))
        return np.asarray(np.searchsorted(below, grid) / 4, dtype=float)
    return np.asarray(stats.beta(4 * p, 4 * (1 - p)).ppf(grid), dtype=float)
