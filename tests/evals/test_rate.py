"""The learning rate: the lowest near the best that forgets little; a training that failed is never taken."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.evals.rate import Answered, choose_rate
from tuneproof.records import Answer

ROWS, PROBES = 40, 60


def make_answers(name: str, right: Sequence[bool], said: str = "") -> list[Answer]:
    return [
        Answer(
            id=f"{name}-{n}", task="t", scorer="exact", prompt="p", reference=f"the answer number {n} is here",
            answer=said or (f"the answer number {n} is here" if good else f"some other thing {n} was said"),
            score=float(good), right=good, tokens=5, finish="end",
        )
        for n, good in enumerate(right)
    ]  # fmt: skip


def answered(score: float, lost: int = 0, said: str = "", first: int = 0) -> Answered:
    """So many of the rows right, from `first` on, and so many of the 50 probes lost that the base has right."""
    rows = [first <= n < first + round(score * ROWS) for n in range(ROWS)]
    return Answered(make_answers("row", rows, said), make_answers("probe", [lost <= n < 50 for n in range(PROBES)]))


BASE = answered(0.0)


def test_the_lowest_within_one_standard_error_is_taken() -> None:
    tried = {1e-4: answered(0.5), 3e-4: answered(0.75, first=6), 9e-4: answered(0.8)}
    choice = choose_rate(tried, base=BASE, net_loss=0.03)
    assert (choice.rate, choice.reason) == (3e-4, "rate.within_error")
    assert [one.rate for one in choice.tried] == [1e-4, 3e-4, 9e-4]
    assert [one.standard_error is None for one in choice.tried] == [False, False, True]


def test_a_clear_lead_wins() -> None:
    tried = {1e-4: answered(0.2), 3e-4: answered(0.4), 9e-4: answered(0.8)}
    choice = choose_rate(tried, base=BASE, net_loss=0.03)
    assert (choice.rate, choice.reason) == (9e-4, "rate.best")


def test_what_forgets_too_much_is_passed_over() -> None:
    tried = {1e-4: answered(0.3, 1), 3e-4: answered(0.5, 1), 9e-4: answered(0.9, 8)}
    choice = choose_rate(tried, base=BASE, net_loss=0.03)
    assert choice.rate == 3e-4
    assert [one.faults for one in choice.tried] == [[], [], ["net_loss"]]
    assert (choice.tried[2].lost, choice.tried[2].gained, choice.tried[2].probes) == (8, 0, PROBES)


def test_what_degenerates_is_passed_over() -> None:
    looping = answered(0.9, said="the same " * 12)
    choice = choose_rate({1e-4: answered(0.3), 3e-4: looping}, base=BASE, net_loss=0.03)
    assert choice.rate == 1e-4
    assert choice.tried[1].faults


def test_where_none_passes_it_is_said() -> None:
    tried = {1e-4: answered(0.4, 9), 3e-4: answered(0.8, 12)}
    choice = choose_rate(tried, base=BASE, net_loss=0.03)
    assert (choice.rate, choice.reason) == (3e-4, "rate.none_passes")


def test_a_training_that_failed_is_shown_and_never_taken() -> None:
    choice = choose_rate({1e-4: answered(0.2), 3e-4: None}, base=BASE, net_loss=0.03)
    assert choice.rate == 1e-4
    assert (choice.tried[1].faults, choice.tried[1].score) == (["failed"], None)
    nothing = choose_rate({1e-4: None, 3e-4: None}, base=BASE, net_loss=0.03)
    assert (nothing.rate, nothing.reason) == (None, "rate.all_failed")


def test_without_select_rows_nothing_is_chosen() -> None:
    choice = choose_rate({1e-4: Answered([], []), 3e-4: Answered([], [])}, base=Answered([], []), net_loss=0.03)
    assert (choice.rate, choice.reason) == (None, "rate.no_rows")


def test_equal_rates_give_the_lowest() -> None:
    choice = choose_rate({3e-4: answered(0.5), 1e-4: answered(0.5)}, base=BASE, net_loss=0.03)
    assert choice.rate == 1e-4


def test_where_nothing_was_learnt_the_rate_stays() -> None:
    tried = {1e-4: answered(0.0), 3e-4: answered(0.025, 8)}
    choice = choose_rate(tried, base=BASE, net_loss=0.03)
    assert (choice.rate, choice.reason) == (None, "rate.no_gain")
    assert [one.faults for one in choice.tried] == [[], ["net_loss"]]
