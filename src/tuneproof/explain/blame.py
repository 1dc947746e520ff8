"""Which training rows did most to change an answer: those whose gradients point where the answer went.

A step on a row moves the adapter against the row's gradient. If that lowers the loss of what the tuned model says and
raises the loss of what it should say, the row pushed this way. So the score of a row is the cosine of its gradient and
of (gradient of the answer given - gradient of the answer held against it), averaged over checkpoints with equal
weights: TracIn (Pruthi et al. 2020, arXiv 2002.08484) with the cosine and the Adam step of LESS (Xia et al. 2024, arXiv
2402.04333). It is a first-order hint, no proof: only training without the row would show what it did.

In: rows and answers as tokens, checkpoints. Out: scores, then ranked rows.

    scores_IR = score_rows(Sketcher(model, reading), rows, asked, places)
    blamed = rank_rows(scores_IR[0], train_rows, replay_rows, keep=20)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tuneproof.explain.cache import Sketches, load_sketches, save_sketches
from tuneproof.explain.gradient import BUCKETS, Sketcher
from tuneproof.model.chat import Encoded
from tuneproof.records import BlamedRow, Row

Scores = NDArray[np.float64]


class Trained(NamedTuple):
    """A row that was trained on."""

    id: str
    encoded: Encoded


class Asked(NamedTuple):
    """An answer to be explained; only the answer's own tokens are masked in."""

    said: Encoded
    against: Encoded | None
    """What it is held against; None: the answer alone, whatever made it likelier."""


class Place(NamedTuple):
    """A checkpoint, and where the sketches of the rows at it are kept."""

    checkpoint: Path
    cache: Path


def score_rows(
    sketcher: Sketcher,
    rows: Sequence[Trained],
    asked: Sequence[Asked],
    places: Sequence[Place],
    on_progress: Callable[[int], None] | None = None,
) -> Scores:
    """Mean cosine over the checkpoints, shape (asked, rows), -1 to 1. `on_progress` hears how many are done of
    (asked + rows) x places. Stopped in the middle, the sketches of the checkpoints that are through are kept.
    """
    scores_IR = np.zeros((len(asked), len(rows)))
    done = 0

    def count(several: int) -> None:
        nonlocal done
        done += several
        if on_progress:
            on_progress(done)

    for place in places:
        with sketcher.at_checkpoint(place.checkpoint):
            rows_RM = sketch_rows(sketcher, rows, place, count).astype(np.float32)
            for number, one in enumerate(asked):
                answer_M = sketcher.sketch_answer(one.said, one.against).cpu().numpy()
                scores_IR[number] += rows_RM @ answer_M / len(places)
                count(1)
    return scores_IR


def sketch_rows(sketcher: Sketcher, rows: Sequence[Trained], place: Place, count: Callable[[int], None]) -> Sketches:
    """The rows' sketches at the checkpoint that `sketcher` stands at: kept ones where they fit, else made and kept."""
    ids, encoded = [row.id for row in rows], [row.encoded for row in rows]
    inputs = sketcher.name_inputs(place.checkpoint, encoded)
    kept = load_sketches(place.cache, ids, inputs)
    if kept is not None:
        count(len(rows))
        return kept
    sketches = np.zeros((len(rows), BUCKETS), dtype=np.float16)
    for number, row in enumerate(encoded):
        sketches[number] = sketcher.sketch_row(row).to("cpu", torch.float16).numpy()
        count(1)
    save_sketches(place.cache, ids, inputs, sketches)
    return sketches


def rank_rows(scores_R: Scores, train: Sequence[Row], replay: Sequence[Row], keep: int) -> list[BlamedRow]:
    """The `keep` rows that pushed most, the most first; rows that pushed the other way are none. Scores are in the
    order of `train`, then `replay`.
    """
    rows = [*train, *replay]
    order = np.argsort(-scores_R, kind="stable")[:keep]
    return [
        BlamedRow(
            id=rows[at].id,
            file=rows[at].file,
            line=rows[at].line,
            task=rows[at].task,
            replay=bool(at >= len(train)),
            score=float(scores_R[at]),
            prompt=rows[at].question,
            answer=rows[at].reference,
        )
        for at in order
        if scores_R[at] > 0
    ]


def measure_spread(scores_R: Scores) -> float | None:
    """How many standard deviations the highest score lies above the mean of all; None where all are the same."""
    deviation = float(scores_R.std()) if len(scores_R) > 1 else 0.0
    return float((scores_R.max() - scores_R.mean()) / deviation) if deviation > 0 else None


def expect_spread(rows: int) -> float | None:
    """What `measure_spread` would be if the scores were noise: the highest of `rows` normal numbers (Blom 1958)."""
    return NormalDist().inv_cdf((rows - 0.375) / (rows + 0.25)) if rows > 1 else None
