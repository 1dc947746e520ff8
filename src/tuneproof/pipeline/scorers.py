"""The scorers that the config names, tried before anything is trained: on every reference answer, against itself.

A scorer that fails on a row fails here, in seconds, and not after an hour of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from tuneproof.errors import ConfigError, Fault
from tuneproof.evals.custom import list_custom
from tuneproof.evals.scorers import RIGHT, ScorerName
from tuneproof.evals.task import make_row_items, score_item
from tuneproof.pipeline.work import Work
from tuneproof.records import Row


def try_scorers(work: Work, rows: Sequence[Row]) -> None:
    """Check `evaluate.scorers` on the rows. Raises ConfigError for a name that is not there, ScorerError for faults."""
    named = work.config.evaluate.scorers
    tasks = sorted({row.task for row in rows})
    known = [*get_args(ScorerName), *list_custom()]
    faults = [
        Fault("scorer.no_task", where=f"evaluate.scorers.{task}", task=task, known=", ".join(tasks))
        for task in named
        if task not in tasks
    ]
    faults += [
        Fault("scorer.unknown", where=f"evaluate.scorers.{task}", name=name, known=", ".join(known))
        for task, name in named.items()
        if name not in known
    ]
    if faults:
        raise ConfigError(faults)
    chosen = [row for row in rows if row.task in named]
    items = make_row_items(chosen, scorers={}, limits={}, clusters={}, named=named)
    scores = [(item, score_item(item, item.reference)[0]) for item in items]
    for task, name in named.items():
        mine = [score for item, score in scores if item.task == task]
        low = sum(score < RIGHT for score in mine)
        if low:
            work.progress.say("scorer.strict", name=name, task=task, low=low, rows=len(mine))
