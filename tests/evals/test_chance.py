"""The foreseen chances against simulation: what they say happens about as often."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evals.test_verdict import make_answers
from tuneproof.evals.chance import Bounds, allow_net, foresee_kept, foresee_lead
from tuneproof.records import Answer
from tuneproof.statistics import mcnemar_p

BOUNDS = Bounds(net_loss=0.03, significance=0.05)


def make_probes(lost: int, gained: int, n: int) -> tuple[list[Answer], list[Answer]]:
    base = make_answers([True] * lost + [False] * gained + [True] * (n - lost - gained), "base")
    return base, make_answers([False] * lost + [True] * gained + [True] * (n - lost - gained), "tuned")


def test_what_was_not_asked_speaks_against_nothing() -> None:
    assert foresee_lead([], [], 100) == foresee_kept([], [], 200, BOUNDS) == 1.0


def test_differences_without_spread_are_taken_as_they_are() -> None:
    assert foresee_lead([0.5] * 10, ["t"] * 10, 100) > 0.999
    assert foresee_lead([0.0] * 10, ["t"] * 10, 100) < 0.3
    assert foresee_kept(*make_probes(0, 0, 50), 200, BOUNDS) == 1.0


def test_a_loss_at_the_limit_is_about_even_and_more_probes_make_it_surer() -> None:
    assert foresee_kept(*make_probes(5, 2, 100), 200, BOUNDS) == pytest.approx(0.5, abs=0.05)
    few, many = (foresee_kept(*make_probes(8 * k, 2 * k, 100 * k), 200, BOUNDS) for k in (1, 5))
    assert many < few < 0.35


@pytest.mark.parametrize(
    ("lost", "gained", "later"),
    # Of 700 and 1,600 probes it is the significance that decides, not the 3 points.
    [(0.05, 0.05, 200), (0.12, 0.1, 200), (0.2, 0.1, 200), (0.08, 0.02, 200), (0.03, 0.01, 700), (0.04, 0.02, 1600)],
)
def test_the_foreseen_share_of_kept_runs_is_what_simulation_finds(lost: float, gained: float, later: int) -> None:
    """With a flat prior on the truth a calibrated forecast averages to what happens."""
    chance = np.random.default_rng(3)
    slices, foreseen, kept = 120, [], []
    for _ in range(800):
        seen = chance.multinomial(slices, [lost, gained, 1 - lost - gained])
        foreseen.append(foresee_kept(*make_probes(int(seen[0]), int(seen[1]), slices), later, BOUNDS))
        then = chance.multinomial(later, [lost, gained, 1 - lost - gained])
        net, p_value = then[0] - then[1], mcnemar_p(int(then[0]), int(then[1]))
        kept.append(net / later <= 0.03 and not (net > 0 and p_value is not None and p_value < 0.05))
    # The truth is fixed here and not drawn, so the forecast is drawn towards one half: the order must hold, not more.
    assert abs(np.mean(foreseen) - 0.5) <= abs(np.mean(kept) - 0.5) + 0.05
    assert (np.mean(foreseen) > 0.5) == (np.mean(kept) > 0.5)


@pytest.mark.parametrize("lead", [0.02, 0.1, 0.2, 0.4])
def test_the_foreseen_chance_of_a_lead_is_what_simulation_finds(lead: float) -> None:
    chance = np.random.default_rng(4)
    foreseen, found = [], []
    for _ in range(1500):
        # Both the pilot and the verdict are drawn around the same truth.
        pilot = chance.normal(lead, 0.4, 20)
        foreseen.append(foresee_lead(pilot.tolist(), ["t"] * 20, 100))
        then = chance.normal(lead, 0.4, 100)
        found.append(then.mean() - 1.96 * then.std(ddof=1) / 10 > 0)
    assert abs(np.mean(foreseen) - 0.5) <= abs(np.mean(found) - 0.5) + 0.05


def test_a_spread_between_tasks_does_not_hide_a_lead() -> None:
    leads, tasks = [0.9, 0.8, 0.85, 0.95, 0.05, 0.1, 0.0, 0.15], ["easy"] * 4 + ["hard"] * 4
    assert foresee_lead(leads, tasks, 50) > 0.95
    assert foresee_lead(leads, ["one"] * 8, 50) < foresee_lead(leads, tasks, 50)


@pytest.mark.parametrize(("gained", "most"), [(0, 20), (3, 40), (20, 40), (20, 5)])
def test_the_net_that_is_allowed_is_the_last_one_that_is_not_significant(gained: int, most: int) -> None:
    net = allow_net(gained, most, 0.05)
    allowed, next_one = mcnemar_p(gained + net, gained), mcnemar_p(gained + net + 1, gained)
    assert allowed is None or allowed >= 0.05
    assert net == most or (next_one is not None and next_one < 0.05)
