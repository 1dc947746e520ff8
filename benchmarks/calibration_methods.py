"""Intervals of a paired difference: the one under test, and those it must not be much wider than.

In: a `Draw`. Out: lower and upper ends, one of each an experiment.

    low, high = METHODS["wald"](draw)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special, stats

from benchmarks.calibration_cells import Draw, Floats, Indices
from tuneproof.statistics import estimate_paired, weigh_tasks

Ends = tuple[Floats, Floats]
Z = float(special.ndtri(0.975))
RESAMPLES = 1_000


def estimate(draw: Draw, model: int = 1, other: int = 0) -> Ends:
    """Tuneproof's own interval, called as the verdict calls it."""
    groups, clusters = [str(at) for at in draw.task], [str(at) for at in draw.cluster]
    found = [
        estimate_paired(deltas, groups=groups, clusters=clusters)
        for deltas in (draw.scores[model] - draw.scores[other])
    ]
    ends = np.array([one.interval for one in found if one is not None])
    return ends[:, 0], ends[:, 1]


def wald(draw: Draw) -> Ends:
    """Plain paired t interval over clusters, within tasks."""
    deltas = draw.scores[1] - draw.scores[0]
    rows = np.bincount(draw.task)
    shares = weigh_tasks(rows)
    means = np.stack([deltas[:, draw.task == at].mean(1) for at in range(len(rows))], 1)
    sums = _sum((deltas - means[:, draw.task]) * (shares / rows)[draw.task], draw.cluster)
    count = sums.shape[1]
    error = np.sqrt((sums**2).sum(1) * count / (count - len(rows)))
    half = stats.t.ppf(0.975, count - len(rows)) * error
    return means @ shares - half, means @ shares + half


def percentile(draw: Draw) -> Ends:
    """Cluster bootstrap, percentile."""
    resampled = np.sort(_resample(draw), axis=1)
    return resampled[:, round(0.025 * RESAMPLES) - 1], resampled[:, round(0.975 * RESAMPLES) - 1]


def bca(draw: Draw) -> Ends:
    """Cluster bootstrap, bias-corrected and accelerated (Efron 1987)."""
    deltas = draw.scores[1] - draw.scores[0]
    resampled = np.sort(_resample(draw), axis=1)
    rows, sums, sizes, own = (
        np.bincount(draw.task),
        _sum(deltas, draw.cluster),
        np.bincount(draw.cluster),
        _owners(draw),
    )
    totals = np.stack([deltas[:, draw.task == at].sum(1) for at in range(len(rows))], 1)
    shares = weigh_tasks(rows)
    middle = (totals / rows @ shares)[:, None]
    below = (resampled < middle - 1e-12).mean(1) + (np.abs(resampled - middle) <= 1e-12).mean(1) / 2
    bias = special.ndtri(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
    without = (totals[:, own] - sums) / np.maximum(rows[own] - sizes, 1) - totals[:, own] / rows[own]
    without *= shares[own]
    pull = without.mean(1, keepdims=True) - without
    spread = (pull**2).sum(1) ** 1.5
    skew = (pull**3).sum(1) / (6 * np.where(spread > 0, spread, 1))
    ends = []
    for z in (-Z, Z):
        share = special.ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
        ends.append(resampled[np.arange(len(deltas)), np.clip((share * RESAMPLES).astype(int), 0, RESAMPLES - 1)])
    return ends[0], ends[1]


def newcombe(draw: Draw) -> Ends:
    """Paired score interval of right and wrong (Newcombe 1998, method 10)."""
    base, tuned = draw.scores
    n = base.shape[1]
    both, gained, lost = ((base * tuned).sum(1), (tuned * (1 - base)).sum(1), (base * (1 - tuned)).sum(1))
    neither = n - both - gained - lost
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = both * neither - gained * lost
    cross = np.where(cross > n / 2, cross - n / 2, np.minimum(cross, 0))
    phi = np.where(margins > 0, cross / np.sqrt(np.maximum(margins, 1)), 0)
    after, before, delta = (both + gained) / n, (both + lost) / n, (gained - lost) / n
    (after_low, after_high), (before_low, before_high) = _wilson(after, n), _wilson(before, n)
    down, up = after - after_low, before_high - before
    low = delta - np.sqrt(np.maximum(down**2 - 2 * phi * down * up + up**2, 0))
    up, down = after_high - after, before - before_low
    return low, delta + np.sqrt(np.maximum(up**2 - 2 * phi * up * down + down**2, 0))


def tango(draw: Draw) -> Ends:
    """Score interval of right and wrong (Tango 1998), by bisection."""
    deltas = draw.scores[1] - draw.scores[0]
    n, gained, lost = deltas.shape[1], (deltas > 0).sum(1), (deltas < 0).sum(1)

    def score(delta: Floats) -> Floats:
        linear = -gained - lost + (2 * n - gained + lost) * delta
        root = np.sqrt(np.maximum(linear**2 + 8 * n * lost * delta * (1 - delta), 0))
        variance = n * ((root - linear) / (2 * n) + delta * (1 - delta))
        found: Floats = (gained - lost - n * delta) / np.sqrt(np.maximum(variance, 1e-12))
        return found

    ends = []
    for side in (1.0, -1.0):
        inside, outside = (gained - lost) / n, np.full(len(deltas), -side)
        for _ in range(40):
            middle = (inside + outside) / 2
            holds = side * score(middle) < Z
            inside, outside = np.where(holds, middle, inside), np.where(holds, outside, middle)
        ends.append(inside)
    return ends[0], ends[1]


METHODS: dict[str, Callable[[Draw], Ends]] = {
    "estimate_paired": estimate,
    "wald": wald,
    "percentile": percentile,
    "bca": bca,
    "newcombe": newcombe,
    "tango": tango,
}
FOR_RATES = ("newcombe", "tango")
"""Methods for right and wrong in one task without clusters."""


def _resample(draw: Draw) -> Floats:
    """Macro-averaged differences of resampled clusters, (experiments, resamples): the same clusters in each row."""
    chance = np.random.default_rng(0)
    sums, sizes = _sum(draw.scores[1] - draw.scores[0], draw.cluster), np.bincount(draw.cluster)
    shares = weigh_tasks(np.bincount(draw.task))
    found = np.zeros((len(sums), RESAMPLES))
    for at, share in enumerate(shares):
        own = np.flatnonzero(_owners(draw) == at)
        times = chance.multinomial(len(own), np.full(len(own), 1 / len(own)), size=RESAMPLES).astype(float)
        found += (sums[:, own] @ times.T) / (times @ sizes[own]) * share
    return found


def _owners(draw: Draw) -> Indices:
    """Each cluster's task."""
    return draw.task[np.unique(draw.cluster, return_index=True)[1]]


def _sum(values: Floats, cluster: Indices) -> Floats:
    """Sums over clusters, whose rows stand together."""
    found: Floats = np.add.reduceat(values, np.unique(cluster, return_index=True)[1], axis=1)
    return found


def _wilson(rate: Floats, n: int) -> Ends:
    centre = (rate + Z**2 / 2 / n) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n * n))
    return centre - half, centre + half
