"""How alike two sides are: told by chance where they are, told for certain where they are not."""

from __future__ import annotations

import random

import pytest

from tests.data.rows import make_row
from tests.data.test_split import make_rows, split
from tuneproof.data.likeness import chance_range, compare_sides, measure_auc, rank_area
from tuneproof.data.split import compare_own


def test_rows_of_one_source_cannot_be_told_apart() -> None:
    rows = make_rows(600, seed=4)
    random.Random(0).shuffle(rows)
    auc = measure_auc(rows[:150], rows[150:])
    low, high = chance_range(150, 450)
    assert 0.4 < auc < high
    assert (round(low, 2), round(high, 2)) == (0.45, 0.55)


def test_rows_of_another_kind_are_told_apart() -> None:
    rows = [row for row in make_rows(400) if row.task != "sum"]
    sums = [make_row(f"What is {number} + {number + 1}?", str(2 * number + 1), number) for number in range(60)]
    assert measure_auc(sums, rows) > 0.99


def test_the_area_is_that_of_mann_and_whitney() -> None:
    import numpy as np
    from scipy.stats import mannwhitneyu

    generator = random.Random(2)
    scores = np.array([generator.randint(0, 9) for _ in range(80)], dtype=float)
    positive = np.arange(80) < 30
    told = mannwhitneyu(scores[positive], scores[~positive]).statistic / (30 * 50)
    assert rank_area(scores, positive) == pytest.approx(told)


def test_both_sides_are_held_against_train() -> None:
    made = split(make_rows(1000))
    assert made.likeness.keys() == {"select", "test"}
    for like in made.likeness.values():
        assert like.largest_gap < 0.05
        assert like.auc is not None
        assert 0.35 < like.auc < 0.65
        assert like.stratum in made.strata
    assert made.largest_stratum_gap == made.likeness["test"].largest_gap


def test_a_test_file_of_ones_own_is_held_against_train_too() -> None:
    train, test = make_rows(300), [row for row in make_rows(200, seed=9) if row.task == "sum"]
    like = compare_own(test, train)
    assert like is not None
    assert like.largest_gap > 0.2
    assert like.auc is not None
    assert like.auc > 0.8
    assert compare_own([], train) is None


def test_too_few_rows_tell_nothing() -> None:
    rows = make_rows(40)
    assert compare_sides(rows[:10], rows[10:], {"all": (1.0, 1.0)}).auc is None
