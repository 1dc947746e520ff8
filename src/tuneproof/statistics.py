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
ROUNDING = 1e-9
"""What sums of the same numbers may differ by."""
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
    z = normal_quantile(level)
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
    values, task, cluster = arrange(deltas, groups, clusters)
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
    and the effective number of clusters as degrees of freedom (Bell & McCaffrey 2002), or, of graded scores, those that
    the clusters' sums show where these are fewer. What it covers is simulated in benchmarks/calibration.py.
    """
    if len(deltas) == 0:
        return None
    values, task, cluster = arrange(deltas, groups, clusters)
    items = np.bincount(task)
    shares = weigh_tasks(items)
    size, together = _size_added_change(values, task, cluster)
    added = _count_added_changes(values) * together * shares  # items a task gets on either side
    padded = items + 2 * added
    means = np.bincount(task, values) / padded
    weight = shares / padded

    here = cluster * len(items) + task
    residuals = weight[task] * (values - means[task]) / np.sqrt(1 - np.bincount(here)[here] / padded[task])
    sums = np.bincount(cluster, residuals).astype(float)
    added_squares = together * added * weight**2 * 2 * (size**2 + means**2) / (1 - added / padded)
    square = float((sums**2).sum() + added_squares.sum())

    loads = np.bincount(cluster, weight[task]) ** 2
    load = (weight * together) ** 2
    effective = (loads.sum() + 2 * (shares * load).sum()) ** 2 / ((loads**2).sum() + 2 * (shares * load**2).sum())
    degrees = float(effective) - 1
    if size < 1 and together > 1 + ROUNDING:
        degrees = min(degrees, _count_degrees(sums))
    half = _student_quantile(level, max(1.0, degrees)) * math.sqrt(square)
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


def count_clusters(clusters: Sequence[str]) -> int:
    """Independent observations among clustered items; below `FEWEST_CLUSTERS` the verdict says that there are few."""
    return len(set(clusters))


def detectable_effect(n: int, discordant: float = DISCORDANT, power: float = 0.8) -> float | None:
    """Smallest difference of two paired rates that `n` items show with this power at 5 %; None without items.

    Checked against exact calculations: gain 20 % lose 10 % needs 250 items.
    """
    if n == 0:
        return None
    return min(1.0, (normal_quantile(0.95) + _one_sided(power)) * math.sqrt(discordant / n))


def needed_items(difference: Difference, power: float = 0.8) -> int | None:
    """Items at which a difference of this size and spread would be found with this power; None for no difference."""
    if abs(difference.mean) < ROUNDING:
        return None
    z = normal_quantile(0.95) + _one_sided(power)
    return math.ceil((z * difference.deviation / difference.mean) ** 2)


def needed_items_for_loss(rate: float, threshold: float, power: float = 0.8) -> int:
    """Probes at which a net loss of `threshold` would be told from none, given the share `rate` that flips."""
    z = normal_quantile(0.95) + _one_sided(power)
    return math.ceil(z * z * max(rate, threshold) / threshold**2)


def net_loss_upper(lost: int, gained: int, n: int, level: float = 0.95) -> float | None:
    """Upper end of the two-sided interval of (lost - gained) / n; None without items (Bonett & Price 2012)."""
    estimate = estimate_paired([1.0] * lost + [-1.0] * gained + [0.0] * (n - lost - gained), level=level)
    return estimate.interval[1] if estimate else None


def paired_error(deltas: Sequence[float]) -> float | None:
    """Standard error of the mean paired difference; None below two items."""
    return float(np.std(deltas, ddof=1) / math.sqrt(len(deltas))) if len(deltas) > 1 else None


def arrange(
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


def _count_degrees(sums: Floats) -> float:
    """Degrees of freedom of the sum of squares of the clusters' sums, from their fourth powers (Satterthwaite 1946).

    The number of clusters where the sums are normal, fewer where a handful of them carries nearly all: of 30 clusters
    whose rows score alike and of which six changed, intervals covered 92 % with the degrees of 30. Right and wrong need
    none of this, since the change that is added there is as large as any.
    """
    squares, fourths = float((sums**2).sum()), float((sums**4).sum())
    spread = fourths - squares**2 / len(sums)
    return 2 * squares**2 / spread if spread > 0 else math.inf


def _move_by_skew(skew: float, level: float) -> float:
    """How far the interval's centre moves for a third moment of the mean, over its variance, of `skew`.

    Johnson 1978 (JASA 73, 536) moves it by skew / 6 * (1 + 2 t^2). Half of it: the third moment of a few changes is
    rough itself, and all of it let more than 2.5 % of intervals lie above zero where nothing was gained.
    """
    return skew / 12 * (1 + 2 * normal_quantile(level) ** 2)


def _sign_flip(blocks: Floats, seed: int, draws: int = 9_999) -> float:
    """Two-sided p-value that the clusters' sums are symmetric around zero, by random sign flips."""
    nonzero = blocks[blocks != 0]
    if len(nonzero) == 0:
        return 1.0
    signs = np.random.default_rng(seed).integers(0, 2, size=(draws, len(nonzero)), dtype=np.int8) * 2 - 1
    extreme = np.abs(signs @ nonzero) >= abs(nonzero.sum()) - ROUNDING
    return float((extreme.sum() + 1) / (draws + 1))


def normal_quantile(level: float) -> float:
    """Two-sided normal quantile."""
    return _one_sided((1 + level) / 2)


def _one_sided(probability: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


def _student_quantile(level: float, degrees: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, degrees))
