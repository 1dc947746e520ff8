"""What to do next: what the reasons of a verdict ask for, and nothing that was done already."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.messages import load_catalogue
from tuneproof.records import Cure, Plan, Remedy, RunRecord, Trials, Verdict
from tuneproof.report.advice import MANY, Known, advise
from tuneproof.rundir import RunDir


def advise_on(
    run: RunDir, decision: str, *reasons: str, trials: Trials | None = None, cut: str = "", **changes: Any
) -> list[str]:
    """Keys of the advice, and what to type."""
    plan = run.load(Plan)
    assert plan.time is not None
    plan.time.cut = [cut] if cut else []
    verdict = run.load(Verdict).model_copy(update={"decision": decision, "reasons": list(reasons), **changes})
    english = {text.split("{")[0]: key for key, (text, _) in load_catalogue().items() if "report.advice." in key}
    told = []
    for one in advise(verdict, Known(run.load(RunRecord), plan, trials), "my runs/first", "en"):
        key = next(key for start, key in english.items() if one.text.startswith(start))
        told += [key.removeprefix("report.advice."), *one.commands]
    return told


def test_what_ships_is_tried_and_used(complete: RunDir) -> None:
    told = advise_on(complete, "ship", "gain_real", "beats_control", "loss_small")
    assert told[:2] == ["try", "tuneproof chat 'my runs/first'"]
    assert told[2:] == ["use", "tuneproof serve 'my runs/first'", "tuneproof export 'my runs/first' --to gguf"]


def test_what_forgets_is_blamed_and_cured(complete: RunDir) -> None:
    told = advise_on(complete, "dont_ship", "gain_real", "beats_control", "loss_large")
    assert told[:3] == ["blame", "tuneproof blame 'my runs/first' lost", "cure"]
    assert told[3].endswith(" --cure")


def test_remedies_that_were_tried_are_not_advised_again(complete: RunDir) -> None:
    trials = Trials.model_construct(cure=Cure.model_construct(first=Remedy.model_construct(name="first"), remedies=[]))
    told = advise_on(complete, "dont_ship", "gain_real", "beats_control", "loss_large", trials=trials)
    assert told == ["blame", "tuneproof blame 'my runs/first' lost", "cured"]


def test_a_cure_is_not_advised_without_a_gain_that_it_could_save(complete: RunDir) -> None:
    assert advise_on(complete, "dont_ship", "gain_real", "not_beats_control", "degenerate") == ["rows", "prompt"]


@pytest.mark.parametrize(("factor", "told"), [(2, ["test"]), (MANY + 1, ["tiny", "rows"])])
def test_rows_are_asked_for_where_one_could_collect_them(complete: RunDir, factor: int, told: list[str]) -> None:
    needed = factor * complete.load(Verdict).task.n
    assert advise_on(complete, "not_enough_evidence", "gain_unclear", rows_needed=needed) == told


def test_every_reason_against_shipping_is_followed_by_advice(complete: RunDir) -> None:
    reasons = {key.removeprefix("verdict.reason.") for key in load_catalogue() if key.startswith("verdict.reason.")}
    alone = {"gain_real", "beats_control", "loss_small", "test_small", "few_clusters"}
    silent = {one for one in reasons if not advise_on(complete, "dont_ship", "gain_real", "beats_control", one)}
    assert silent == alone


@pytest.mark.parametrize(("cut", "told"), [("retention items 369 -> 200", True), ("test rows 136 -> 100", False)])
def test_a_time_limit_that_left_the_verdict_open_is_named(complete: RunDir, cut: str, told: bool) -> None:
    assert ("time" in advise_on(complete, "not_enough_evidence", "too_few_base_right", cut=cut)) is told
