"""What is drawn of a choice: one figure where one tells it all."""

from __future__ import annotations

from tests.report.conftest import make_selection
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
