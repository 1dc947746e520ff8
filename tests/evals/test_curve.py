"""What doubling the rows brings: exact without noise, and with it intervals that cover the truth."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from tuneproof.evals import curve
from tuneproof.evals.curve import Forecast, forecast_doubling

ROWS = [200, 400, 800]
Scores = NDArray[np.float64]


def forecast(
    scores: Scores | list[list[float]], rows: list[int] = ROWS, per_cluster: int = 1, seed: int = 0
) -> Forecast:
    n = len(scores[0])
    told = forecast_doubling(
        [list(some) for some in scores],
        rows,
        groups=["a", "b"] * (n // 2),
        clusters=[str(item // per_cluster) for item in range(n)],
        seed=seed,
    )
    assert told is not None
    return told


def draw_scores(rates: list[float], items: int, per_cluster: int, seed: int) -> Scores:
    """Right or wrong answers of three models to the same items: easy items are easy for all, so are clusters."""
    rng = np.random.default_rng(seed)
    easy = np.repeat(rng.standard_normal(items // per_cluster), per_cluster)
    luck = rng.standard_normal((len(rates), items))
    bars = np.array([[NormalDist().inv_cdf(rate)] for rate in rates])
    right: Scores = (0.6**0.5 * easy + 0.4**0.5 * luck < bars).astype(float)
    return right


def test_a_power_law_is_gone_on_exactly() -> None:
    truth = [0.8 - 0.3 * (rows / 200) ** -0.7 for rows in (*ROWS, 1600)]
    told = forecast([[rate] * 200 for rate in truth[:3]])
    assert told.last == pytest.approx(truth[2] - truth[1])
    assert told.next == pytest.approx(truth[3] - truth[2])


def test_unequal_steps_count_by_doublings() -> None:
    rows = [210, 390, 810]
    truth = [0.8 - 0.3 * (count / 200) ** -0.7 for count in (*rows, 1620)]
    told = forecast([[rate] * 200 for rate in truth[:3]], rows)
    assert told.next == pytest.approx(truth[3] - truth[2], abs=0.004)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([0.1, 0.2, 0.5], 0.3),  # still bending upwards: no more than the last doubling brought
        ([0.4, 0.3, 0.4], 0.1),  # a dip
        ([0.2, 0.5, 0.5], 0.0),  # flat
        ([0.2, 0.5, 0.4], 0.0),  # it fell: not taken for a trend
        ([0.4, 0.7, 0.95], 0.05),  # nothing is above right
    ],
)
def test_curves_that_are_no_power_law_promise_little(rates: list[float], expected: float) -> None:
    assert forecast([[rate] * 100 for rate in rates]).next == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ceiling", "gap", "power", "per_cluster"),
    [(0.8, 0.15, 0.5, 1), (0.9, 0.12, 1.0, 1), (0.6, 0.0, 0.5, 1), (0.8, 0.15, 0.5, 4)],
)
def test_both_intervals_cover_the_truth(
    ceiling: float, gap: float, power: float, per_cluster: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "DRAWS", 400)
    truth = [ceiling - gap * (rows / 800) ** -power for rows in (*ROWS, 1600)]
    last, following, tells = 0, 0, 0
    for seed in range(120):
        told = forecast(draw_scores(truth[:3], 120, per_cluster, seed), per_cluster=per_cluster, seed=seed)
        last += told.last_interval[0] <= truth[2] - truth[1] <= told.last_interval[1]
        following += told.next_interval[0] - 1e-9 <= truth[3] - truth[2] <= told.next_interval[1] + 1e-9
        tells += told.tells
    assert last >= 0.9 * 120
    assert following >= 0.88 * 120
    if gap == 0:
        assert tells <= 0.1 * 120


def test_what_cannot_be_told_is_not() -> None:
    assert not forecast(draw_scores([0.5, 0.51, 0.52], 100, 1, 1)).tells
    assert forecast(draw_scores([0.2, 0.4, 0.8], 100, 1, 1)).tells


def test_nothing_measured_is_none_and_two_points_are_no_curve() -> None:
    assert forecast_doubling([[], [], []], ROWS, groups=[], clusters=[]) is None
    with pytest.raises(ValueError, match="3 points"):
        forecast_doubling([[1.0], [1.0]], [1, 2], groups=["a"], clusters=["a"])


def test_the_same_answers_give_the_same_forecast() -> None:
    scores = draw_scores([0.3, 0.5, 0.6], 60, 1, 5)
    assert forecast(scores) == forecast(scores)
