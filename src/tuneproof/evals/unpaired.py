"""The difference of two means over different items: scores of training rows beside those of held-out ones.

In: scores with the task and duplicate cluster of each. Out: the gap and its interval.

    gap = compare_unpaired(Sample(scores, tasks, clusters), Sample(others, their_tasks, their_clusters))
    gap.mean, gap.interval
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tuneproof.statistics import Interval, arrange, normal_quantile


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
    half = normal_quantile(level) * math.sqrt(square + other_square)
    centre = padded - other_padded
    return Gap(mean, other, mean - other, (max(-1.0, centre - half), min(1.0, centre + half)))


def _summarise_sample(sample: Sample, added: float) -> tuple[float, float, float]:
    """Macro-averaged mean, the same with `added` items of score 0 and of score 1 a group, and its squared error."""
    values, group, cluster = arrange(sample.scores, sample.groups, sample.clusters)
    items = np.bincount(group)
    padded = items + 2 * added
    means = (np.bincount(group, values) + added) / padded
    weight = 1 / (len(items) * padded)
    residuals = np.bincount(cluster, weight[group] * (values - means[group]))
    error = (residuals**2).sum() + (weight**2 * added * (means**2 + (1 - means) ** 2)).sum()
    return float((np.bincount(group, values) / items).mean()), float(means.mean()), float(error)
