"""What the best of several is expected to lose, held against what it does lose: many searches, simulated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tuneproof.evals.winner import expect_loss

SEARCHES = 120


def simulate(rows: int, trials: int, *, spread: float, shared: float) -> tuple[float, float]:
    """(true loss, expected loss), each the mean over searches whose trials' true scores lie `spread` about a half."""
    draw = np.random.default_rng(7)
    truth = 0.5 + spread * np.linspace(-1, 1, trials)
    real, told = [], []
    for _ in range(SEARCHES):
        # Trials find the same rows hard.
        luck = np.sqrt(shared) * draw.normal(size=rows) + np.sqrt(1 - shared) * draw.normal(size=(trials, rows))
        scores = (luck < norm.ppf(truth)[:, None]).astype(float)
        chosen = int(scores.mean(axis=1).argmax())
        loss = expect_loss(
            scores.tolist(),
            chosen=chosen,
            base=0.0,
            chances=[1.0] * trials,
            groups=["a"] * rows,
            clusters=[str(row) for row in range(rows)],
        )
        assert loss is not None
        real.append(scores[chosen].mean() - truth[chosen])
        told.append(loss)
    return float(np.mean(real)), float(np.mean(told))


@pytest.mark.parametrize(
    ("rows", "trials", "spread", "shared"), [(50, 6, 0.0, 0.6), (100, 6, 0.0, 0.0), (100, 24, 0.05, 0.6)]
)
def test_the_expected_loss_is_the_real_one(rows: int, trials: int, spread: float, shared: float) -> None:
    real, told = simulate(rows, trials, spread=spread, shared=shared)
    assert real > 0.03
    assert told == pytest.approx(real, abs=0.02)


def test_where_one_trial_is_far_ahead_little_is_lost() -> None:
    rows = 60
    scores = [[1.0 if row % 10 else 0.0 for row in range(rows)], [float(row % 10 == 0) for row in range(rows)]]
    loss = expect_loss(
        scores,
        chosen=0,
        base=0.0,
        chances=[1.0, 1.0],
        groups=["a"] * rows,
        clusters=[str(row) for row in range(rows)],
    )
    assert loss == pytest.approx(0.0, abs=0.01)


def test_a_trial_that_will_not_ship_is_not_what_is_chosen() -> None:
    rows = 40
    scores = [[float(row % 2) for row in range(rows)], [float(row % 4 > 0) for row in range(rows)]]
    ids, groups = [str(row) for row in range(rows)], ["a"] * rows
    told = [
        expect_loss(scores, chosen=0, base=0.2, chances=[1.0, chance], groups=groups, clusters=ids)
        for chance in (0.0, 1.0)
    ]
    assert told[0] == pytest.approx(0.0, abs=0.01)
    # With the other one chosen in nearly every draw, the first is worth a quarter less than what is expected.
    assert told[1] == pytest.approx(-0.25, abs=0.02)


def test_the_one_row_of_a_stray_task_does_not_decide() -> None:
    rows = 40
    same = [float(row % 2) for row in range(rows)]
    loss = expect_loss(
        [[*same, 1.0], [*same, 0.0]],
        chosen=0,
        base=0.0,
        chances=[1.0, 1.0],
        groups=["a"] * rows + ["b"],
        clusters=[str(row) for row in range(rows + 1)],
    )
    # The first is ahead by an eleventh, not by a half, and in a third of the draws the row is not there.
    assert loss == pytest.approx(0.05, abs=0.02)


def test_rows_of_one_cluster_or_none_tell_nothing() -> None:
    given = {"chosen": 0, "base": 0.0, "chances": [1.0], "groups": ["a", "a"]}
    assert expect_loss([[1.0, 0.0]], clusters=["x", "x"], **given) is None  # type: ignore[arg-type]
    assert expect_loss([[]], chosen=0, base=0.0, chances=[1.0], groups=[], clusters=[]) is None
