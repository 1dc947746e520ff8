"""Paired statistics: pure functions over numbers.

Base and tuned answer the same items, so everything is about the differences, and items of one duplicate cluster count
as one observation (ignoring clusters makes 95 % intervals cover 74.5 %: docs/evidence.md, rule 18).

    difference = compare_paired(deltas, groups=tasks, clusters=clusters)
    difference.mean, difference.interval, difference.p_value
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Interval = tuple[float, float]
DISCORDANT = 0.3
"""Share of items on which base and tuned are expected to differ, before anything is known."""
WHOLE_TASK = 10
"""Items from which a task counts as one."""
FEWEST_CLUSTERS = 30
"""Independent clusters below which intervals were not shown to hold their level (benchmarks/calibration.py)."""


class Estimate(NamedTuple):
    """Mean paired difference and its interval."""

    mean: float
    interval: Interval
    deviation: float
    """Standard deviation of one item's difference (of a cluster's, per item, where rows are clustered)."""


class Difference(NamedTuple):
    """Mean paired difference, its interval and the p-value of no difference."""

    mean: float
    interval: Interval
    p_value: float
    deviation: float
    """As in `Estimate`."""


def wilson_interval(right: int, n: int, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of a rate; None without items. Holds its level at small n, unlike the normal one."""
    if n == 0:
        return None
    z = _normal_quantile(level)
    centre = (right + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(right * (n - right) / n + z * z / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar_p(better: int, worse: int) -> float | None:
    """Exact two-sided p-value that `better` and `worse` are equally likely; None without a discordant pair.

    Fewer than six discordant pairs can never reach 0.05 (McNemar 1947, exact binomial form).
    """
    from scipy.stats import binomtest

    if better + worse == 0:
        return None
    return float(binomtest(better, better + worse, 0.5).pvalue)


def compare_paired(
    deltas: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Difference | None:
    """What `estimate_paired` gives, and the p-value of no difference: a sign-flip permutation test over clusters."""
    estimate = estimate_paired(deltas, groups=groups, clusters=clusters, level=level)
    if estimate is None:
        return None
    values, task, cluster = _arrange(deltas, groups, clusters)
    items = np.bincount(task)
    weighted = values * len(values) * (weigh_tasks(items) / items)[task]
    return Difference(
        mean=estimate.mean,
        interval=estimate.interval,
        p_value=_sign_flip(np.bincount(cluster, weighted).astype(float), seed),
        deviation=estimate.deviation,
    )


def estimate_paired(
    deltas: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
) -> Estimate | None:
    """Macro-averaged mean of paired differences (each in -1..1) and its interval; None without items.

    Groups (tasks) weigh as `weigh_tasks` says; items of one cluster count as one observation. Up to one change is added
    on either side, so that equal differences do not make a zero interval: with a whole one this is, right and wrong
    without clusters, the adjusted Wald interval of Bonett & Price 2012, and shared out over tasks that of Price and
    Bonett 2004. The interval is moved towards the longer tail by half of what Johnson 1978 gives for a skewed sample,
    since few gains and no losses are skewed as all counts are. The error is robust to clusters, with the correction CR2
    and the effective number of clusters as degrees of freedom (Bell & McCaffrey 2002). What it covers is simulated in
    benchmarks/calibration.py.
    """
    if len(deltas) == 0:
        return None
    values, task, cluster = _arrange(deltas, groups, clusters)
    items = np.bincount(task)
    shares = weigh_tasks(items)
    size, together = _size_added_change(values, task, cluster)
    added = _count_added_changes(values) * together * shares  # items a task gets on either side
    padded = items + 2 * added
    means = np.bincount(task, values) / padded
    weight = shares / padded

    here = cluster * len(items) + task
    residuals = weight[task] * (values - means[task]) / np.sqrt(1 - np.bincount(here)[here] / padded[task])
    sums = np.bincount(cluster, residuals)
    added_squares = together * added * weight**2 * 2 * (size**2 + means**2) / (1 - added / padded)
    square = float((sums**2).sum() + added_squares.sum())

    loads = np.bincount(cluster, weight[task]) ** 2
    load = (weight * together) ** 2
    effective = (loads.sum() + 2 * (shares * load).sum()) ** 2 / ((loads**2).sum() + 2 * (shares * load**2).sum())
    half = _student_quantile(level, max(1.0, float(effective) - 1)) * math.sqrt(square)
    centre = float((shares * means).sum() + _move_by_skew(float((sums**3).sum()) / square, level))
    return Estimate(
        mean=float((shares * np.bincount(task, values) / items).sum()),
        interval=(max(-1.0, centre - half), min(1.0, centre + half)),
        deviation=math.sqrt(square * float(padded.sum())),
    )


def weigh_tasks(items: Indices) -> Floats:
    """Share of each task in a macro-average, given how many items it has: all alike, but for those with fewer than
    `WHOLE_TASK`, which count by their items. Else the one test row of a stray file had half of a verdict."""
    counted = np.minimum(items, WHOLE_TASK).astype(float)
    shares: Floats = counted / counted.sum()
    return shares


class Sample(NamedTuple):
    """Scores (0 to 1) of items, with the group (task) and the cluster of each."""

    scores: Sequence[float]
    groups: Sequence[str]
    clusters: Sequence[str]


class Gap(NamedTuple):
    """Two macro-averaged means, the first minus the second, and its interval."""

    first: float
    second: float
    mean: float
    interval: Interval


def compare_unpaired(first: Sample, second: Sample, level: float = 0.95) -> Gap:
    """First minus second mean of scores on different items. Both have the same groups, and at least one item of each.

    Price & Bonett 2004 for a linear function of rates: of k rates each gets 2 / k items of score 0 and as many of score
    1, so that equal scores do not make a zero interval; for two rates this is Agresti & Caffo 2000. Scores between 0
    and 1 enter with their own variance, items of a cluster as one observation.
    """
    rates = len(set(first.groups)) + len(set(second.groups))
    mean, padded, square = _summarise_sample(first, 2 / rates)
    other, other_padded, other_square = _summarise_sample(second, 2 / rates)
    half = _normal_quantile(level) * math.sqrt(square + other_square)
    centre = padded - other_padded
    return Gap(mean, other, mean - other, (max(-1.0, centre - half), min(1.0, centre + half)))


def _summarise_sample(sample: Sample, added: float) -> tuple[float, float, float]:
    """Macro-averaged mean, the same with `added` items of score 0 and of score 1 a group, and its squared error."""
    values, group, cluster = _arrange(sample.scores, sample.groups, sample.clusters)
    items = np.bincount(group)
    padded = items + 2 * added
    means = (np.bincount(group, values) + added) / padded
    weight = 1 / (len(items) * padded)
    residuals = np.bincount(cluster, weight[group] * (values - means[group]))
    error = (residuals**2).sum() + (weight**2 * added * (means**2 + (1 - means) ** 2)).sum()
    return float((np.bincount(group, values) / items).mean()), float(means.mean()), float(error)


def count_clusters(clusters: Sequence[str]) -> int:
    """Independent observations among clustered items; below `FEWEST_CLUSTERS` the verdict says that there are few."""
    return len(set(clusters))


def detectable_effect(n: int, discordant: float = DISCORDANT, power: float = 0.8) -> float | None:
    """Smallest difference of two paired rates that `n` items show with this power at 5 %; None without items.

    Checked against exact calculations: gain 20 % lose 10 % needs 250 items.
    """
    if n == 0:
        return None
    return min(1.0, (_normal_quantile(0.95) + _one_sided(power)) * math.sqrt(discordant / n))


def needed_items(difference: Difference, power: float = 0.8) -> int | None:
    """Items at which a difference of this size and spread would be found with this power; None for no difference."""
    if abs(difference.mean) < 1e-9:
        return None
    z = _normal_quantile(0.95) + _one_sided(power)
    return math.ceil((z * difference.deviation / difference.mean) ** 2)


def needed_items_for_loss(rate: float, threshold: float, power: float = 0.8) -> int:
    """Probes at which a net loss of `threshold` would be told from none, given the share `rate` that flips."""
    z = _normal_quantile(0.95) + _one_sided(power)
    return math.ceil(z * z * max(rate, threshold) / threshold**2)


def net_loss_upper(lost: int, gained: int, n: int, level: float = 0.95) -> float | None:
    """Upper end of the two-sided interval of (lost - gained) / n; None without items (Bonett & Price 2012)."""
    estimate = estimate_paired([1.0] * lost + [-1.0] * gained + [0.0] * (n - lost - gained), level=level)
    return estimate.interval[1] if estimate else None


def paired_error(deltas: Sequence[float]) -> float | None:
    """Standard error of the mean paired difference; None below two items."""
    return float(np.std(deltas, ddof=1) / math.sqrt(len(deltas))) if len(deltas) > 1 else None


def _arrange(
    deltas: Sequence[float], groups: Sequence[str] | None, clusters: Sequence[str] | None
) -> tuple[Floats, Indices, Indices]:
    """Differences, and the task and cluster of each, numbered from 0; where not given: one task, clusters of one."""
    n = len(deltas)
    task = np.zeros(n, dtype=np.intp) if groups is None else np.unique(list(groups), return_inverse=True)[1]
    cluster = np.arange(n) if clusters is None else np.unique(list(clusters), return_inverse=True)[1]
    return np.asarray(deltas, dtype=float), task, cluster


def _size_added_change(values: Floats, task: Indices, cluster: Indices) -> tuple[float, float]:
    """How large the change is that is added on either side, and how many items change together in it.

    As large as the changes seen, weighted by their squares: 1 for right and wrong, and where nothing changed. As many
    items as the design effect says (Kish 1965), held back by one cluster more that changed as a whole: a handful of
    changes does not tell whether clusters change as one, and taking them as single made 95 % intervals cover 77 %.
    """
    squares = values**2
    size = math.sqrt(float((squares**2).sum() / squares.sum())) if squares.any() else 1.0
    residuals = values - (np.bincount(task, values) / np.bincount(task))[task]
    alone, joint = float((residuals**2).sum()), float((np.bincount(cluster, residuals) ** 2).sum())
    usual = float((np.bincount(cluster) ** 2).sum()) / len(values)
    return size, max(1.0, (joint + (size * usual) ** 2) / (alone + size**2 * usual))


def _count_added_changes(values: Floats) -> float:
    """How many changes are added on either side: 1 where all went one way or none was seen, 1/2 where they are even.

    What a side has not shown must be reckoned with; where both sides have shown changes, less of it covers as well.
    """
    total = float(np.abs(values).sum())
    return (1 + (float(values.sum()) / total) ** 2) / 2 if total else 1.0


def _move_by_skew(skew: float, level: float) -> float:
    """How far the interval's centre moves for a third moment of the mean, over its variance, of `skew`.

    Johnson 1978 (JASA 73, 536) moves it by skew / 6 * (1 + 2 t^2). Half of it: the third moment of a few changes is
    rough itself, and all of it let more than 2.5 % of intervals lie above zero where nothing was gained.
    """
    return skew / 12 * (1 + 2 * _normal_quantile(level) ** 2)


def _sign_flip(blocks: Floats, seed: int, draws: int = 9_999) -> float:
    """Two-sided p-value that the clusters' sums are symmetric around zero, by random sign flips."""
    nonzero = blocks[blocks != 0]
    if len(nonzero) == 0:
        return 1.0
    signs = np.random.default_rng(seed).integers(0, 2, size=(draws, len(nonzero)), dtype=np.int8) * 2 - 1
    extreme = np.abs(signs @ nonzero) >= abs(nonzero.sum()) - 1e-9
    return float((extreme.sum() + 1) / (draws + 1))


def _normal_quantile(level: float) -> float:
    """Two-sided normal quantile."""
    return _one_sided((1 + level) / 2)


def _one_sided(probability: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


def _student_quantile(level: float, degrees: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, degrees))
