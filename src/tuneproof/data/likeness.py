"""How well one side of the split stands for another: strata, lengths, and whether a classifier can tell them apart.

The classifier is a logistic regression on simple features of a row; its area under the curve (AUC) comes from rows that
it was not fitted to. Two samples of one source give 0.5, and by chance what `chance_range` says (the two-sample
classifier test of Lopez-Paz and Oquab, arXiv 1610.06545).

    compare_sides(test_rows, train_rows, {"a/en/text": (0.3, 0.28)}).auc
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tuneproof.data.language import count_han
from tuneproof.data.parse import read_value
from tuneproof.data.store import list_ids
from tuneproof.records import Likeness, Row

Matrix = npt.NDArray[np.float64]
LARGEST = 4_000
"""Rows of a side that are looked at; AUC and distance of so many are known to a point."""
FEWEST = 20
"""Rows of a side below which nothing can be told."""
FOLDS = 5
RIDGE = 1.0
STEPS = 25
DIGIT, MARK = re.compile(r"\d"), re.compile(r"[^\w\s]")


def compare_sides(side: Sequence[Row], train: Sequence[Row], shares: Mapping[str, tuple[float, float]]) -> Likeness:
    """The likeness of a side and train. `shares`: stratum -> (its share of the side, its share of train), 0 to 1."""
    stratum = max(shares, key=lambda name: abs(shares[name][0] - shares[name][1]))
    first, second = pick_rows(side), pick_rows(train)
    auc = measure_auc(first, second) if min(len(first), len(second)) >= FEWEST else None
    return Likeness(
        largest_gap=abs(shares[stratum][0] - shares[stratum][1]),
        stratum=stratum,
        length_distance=measure_distance([measure_row(row) for row in first], [measure_row(row) for row in second]),
        auc=auc,
        chance=chance_range(len(first), len(second)),
    )


def pick_rows(rows: Sequence[Row]) -> list[Row]:
    """At most the rows that are looked at, the same ones in any order of the file: ids are hashes."""
    ids = list_ids(rows)
    return [rows[at] for at in sorted(range(len(ids)), key=ids.__getitem__)[:LARGEST]]


def measure_row(row: Row) -> int:
    """Characters of all turns."""
    return sum(len(message.content) for message in row.messages)


def measure_distance(first: Sequence[int], second: Sequence[int]) -> float:
    """Kolmogorov-Smirnov distance of two samples: the largest difference of their cumulative shares, 0 to 1."""
    values = np.unique([*first, *second])
    shares = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def chance_range(first: int, second: int) -> tuple[float, float]:
    """Where the AUC of two samples of one source lies 95 times in 100 (variance of the Mann-Whitney statistic)."""
    error = 1.96 * math.sqrt((first + second + 1) / (12 * first * second))
    return max(0.0, 0.5 - error), min(1.0, 0.5 + error)


def measure_auc(first: Sequence[Row], second: Sequence[Row]) -> float:
    """AUC (0 to 1) of a classifier that tells rows of `first` from rows of `second`, on rows it was not fitted to."""
    features = list_features([*first, *second])
    labels = np.repeat([1.0, 0.0], [len(first), len(second)])
    # Every fold has its part of both, whatever the order of the rows.
    folds = np.concatenate([np.arange(len(first)) % FOLDS, np.arange(len(second)) % FOLDS])
    areas = []
    for fold in range(FOLDS):
        held = folds == fold
        weights = fit_logistic(features[~held], labels[~held])
        areas.append(rank_area(features[held] @ weights, labels[held] == 1))
    return float(np.mean(areas))


def list_features(rows: Sequence[Row]) -> Matrix:
    """Rows x features, each with mean 0 and deviation 1, and a column of ones: lengths, signs, scripts, tasks."""
    names = sorted({row.task for row in rows})[:20]
    table = []
    for row in rows:
        question, answer = row.question, row.reference
        sizes = [math.log1p(len(question)), math.log1p(len(answer)), len(row.messages)]
        signs = [
            len(pattern.findall(text)) / max(1, len(text)) for text in (question, answer) for pattern in (DIGIT, MARK)
        ]
        scripts = [count_han(text) / max(1, len(text)) for text in (question, answer)]
        kinds = [answer.count("\n"), read_value(answer) is not None, *(row.task == name for name in names)]
        table.append([*sizes, *signs, *scripts, *kinds])
    matrix = np.array(table, dtype=np.float64)
    deviation = matrix.std(axis=0)
    varied = (matrix[:, deviation > 0] - matrix.mean(axis=0)[deviation > 0]) / deviation[deviation > 0]
    return np.column_stack([varied, np.ones(len(rows))])


def fit_logistic(features: Matrix, labels: Matrix) -> Matrix:
    """The weights of a ridge logistic regression, by Newton's method."""
    weights = np.zeros(features.shape[1])
    penalty = RIDGE * np.eye(features.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (chance - labels) + RIDGE * weights
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + penalty
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def rank_area(scores: Matrix, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the curve: how often a positive row scores above another, ties counted half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ups, downs = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))
