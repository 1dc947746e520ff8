"""What is drawn of a choice: one figure where one tells it all."""

from __future__ import annotations

from tests.report.conftest import make_selection
from tuneproof.report.headlines import tell_loss
from tuneproof.report.plots import plot_selection, plot_trade


def test_a_choice_among_checkpoints_is_drawn_by_step() -> None:
    assert plot_selection(make_selection(), "en")


def test_one_checkpoint_is_drawn_over_its_scales_alone() -> None:
    selection = make_selection()
    selection.candidates = [one for one in selection.candidates if one.checkpoint == 60]
    assert plot_selection(selection, "en") is None
    assert plot_trade(selection, "en")


def test_a_single_candidate_is_still_drawn() -> None:
    selection = make_selection()
    selection.candidates = selection.candidates[:1]
    assert plot_selection(selection, "en")
    assert plot_trade(selection, "en") is None


def test_one_noisy_step_does_not_turn_the_headline() -> None:
    losses = [(step, 2.0 - 0.01 * step) for step in range(1, 101)]
    losses[-1] = (100, 2.5)
    assert tell_loss(losses, "en") == "Training loss fell from 1.945 to 1.195 in 100 steps."
