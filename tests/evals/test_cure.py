"""What is tried and looked at: only for a real gain, the likely first, the hopeless never; and why none ships."""

from __future__ import annotations

import pytest

from tests.evals.test_verdict import judge, make_answers
from tuneproof.evals import cure
from tuneproof.evals.chance import Bounds
from tuneproof.evals.cure import (
    describe_look,
    describe_prospect,
    explain_end,
    is_curable,
    is_likely,
    list_hopeful,
    pick_last,
    pick_prospect,
    weigh_prospect,
)
from tuneproof.evals.select import Ahead, Exam, Tried
from tuneproof.records import Answer, Remedy

RIGHT, WRONG = [True] * 150 + [False] * 50, [False] * 30 + [True] * 120 + [False] * 50
ROWS = make_answers([False] * 60, "base")
PROBES = make_answers([True] * 60, "base", "probe")
EXAM = Exam(ROWS, PROBES, lambda *_: [], Ahead(Bounds(net_loss=0.03), rows=100, probes=200))


def make_prospect(scale: float, *, lead: float = 1.0, kept: float = 1.0, gain: float = 0.3) -> cure.Prospect:
    return cure.Prospect((40, scale), Tried(ROWS, PROBES, gain, [], lead, kept), gain)


def make_remedy(**facts: object) -> Remedy:
    plain = {"name": "cure-scale", "checkpoint": 40, "scale": 0.5, "chance": 0.3, "select_gain": 0.2}
    return Remedy.model_validate({**plain, **facts})


def test_only_a_shown_gain_that_forgets_or_degenerates_is_cured() -> None:
    gain = [False] * 100 + [True] * 20, [True] * 120
    assert is_curable(judge(*gain, probes=(RIGHT, WRONG)))
    assert not is_curable(judge(*gain))
    nothing = judge([False] * 100 + [True] * 20, [False] * 99 + [True] * 21, probes=(RIGHT, WRONG))
    assert (nothing.decision, is_curable(nothing)) == ("dont_ship", False)
    form = judge(*gain, probes=(RIGHT, WRONG), permuted=1.0)
    assert "beats_control" not in form.reasons
    assert not is_curable(form)


def answer(suite: list[Answer], rights: int) -> list[Answer]:
    return [
        one.model_copy(update={"right": at < rights, "score": float(at < rights), "answer": f"word{at} of reference"})
        for at, one in enumerate(suite)
    ]


def test_a_candidate_is_weighed_by_what_it_has_answered() -> None:
    whole = weigh_prospect((40, 0.5), [*answer(PROBES, 60), *answer(ROWS, 30)], EXAM)
    assert (whole.gain, whole.tried.score, whole.tried.kept) == (0.5, 0.5, 1.0)
    part = weigh_prospect((40, 0.5), [*answer(ROWS[:20], 10), *answer(PROBES[:30], 0)], EXAM)
    assert (part.gain, part.tried.probes) == (0.5, None)
    told = describe_prospect(
        make_remedy(), weigh_prospect((20, 1.0), [*answer(ROWS, 30), *answer(PROBES, 40)], EXAM), EXAM
    )
    assert (told.checkpoint, told.scale, told.probes, told.slice_lost, told.slice_gained) == (20, 1.0, 60, 20, 0)
    assert (told.learns, told.keeps, is_likely(told)) == (True, False, False)
    unasked = describe_prospect(make_remedy(), part, EXAM)
    assert (unasked.probes, unasked.slice_lost) == (0, None)


def test_the_likely_come_before_what_gains_more() -> None:
    bold, safe, weak = (
        make_prospect(0.75, kept=0.45, gain=0.8), make_prospect(0.5, kept=0.6), make_prospect(0.25, gain=0.05),
    )  # fmt: skip
    assert bold.worth > safe.worth
    assert pick_prospect([bold, safe, weak]) == safe
    assert pick_prospect([bold, weak._replace(tried=weak.tried._replace(lead=0.1))]) == bold
    assert pick_prospect([]) is None


def test_only_what_could_be_likely_is_asked_the_probes_the_best_few_first() -> None:
    def make(step: int, **facts: float) -> cure.Prospect:
        one = make_prospect(1.0, **facts)
        return one._replace(key=(step, 1.0), tried=one.tried._replace(probes=None))

    asked = {(5, 1.0): make_prospect(1.0)}
    others = {(step, 1.0): make(step, gain=step / 100) for step in (10, 20, 30)} | {(40, 1.0): make(40, lead=0.4)}
    assert list_hopeful(asked | others, 2) == [(30, 1.0), (20, 1.0)]
    assert list_hopeful(asked, 2) == []


def test_the_last_look_goes_to_what_is_worth_most_and_none_to_the_hopeless() -> None:
    poor, better, hopeless = (
        make_remedy(chance=0.1),
        make_remedy(name="cure-replay"),
        make_remedy(chance=0.04, select_gain=0.9),
    )
    assert pick_last([poor, better, hopeless]) == better
    assert pick_last([hopeless, make_remedy(select_gain=0.0), Remedy(name="cure-rate")]) is None
    assert pick_last([better, make_remedy(look=2)]) is None


def test_a_look_tells_what_was_found() -> None:
    gain = [False] * 100 + [True] * 20, [True] * 120
    seen = describe_look(make_remedy(keeps=True, learns=False), judge(*gain, probes=(RIGHT, WRONG)), 3)
    assert (seen.look, seen.decision, seen.lost, seen.keeps, seen.learns) == (3, "dont_ship", 30, False, True)
    assert describe_look(make_remedy(), judge(*gain), 2).keeps is True
    few = ([True] * 50, [True] * 50)
    assert describe_look(make_remedy(), judge(*gain, probes=few), 2).keeps is None


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([{"keeps": False, "learns": True}, {"keeps": False, "learns": False}], "cure.forgets"),
        ([{"keeps": False, "learns": True}, {"keeps": True, "learns": False}], "cure.little"),
        ([{"keeps": True, "learns": True}, {"keeps": False, "learns": True}], "cure.open"),
        ([{"keeps": None, "learns": True, "look": 2}], "cure.open"),
        ([{"keeps": False, "faults": ["seq_rep_4"]}], "cure.degenerates"),
        ([{"keeps": False, "faults": ["seq_rep_4"]}, {"keeps": False}], "cure.forgets"),
        ([{"checkpoint": None}], "cure.nothing"),
        ([{"keeps": False}, {"decision": "ship", "look": 3}], "cure.ships"),
    ],
)
def test_the_end_is_explained_by_what_each_remedy_keeps_and_learns(facts: list[dict[str, object]], reason: str) -> None:
    assert explain_end([make_remedy(**one) for one in facts]) == reason
