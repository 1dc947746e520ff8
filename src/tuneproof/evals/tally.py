"""What answers come to: one score for all of them, and what one arm answers right that the other does not.

score_answers(answers)               # 0.62: each task counts alike, but for those with a handful of answers
count_flips(base, tuned)             # Flips(lost=3, gained=5)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tuneproof.records import Answer
from tuneproof.statistics import weigh_tasks


class Flips(NamedTuple):
    """Answers that were right in one arm only."""

    lost: int
    gained: int


def score_answers(answers: Sequence[Answer]) -> float | None:
    """The macro-averaged score by task, 0 to 1; None without answers."""
    return macro_average([answer.task for answer in answers], [answer.score for answer in answers])


def macro_average(tasks: Sequence[str], scores: Sequence[float]) -> float | None:
    """Mean of the tasks' means, weighed as in the intervals (`statistics.weigh_tasks`); None without items."""
    by_task: dict[str, list[float]] = defaultdict(list)
    for task, score in zip(tasks, scores, strict=False):
        by_task[task].append(score)
    if not by_task:
        return None
    shares = weigh_tasks(np.array([len(some) for some in by_task.values()]))
    return float(sum(share * sum(some) / len(some) for share, some in zip(shares, by_task.values(), strict=True)))


def count_flips(base: Sequence[Answer], tuned: Sequence[Answer]) -> Flips:
    """Right answers lost and gained; both arms answer the same items in the same order."""
    pairs = list(zip(base, tuned, strict=True))
    lost = sum(before.right and not after.right for before, after in pairs)
    return Flips(lost, sum(after.right and not before.right for before, after in pairs))


def list_gaps(best: Sequence[Answer], other: Sequence[Answer]) -> list[float]:
    """By how much the best is ahead, item by item, on the items that both have answered."""
    by_id = {answer.id: answer.score for answer in best}
    return [by_id[answer.id] - answer.score for answer in other if answer.id in by_id]
