"""Rows of files with weights: which of them are used, and a split that holds out only those of the task.

Rows of a file with a weight below 1 never go to test or select, and one that is nearly a row of those is left out: it
would teach what is asked. Without `data.weights` the split is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tuneproof.config import RunConfig
from tuneproof.data.read import ReadResult
from tuneproof.data.split import check_leaks
from tuneproof.data.weigh import match_weights, weigh_rows
from tuneproof.errors import UsageError
from tuneproof.messages import tell
from tuneproof.progress import Progress
from tuneproof.records import FileWeight, Row, Split, SplitRow
from tuneproof.records.data import Side


class Mixed(NamedTuple):
    """Rows as they are used."""

    rows: Sequence[Row]
    split: Split
    weights: list[FileWeight]
    shadowed: int = 0
    """Rows for training only that are nearly a row of test or select, and left out."""


def mix_rows(
    config: RunConfig, read: ReadResult, rows: Sequence[Row], split: Callable[[Sequence[Row]], Split]
) -> Mixed:
    """The rows by their files' weights, and the split that `split` makes of those that may be held out.

    Raises UsageError for a weight of a file that is not there, and where every file is for training only.
    """
    if not config.data.weights:
        return Mixed(rows, split(rows), [])
    weights = match_weights(config.data.weights, read.origins)
    heavy, light = weigh_rows(rows, weights, config.train.seed)
    if not heavy:
        raise UsageError("data.light_weights", where="data.weights")
    made = split(heavy)
    held = [row for row in heavy if made.rows[row.id].side != "train"]
    shadows = {(leak.file, leak.line) for leak in check_leaks(light, held)} if light and held else set()
    taught = [row for row in light if (row.file, row.line) not in shadows]
    for row in taught:
        made.rows[row.id] = SplitRow(cluster=row.id, stratum=row.task, side="train")
    made.sizes["train"] += len(taught)
    made.clusters += len(taught)
    mixed = [*heavy, *taught]
    counts = [count_file(file, weight, rows, mixed, made) for file, weight in weights.items()]
    return Mixed(mixed, made, counts, len(light) - len(taught))


def list_side(rows: Sequence[Row], split: Split, side: Side) -> list[Row]:
    """The rows of one side; held-out rows count once, whatever their file's weight."""
    chosen = [row for row in rows if split.rows[row.id].side == side]
    return chosen if side == "train" else [row.model_copy(update={"copies": 1}) for row in chosen]


def count_file(file: str, weight: float, rows: Sequence[Row], mixed: Sequence[Row], split: Split) -> FileWeight:
    """What became of the rows of one file."""
    used = [row for row in mixed if row.file == file]
    seen = sum(row.copies for row in used if split.rows[row.id].side == "train")
    count = sum(row.file == file for row in rows)
    return FileWeight(file=file, weight=weight, rows=count, used=len(used), seen=seen)


def tell_weights(mixed: Mixed, progress: Progress) -> None:
    """Say how each weight works out."""
    if mixed.shadowed:
        progress.say("data.shadowed", count=mixed.shadowed)
    for one in mixed.weights:
        values = {"file": one.file, "weight": f"{one.weight:g}", "rows": one.rows, "used": one.used, "seen": one.seen}
        progress.say("data.weighted", **values, note=tell("data.for_training") if one.weight < 1 else "")
