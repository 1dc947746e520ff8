"""The time plan: cuts in the written order, floors kept, the limit met or the miss told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.plan.budget import Halving, Speeds, Suite, Work, count_asked, list_levers, plan_time, time_stages

SPEEDS = Speeds(train=1000, generate=200, prefill=2000)
WORK = Work(
    epochs=5,
    epoch_tokens=60_000,
    epoch_steps=80,
    replay=Suite(100, 40, 40),
    test=Suite(150, 100, 40),
    retention=Suite(400, 40, 20),
    select=Suite(80, 100, 40),
    few_shot=Suite(150, 500, 40),
    checkpoints=3,
    scales=4,
    halving=Halving(look=20, finalists=4),
    tries=3,
    tried=Suite(20, 500, 40),
    beside=Suite(60, 100, 40),
    probe_slice=Suite(200, 40, 20),
    drift=Suite(40, 400, 0),
    load=10,
    report=5,
)
WANTED = sum(time_stages(SPEEDS, WORK).values())


def test_without_a_limit_nothing_is_cut() -> None:
    plan = plan_time(SPEEDS, WORK, None, 30)
    assert plan.cut == []
    assert plan.epochs == 5
    assert plan.seconds() == pytest.approx(30 + WANTED)


def test_a_wide_limit_cuts_nothing() -> None:
    assert plan_time(SPEEDS, WORK, WANTED + 31, 30).cut == []


def test_stages_add_up_from_speeds() -> None:
    parts = time_stages(SPEEDS, WORK)
    assert parts["train"] == pytest.approx(5 * 60_000 / 1000)
    probe_slice = 200 * (40 / 2000 + 20 / 200)
    answered = 12 * 20 + 4 * 60
    assert parts["select"] == pytest.approx(answered * (100 / 2000 + 40 / 200) + 7 * probe_slice)
    measured = 150 * 0.25 + 400 * (40 / 2000 + 20 / 200)
    assert parts["tuned"] == pytest.approx(measured + 60 * 0.25)
    # The control answers test rows, three tries, and the select rows that were not tried.
    shown = (150 + 3 * 20 + 60) * (500 / 2000 + 40 / 200)
    assert parts["base"] == pytest.approx(measured + probe_slice + 80 * 0.25 + shown)


def test_what_earlier_runs_have_asked_the_base_takes_it_no_time() -> None:
    parts = time_stages(SPEEDS, WORK)
    known = WORK._replace(
        test=WORK.test._replace(known=lambda rows: 1.0), probe_slice=WORK.probe_slice._replace(known=lambda rows: 0.5)
    )
    saved = 150 * 0.25 + 0.5 * 200 * (40 / 2000 + 20 / 200)
    assert time_stages(SPEEDS, known) == pytest.approx({**parts, "base": parts["base"] - saved})
    drawn = WORK._replace(replay=WORK.replay._replace(known=lambda rows: 0.75))
    assert time_stages(SPEEDS, drawn) == pytest.approx({**parts, "replay": parts["replay"] / 4})


def test_the_drift_is_read_twice_and_cut_before_the_verdict_is() -> None:
    assert time_stages(SPEEDS, WORK)["drift"] == pytest.approx(2 * 40 * 400 / 2000)
    names = [lever.name for lever in list_levers(WORK)]
    assert names.index("drift items") < names.index("retention items") < names.index("test rows")


def test_a_card_takes_as_long_for_a_few_answers_as_for_many() -> None:
    """Each candidate is asked by itself, so that 20 answers cost a batch each time."""
    card = SPEEDS._replace(together=100)
    parts = time_stages(card, WORK)
    read, new = 100 / 2000, 100 * 40 / 200
    slices = 7 * (200 * 40 / 2000 + 2 * 100 * 20 / 200)
    assert parts["select"] == pytest.approx((12 * 20 + 4 * 60) * read + (12 + 4) * new + slices)
    assert parts["train"] == time_stages(SPEEDS, WORK)["train"]


def test_an_answer_after_a_long_prompt_takes_longer() -> None:
    speeds = SPEEDS._replace(attend=1e-5)
    parts, plain = time_stages(speeds, WORK._replace(test=Suite(150, 100, 40, 500))), time_stages(SPEEDS, WORK)
    assert parts["tuned"] - plain["tuned"] == pytest.approx(150 * 40 * 500 * 1e-5)


def test_epochs_go_first_and_only_as_far_as_needed() -> None:
    plan = plan_time(SPEEDS, WORK, WANTED - 60, 0)
    assert plan.cut == ["epochs 5 -> 4"]
    assert WANTED - 60 - 0.1 * 60 < plan.seconds() <= WANTED - 60


def test_steps_that_the_user_fixed_are_not_cut() -> None:
    plan = plan_time(SPEEDS, WORK._replace(fixed=True), 0.4 * WANTED, 30)
    assert plan.epochs == 5
    assert not [cut for cut in plan.cut if cut.startswith("epochs")]
    assert plan_time(SPEEDS, WORK, 0.4 * WANTED, 30).epochs < 5


def test_few_candidates_answer_everything_and_many_only_a_first_look() -> None:
    halving = Halving(look=20, finalists=4)
    assert count_asked(1, 4, 90, halving) == (360, 4)
    assert count_asked(3, 4, 20, halving) == (240, 12)
    assert count_asked(3, 4, 90, halving) == (12 * 20 + 4 * 70, 7)
    assert count_asked(8, 1, 90, halving) == (8 * 20 + 4 * 70, 4)


def test_cuts_follow_the_written_order() -> None:
    order = [
        "epochs", "checkpoints", "few-shot tries", "scales", "select rows", "slice probes",
        "drift items", "retention items", "test rows", "few-shot rows",
    ]  # fmt: skip
    seen: list[str] = []
    for limit in range(int(WANTED), 50, -5):
        names = [" ".join(line.split()[:-3]) for line in plan_time(SPEEDS, WORK, limit, 0).cut if "limit" not in line]
        assert names == order[: len(names)]
        seen = max(seen, names, key=len)
    assert seen == order


def test_epochs_are_cut_again_before_the_last_candidate() -> None:
    at_floor = plan_time(SPEEDS, WORK, 1, 0)
    assert at_floor.epochs == 0.8
    assert at_floor.candidates == 1
    assert at_floor.select_rows == 30
    assert at_floor.cut[0] == "epochs 5 -> 0.8"
    two = plan_time(SPEEDS, WORK, at_floor.seconds() + 30, 0)
    assert (two.checkpoints, two.scales, two.slice_probes) == (1, 2, 60)
    # One candidate is chosen whatever it answers.
    assert at_floor.slice_probes == 0
    # Remedies are foreseen from the probes: without them a scale that forgets as much would look as good.
    assert plan_time(SPEEDS, WORK._replace(curable=True), 1, 0).slice_probes == 60
    assert two.epochs < 2


def test_a_limit_that_cannot_be_met_is_told() -> None:
    plan = plan_time(SPEEDS, WORK, 100, 20)
    assert plan.cut[-1] == f"limit 100 s -> {plan.seconds():.0f} s"
    assert (plan.retention_items, plan.test_rows, plan.few_shot_rows, plan.drift_items) == (300, 100, 50, 10)
    assert plan.epochs * WORK.epoch_steps >= 60
    assert "few-shot rows 150 -> 50" in plan.cut


def test_what_is_below_a_floor_stays_as_it_is() -> None:
    small = WORK._replace(epochs=1, epoch_steps=20, test=Suite(40, 100, 40), retention=Suite(150, 40, 20))
    small = small._replace(checkpoints=1, scales=1)
    plan = plan_time(SPEEDS, small, 1, 0)
    assert (plan.epochs, plan.test_rows, plan.retention_items, plan.candidates) == (1, 40, 150, 1)


@given(
    limit=st.floats(1, 2000),
    spent=st.floats(0, 300),
    epochs=st.floats(0.1, 10),
    rows=st.integers(0, 400),
    steps=st.floats(1, 400),
)
def test_the_limit_is_met_or_every_floor_is_reached(
    limit: float, spent: float, epochs: float, rows: int, steps: float
) -> None:
    work = WORK._replace(epochs=epochs, epoch_steps=steps, test=WORK.test._replace(rows=rows))
    plan = plan_time(SPEEDS, work, limit, spent)
    assert plan.test_rows >= min(100, rows)
    assert plan.retention_items >= 200
    assert plan.epochs >= min(epochs, 2, math.ceil(600 / steps) / 10) - 1e-9
    if plan.seconds() > limit + 1e-6:
        assert plan.cut[-1].startswith("limit ")
        at_floor = {lever.name: lever.floor for lever in list_levers(work)}
        assert (plan.checkpoints, plan.scales) == (at_floor["checkpoints"], at_floor["scales"])
        assert plan.select_rows == at_floor["select rows"]
        assert plan.epochs == min(epochs, at_floor["epochs"])
    else:
        assert not any(line.startswith("limit ") for line in plan.cut)
