"""How likely is a candidate to ship? The verdict's own conditions, foreseen from the select rows and a slice of probes.

Choosing by the score alone picks what forgets; refusing by a small slice picks what has learnt nothing, since 100
probes tell a net loss to a few points only. So both are weighed: the chance that the verdict will find a lead over
base and control, times the chance that it will find no more forgotten than it allows. Normal approximations of
paired means; what is measured here and what the verdict will measure are both uncertain.

    chance = foresee_lead(leads, tasks, 100) * foresee_kept(base, tuned, 200, Bounds(0.03, 0.05))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np

from tuneproof.records import Answer
from tuneproof.statistics import estimate_paired

LEVEL = 0.95


class Bounds(NamedTuple):
    """What the verdict allows to be forgotten."""

    net_loss: float
    """Share of the probes."""
    significance: float = 0.05
    """p-value below which a net loss is one, however small: with many probes the narrower of the two."""


def foresee_lead(leads: Sequence[float], tasks: Sequence[str], later: int) -> float:
    """Chance that `later` items will show an interval above zero, given paired differences on some items, 0 to 1.

    Means and errors are over tasks, as the verdict's. Without differences nothing is known against it: 1.
    """
    now = estimate_paired(leads, groups=tasks, level=LEVEL)
    if now is None or not later:
        return 1.0
    error, then = now.deviation / math.sqrt(len(leads)), now.deviation / math.sqrt(later)
    margin = now.mean - NormalDist().inv_cdf(0.5 + LEVEL / 2) * then
    return NormalDist().cdf(margin / math.hypot(error, then))


def foresee_kept(base: Sequence[Answer], tuned: Sequence[Answer], later: int, bounds: Bounds) -> float:
    """Chance that the net loss on `later` other probes will be within the bounds, 0 to 1.

    Without probes nothing is known against it: 1.
    """
    losses = [before.right - after.right for before, after in zip(base, tuned, strict=True)]
    if not losses or not later:
        return 1.0
    net = fmean(losses)
    spread = fmean((loss - net) ** 2 for loss in losses)
    if not spread:
        return float(net <= bounds.net_loss)
    gained = round(later * losses.count(-1) / len(losses))
    most = allow_net(gained, math.floor(bounds.net_loss * later), bounds.significance)
    # Counts are whole: the verdict's limit lies half an answer above the last count that passes.
    reach = (most + 0.5) / later - net
    return NormalDist().cdf(reach / math.sqrt(spread * (1 / len(losses) + 1 / later)))


def allow_net(gained: int, most: int, significance: float) -> int:
    """The largest net loss, `most` at the most, whose `mcnemar_p` is not below `significance` where so many answers
    were gained."""
    from scipy.stats import binom

    net = np.arange(1, most + 1)
    return int((2 * binom.sf(gained + net - 1, 2 * gained + net, 0.5) >= significance).sum())
