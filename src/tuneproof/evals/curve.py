"""How much data: what the last doubling of the rows brought, and what the next one would likely bring.

Error falls with the rows as a power law down to a floor (Hestness et al. 2017, arXiv 1712.00409), so each doubling
brings a fixed share of what the one before it brought. Three points give that share; it is held between 0 and 1, since
a curve that still bends upwards promises nothing: then the next doubling is taken to bring what the last one did. The
intervals count the test rows (whole clusters are drawn again, for all points at once), not the luck of a training.

In: the scores of the same test items by models that were trained on more and more rows. Out: a `Forecast`.

    forecast = forecast_doubling([at_25, at_50, at_100], [180, 360, 720], groups=tasks, clusters=clusters)
    forecast.next, forecast.next_interval         # 0.031, (0.004, 0.079)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneproof.statistics import Interval, estimate_paired

POINTS = 3
DRAWS = 4_000
Floats = NDArray[np.float64]


class Forecast(NamedTuple):
    """Differences of scores (0 to 1) a doubling of the rows."""

    last: float
    """What the last doubling brought."""
    last_interval: Interval
    next: float
    """What the next one would bring."""
    next_interval: Interval

    @property
    def tells(self) -> bool:
        """Whether the last doubling can be told from chance; where it cannot, neither can the next."""
        return not self.last_interval[0] <= 0 <= self.last_interval[1]


def forecast_doubling(
    scores: Sequence[Sequence[float]],
    rows: Sequence[int],
    *,
    groups: Sequence[str],
    clusters: Sequence[str],
    level: float = 0.95,
    seed: int = 0,
) -> Forecast | None:
    """What doubling brought and would bring, macro-averaged over groups; None without items.

    `scores`: (3, items), each 0 to 1; `rows`: training rows of the 3 points, growing. The interval of the last doubling
    is that of every paired comparison here (`statistics.estimate_paired`), the next one's a percentile bootstrap over
    clusters; how often both cover the truth is simulated in tests/evals/test_curve.py.
    """
    points = np.asarray(scores, dtype=float)
    if points.shape[0] != POINTS or len(rows) != POINTS:
        raise ValueError(f"a forecast needs {POINTS} points, not {points.shape[0]}")
    if points.shape[1] == 0:
        return None
    doublings = np.diff(np.log2(np.asarray(rows, dtype=float)))
    last = estimate_paired(list(points[2] - points[1]), groups=groups, clusters=clusters, level=level)
    assert last is not None
    drawn = _extrapolate(_draw_means(points, groups, clusters, seed), doublings)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Forecast(
        last=last.mean / doublings[1],
        last_interval=(last.interval[0] / doublings[1], last.interval[1] / doublings[1]),
        next=float(_extrapolate(_average(points, groups)[None], doublings)[0]),
        next_interval=(float(low), float(high)),
    )


def _extrapolate(means: Floats, doublings: Floats) -> Floats:
    """What the next doubling brings, for each row of (draws, 3) mean scores."""
    before, last = (means[:, 1] - means[:, 0]) / doublings[0], (means[:, 2] - means[:, 1]) / doublings[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(before * last > 0, last / before, np.where(last > 0, 1.0, 0.0))
    # From the middle of one stretch to the middle of the next, in doublings.
    pace = ((doublings[1] + 1) / 2) / ((doublings[0] + doublings[1]) / 2)
    gained: Floats = np.minimum(last * np.clip(share, 0, 1) ** pace, 1 - means[:, 2])
    return gained


def _average(points: Floats, groups: Sequence[str]) -> Floats:
    """Mean score of each point, every group weighing the same."""
    task = np.unique(list(groups), return_inverse=True)[1]
    sizes = np.bincount(task)
    means: Floats = np.array([(np.bincount(task, some) / sizes).mean() for some in points])
    return means


def _draw_means(points: Floats, groups: Sequence[str], clusters: Sequence[str], seed: int) -> Floats:
    """(draws, 3) macro-averaged means of resampled clusters; a group that a draw misses is left out of it."""
    task = np.unique(list(groups), return_inverse=True)[1]
    cluster = np.unique(list(clusters), return_inverse=True)[1]
    tasks, blocks = task.max() + 1, cluster.max() + 1
    here = cluster * tasks + task
    counts = np.bincount(here, minlength=blocks * tasks).reshape(blocks, tasks)
    weights = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    sizes = (weights @ counts).astype(float)
    sizes[sizes == 0] = np.nan
    means = []
    for some in points:
        sums = np.bincount(here, some, minlength=blocks * tasks).reshape(blocks, tasks)
        means.append(np.nanmean((weights @ sums) / sizes, axis=1))
    return np.stack(means, axis=1)
