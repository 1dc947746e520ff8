"""Paired statistics: pure functions over numbers.

Base and tuned answer the same items, so everything is about the differences, and items of one duplicate cluster count
as one observation (ignoring clusters makes 95 % intervals cover 74.5 %: docs/evidence.md, rule 18).

    difference = compare_paired(deltas, groups=tasks, clusters=clusters)
    difference.mean, difference.interval, difference.p_value
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Interval = tuple[float, float]
DISCORDANT = 0.3
"""Share of items on which base and tuned are expected to differ, before anything is known."""


class Difference(NamedTuple):
    """Mean paired difference, its interval and the p-value of no difference."""

    mean: float
    interval: Interval
    p_value: float
    deviation: float
    """Standard deviation of one item's difference (of a cluster's, per item, where rows are clustered)."""


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
    """Macro-averaged mean of paired differences (each in -1..1), with interval and p-value; None without items.

    Every group (task) weighs the same. The interval is the adjusted Wald interval for paired rates (Bonett & Price
    2012: one more item on either side), carried over to graded differences and clusters: with two pseudo-items of +1
    and -1 it stays honest when all differences are equal. The p-value is a sign-flip permutation test over clusters.
    """
    n = len(deltas)
    if n == 0:
        return None
    names = list(groups) if groups is not None else [""] * n
    sizes = Counter(names)
    weighted = np.array([delta * n / (len(sizes) * sizes[name]) for delta, name in zip(deltas, names, strict=False)])
    sums: dict[str, float] = defaultdict(float)
    for at, value in enumerate(weighted):
        sums[clusters[at] if clusters is not None else str(at)] += float(value)
    blocks = np.array(list(sums.values()))
    padded = np.concatenate([blocks, [1.0, -1.0]])
    count = len(padded)
    centre = padded.sum() / (n + 2)
    # A cluster's deviation from what its size would predict: sums of equal rows are not independent rows.
    sizes_of = _cluster_sizes(clusters, n)
    residual = padded - centre * np.concatenate([sizes_of, [1.0, 1.0]])
    error = math.sqrt(float((residual**2).sum()) * count / (count - 1)) / (n + 2)
    half = _student_quantile(level, count - 1) * error
    interval = max(-1.0, centre - half), min(1.0, centre + half)
    return Difference(
        mean=float(weighted.mean()),
        interval=(float(interval[0]), float(interval[1])),
        p_value=_sign_flip(blocks, seed),
        deviation=error * math.sqrt(n + 2),
    )


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
    difference = compare_paired([1.0] * lost + [-1.0] * gained + [0.0] * (n - lost - gained), level=level)
    return difference.interval[1] if difference else None


def paired_error(deltas: Sequence[float]) -> float | None:
    """Standard error of the mean paired difference; None below two items."""
    return float(np.std(deltas, ddof=1) / math.sqrt(len(deltas))) if len(deltas) > 1 else None


def _cluster_sizes(clusters: Sequence[str] | None, n: int) -> np.ndarray:
    if clusters is None:
        return np.ones(n)
    sizes: dict[str, float] = defaultdict(float)
    for cluster in clusters:
        sizes[cluster] += 1
    return np.array(list(sizes.values()))


def _sign_flip(blocks: np.ndarray, seed: int, draws: int = 9_999) -> float:
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


def _student_quantile(level: float, degrees: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, degrees))
