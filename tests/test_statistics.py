"""The statistics, held against exact calculations and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, t

from tuneproof.statistics import (
    compare_paired,
    detectable_effect,
    estimate_paired,
    mcnemar_p,
    needed_items,
    net_loss_upper,
    paired_error,
    wilson_interval,
)


@pytest.mark.parametrize(("right", "n"), [(0, 20), (7, 50), (50, 50), (199, 200)])
def test_wilson_interval_equals_scipys(right: int, n: int) -> None:
    found = wilson_interval(right, n)
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert found == pytest.approx((expected.low, expected.high))


def test_nothing_measured_is_none() -> None:
    assert wilson_interval(0, 0) is None
    assert compare_paired([]) is None
    assert mcnemar_p(0, 0) is None
    assert detectable_effect(0) is None
    assert net_loss_upper(0, 0, 0) is None
    assert paired_error([1.0]) is None


def test_fewer_than_six_discordant_pairs_never_reach_five_percent() -> None:
    five, six = mcnemar_p(5, 0), mcnemar_p(6, 0)
    assert five is not None
    assert six is not None
    assert five > 0.05 > six


@pytest.mark.parametrize(("gain", "loss"), [(0.02, 0.02), (0.02, 0.0), (0.3, 0.1), (0.05, 0.0), (0.5, 0.0)])
@pytest.mark.parametrize("n", [50, 150])
def test_intervals_cover_the_truth(gain: float, loss: float, n: int) -> None:
    chance = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        draw = chance.random(n)
        found = compare_paired(list(np.where(draw < gain, 1.0, np.where(draw < gain + loss, -1.0, 0.0))))
        assert found is not None
        covered += found.interval[0] <= gain - loss <= found.interval[1]
    # Two standard errors of a coverage of 95 % over 400 draws.
    assert covered / 400 >= 0.928


def test_intervals_cover_the_truth_when_rows_are_clustered() -> None:
    chance = np.random.default_rng(3)
    covered, naive = 0, 0
    for _ in range(300):
        effects = chance.random(40)
        deltas = [float(chance.random() < effect) for effect in effects for _ in range(5)]
        clusters = [str(cluster) for cluster in range(40) for _ in range(5)]
        for kind in (clusters, None):
            found = compare_paired(deltas, clusters=kind)
            assert found is not None
            hit = found.interval[0] <= 0.5 <= found.interval[1]
            covered, naive = (covered + hit, naive) if kind else (covered, naive + hit)
    assert covered / 300 >= 0.92
    assert naive / 300 < 0.9, "the test needs data on which ignoring clusters fails"


def test_intervals_cover_the_truth_where_a_handful_of_clusters_carries_all() -> None:
    """50 rows in 30 clusters whose rows score alike; six of them, more or less, change by a part of the score."""
    chance = np.random.default_rng(11)
    sizes = np.repeat([1, 2, 3, 4, 5], [20, 4, 3, 2, 1])
    names = [str(at) for at, size in enumerate(sizes) for _ in range(size)]
    covered = 0
    for _ in range(2_000):
        changes = np.where(chance.random(30) < 0.2, 0.1 + 0.1 * chance.standard_normal(30), 0.0)
        found = estimate_paired(np.repeat(changes, sizes).tolist(), clusters=names)
        assert found is not None
        covered += found.interval[0] <= 0.02 <= found.interval[1]
    # With the degrees of freedom of 30 clusters it is 93.6 %.
    assert covered / 2_000 >= 0.945


def test_equal_differences_do_not_make_a_zero_interval() -> None:
    found = compare_paired([0.0] * 100)
    assert found is not None
    assert found.mean == 0
    assert found.p_value == 1
    assert -0.04 < found.interval[0] < -0.01 < 0.01 < found.interval[1] < 0.04


@pytest.mark.parametrize(("gained", "lost", "n"), [(6, 0, 100), (0, 3, 200), (5, 5, 100), (20, 4, 150)])
def test_an_interval_is_the_one_calculated_from_the_counts(gained: int, lost: int, n: int) -> None:
    """Right and wrong, every row for itself: Bonett & Price's interval with Johnson's skew, from three counts."""
    added = (1 + ((gained - lost) / (gained + lost)) ** 2) / 2
    rows = n + 2 * added
    mean = (gained - lost) / rows
    variance = (gained + lost + 2 * added) / rows - mean**2
    third = (gained * (1 - mean) ** 3 - lost * (1 + mean) ** 3 - (n - gained - lost) * mean**3) / rows
    moved = mean + (1 + 2 * 1.96**2) / 12 * third / variance / rows
    half = t.ppf(0.975, rows - 1) * (variance / (rows - 1)) ** 0.5

    found = estimate_paired([1.0] * gained + [-1.0] * lost + [0.0] * (n - gained - lost))
    assert found is not None
    # To a hundredth of a point: the third moment is corrected for the rows' number as the second is.
    assert found.interval == pytest.approx((moved - half, moved + half), abs=1e-4)


def test_gains_and_losses_are_measured_alike() -> None:
    chance = np.random.default_rng(5)
    deltas = [float(value) for value in chance.choice([-0.5, 0.0, 0.25, 1.0], size=90)]
    groups, clusters = [str(at % 3) for at in range(90)], [str(at // 2) for at in range(90)]
    gained = estimate_paired(deltas, groups=groups, clusters=clusters)
    lost = estimate_paired([-delta for delta in deltas], groups=groups, clusters=clusters)
    assert gained is not None
    assert lost is not None
    assert lost.interval == pytest.approx((-gained.interval[1], -gained.interval[0]))


def test_tasks_weigh_the_same() -> None:
    found = compare_paired([1.0] * 90 + [0.0] * 10, groups=["large"] * 90 + ["small"] * 10)
    assert found is not None
    assert found.mean == pytest.approx(0.5)


def test_the_one_row_of_a_stray_task_does_not_hide_the_gain_of_all_others() -> None:
    found = compare_paired([1.0] * 110 + [0.0] * 9 + [0.0], groups=["main"] * 119 + ["stray"])
    assert found is not None
    assert found.mean == pytest.approx(10 / 11 * 110 / 119)
    assert found.interval[0] > 0.5
    assert found.p_value < 0.001


def test_false_alarms_are_rare_under_the_null() -> None:
    chance = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        found = compare_paired(list(chance.choice([-1.0, 0.0, 1.0], size=100, p=[0.15, 0.7, 0.15])))
        assert found is not None
        alarms += found.interval[0] > 0
    assert alarms / 400 <= 0.04


def test_detectable_effect_agrees_with_the_exact_calculation() -> None:
    # Gain 20 %, lose 10 % needs 250 items at 80 % power (exact McNemar; docs/evidence.md, rule 18).
    assert detectable_effect(250, discordant=0.3) == pytest.approx(0.1, abs=0.01)


def test_needed_items_grow_with_the_square_of_the_effect() -> None:
    large = compare_paired([1.0] * 30 + [-1.0] * 10 + [0.0] * 60)
    small = compare_paired([1.0] * 25 + [-1.0] * 15 + [0.0] * 60)
    assert large is not None
    assert small is not None
    few, many = needed_items(large), needed_items(small)
    assert few is not None
    assert many is not None
    assert 3 < many / few < 5


def test_net_loss_bound_is_above_the_estimate() -> None:
    bound = net_loss_upper(5, 2, 240)
    assert bound is not None
    assert 3 / 240 < bound < 0.05
