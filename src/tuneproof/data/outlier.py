"""Answers that stand out by the base model's own loss, in the order in which they are worth a look. Asked for only.

Two things are told by it: an answer far less likely than the others of its task (of another task, garbled, in another
language), by the modified z-score of its loss a token (Iglewicz and Hoaglin 1993: 0.6745 (x - median) / MAD above 3.5),
and an answer that its question makes no likelier (of another question): the instruction-following difficulty of Li et
al. (arXiv 2308.12032), loss with the question over loss without it, at 1 or more. Neither says that a row is wrong.

In: cases, and the losses of their answers. Out: findings of severity `info`.

    list(find_outliers(cases, [Loss(12, 30.1, 41.0), ...]))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tuneproof.data.findings import note_defect
from tuneproof.data.traits import Cases
from tuneproof.records import Finding

FEWEST_ROWS = 30
"""Rows of a task below which nothing is usual in it."""
FEWEST_TOKENS = 8
"""Shorter answers are labels and values: their loss is a matter of a token or two."""
FAR = 3.5
SCALE = 0.6745
"""The median absolute deviation of a normal distribution, in its standard deviations."""
FLAT = 0.05
"""Nats a token; answers that differ less are all alike."""


class Loss(NamedTuple):
    """What an answer costs the base model, in nats."""

    tokens: int
    asked: float
    """Behind its question."""
    alone: float
    """Behind an empty one."""


def find_outliers(cases: Cases, losses: Sequence[Loss | None]) -> Iterator[Finding]:
    """A finding for each answer that stands out. `losses`: of each case, None where it was not measured."""
    for task, places in cases.group_tasks():
        known = [(int(at), loss) for at in places if (loss := losses[at]) and loss.tokens >= FEWEST_TOKENS]
        usual, spread = describe_losses([loss for _, loss in known])
        for at, loss in known:
            each = loss.asked / loss.tokens
            if len(known) >= FEWEST_ROWS and SCALE * (each - usual) > FAR * spread:
                loss_told, usual_told = round(each, 2), round(usual, 2)
                yield note_defect(
                    cases[at], "outlier", "info", variant="unlikely", loss=loss_told, usual=usual_told, task=task
                )
            elif loss.asked >= loss.alone:
                ratio = round(loss.asked / max(loss.alone, 1e-9), 2)
                yield note_defect(cases[at], "outlier", "info", variant="unrelated", ratio=ratio)


def describe_losses(losses: Sequence[Loss]) -> tuple[float, float]:
    """Median of the losses a token, and their median absolute deviation from it."""
    if not losses:
        return 0.0, FLAT
    each = np.array([loss.asked / loss.tokens for loss in losses])
    usual = float(np.median(each))
    return usual, max(FLAT, float(np.median(np.abs(each - usual))))
