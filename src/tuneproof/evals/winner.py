"""What the best of several trials is expected to lose on rows that had no part in the choice (the winner's curse).

Bootstrap bias corrected (Tsamardinos, Greasidou and Borboudakis 2018, Machine Learning 107, arXiv 1708.07180): rows are
drawn with replacement, the choice is made anew on what was drawn, and the winner is scored on what was not. The mean of
these scores is what the choice is worth; how far it lies below the winner's own score is the loss. Whole duplicate
clusters are drawn, and tasks weigh as in every score (`statistics.weigh_tasks`). tests/evals/test_winner.py holds it
within 2 points of the truth by simulation.

In: the scores of the same items by every candidate. Out: an expected loss, in points of the score (0 to 1).

    expect_loss([[1, 0, 1], [1, 1, 0]], chosen=0, base=0.0, chances=[1.0, 1.0], groups=tasks, clusters=ids)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuneproof.statistics import Floats, weigh_tasks

DRAWS = 2_000


def expect_loss(
    scores: Sequence[Sequence[float]],
    *,
    chosen: int,
    base: float,
    chances: Sequence[float],
    groups: Sequence[str],
    clusters: Sequence[str],
) -> float | None:
    """Score of the chosen candidate minus what a choice made like this is expected to score on other rows.

    `scores`: (candidates, items), each 0 to 1; `chances`: of each to ship, held fixed. The choice is the highest chance
    times gain over `base`, of equals the highest score. None with less than two clusters: none is left to score on.
    """
    points = np.asarray(scores, dtype=float)
    task = np.unique(list(groups), return_inverse=True)[1]
    cluster = np.unique(list(clusters), return_inverse=True)[1]
    if points.size == 0 or cluster.max() < 1:
        return None
    tasks, blocks = int(task.max()) + 1, int(cluster.max()) + 1
    here = cluster * tasks + task
    counts = np.bincount(here, minlength=blocks * tasks).reshape(blocks, tasks)
    sums = np.stack([np.bincount(here, some, minlength=blocks * tasks).reshape(blocks, tasks) for some in points])
    shares = weigh_tasks(np.bincount(task))
    drawn = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    inside, outside = (_average(sums, counts, shares, some) for some in (drawn, (drawn == 0).astype(int)))
    worth = np.asarray(chances, dtype=float) * np.maximum(0.0, inside - base)
    winner = np.lexsort((inside, worth), axis=1)[:, -1]
    found = outside[np.arange(DRAWS), winner]
    whole = _average(sums, counts, shares, np.ones((1, blocks), dtype=int))[0, chosen]
    return float(whole - np.nanmean(found))


def _average(sums: NDArray[np.generic], counts: NDArray[np.intp], shares: Floats, weights: NDArray[np.intp]) -> Floats:
    """(draws, candidates) macro-averaged means; a task that a draw misses is left out of it, NaN where none is left.

    `sums`, (candidates, clusters, tasks), and `counts`, (clusters, tasks), of scores; `weights`, (draws, clusters).
    """
    sizes = (weights @ counts).astype(float)
    sizes[sizes == 0] = np.nan
    means = np.stack([(weights @ some) / sizes for some in sums], axis=1)
    known = ~np.isnan(means)
    totals: Floats = np.where(known, means, 0.0) @ shares
    with np.errstate(invalid="ignore", divide="ignore"):
        averaged: Floats = totals / (known @ shares)
    return averaged
