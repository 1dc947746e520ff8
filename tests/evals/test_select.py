"""The choice: a first look, then everything; earliest and weakest within one standard error; gates before scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.evals.test_verdict import make_answers
from tuneproof.evals.chance import Bounds
from tuneproof.evals.select import Ahead, Exam, choose_candidate
from tuneproof.records import Answer, Selection

ROWS = make_answers([False] * 60, "base")
PROBES = [
    answer.model_copy(update={"id": f"probe {at}"})
    for at, answer in enumerate(make_answers([True] * 40 + [False] * 20, "base"))
]
AHEAD = Ahead(Bounds(net_loss=0.03), rows=100, probes=200)
Key = tuple[int, float]


class Model:
    """Candidates that answer so many rows right, and lose so many of the 40 base-right probes."""

    def __init__(self, right: Callable[[Key], int], lost: Callable[[Key], int] = lambda key: 0) -> None:
        self.right, self.lost = right, lost
        self.asked: list[tuple[Key, str, int]] = []

    def ask(self, step: int, scale: float, asked: Sequence[Answer]) -> list[Answer]:
        key, suite = (step, scale), "probes" if asked and asked[0].id.startswith("probe") else "rows"
        self.asked.append((key, suite, len(asked)))
        rights = self.right(key) if suite == "rows" else 40 - self.lost(key)
        everything = PROBES if suite == "probes" else ROWS
        # Every n-th is right, so that a first look sees the same share.
        right = {one.id for at, one in enumerate(everything) if at * rights // 60 != (at + 1) * rights // 60}
        if suite == "probes":
            right = {one.id for one in PROBES[:rights]}
        return [
            one.model_copy(
                update={"right": one.id in right, "score": float(one.id in right), "answer": f"says {one.id}"}
            )
            for one in asked
        ]


def choose(model: Model, steps: Sequence[int], scales: Sequence[float], losses: Mapping[int, float] = {}) -> Selection:
    return choose_candidate(steps, scales, Exam(ROWS, PROBES, model.ask, AHEAD), losses)


def test_the_earliest_checkpoint_within_one_error_is_chosen() -> None:
    scores = {20: 30, 40: 49, 60: 50}
    chosen = choose(Model(lambda key: scores[key[0]]), [20, 40, 60], [1.0], {20: 1.0, 40: 0.5})
    assert (chosen.checkpoint, chosen.scale, chosen.reason) == (40, 1.0, "select.within_error")
    assert [(one.checkpoint, one.train_loss) for one in chosen.candidates] == [(20, 1.0), (40, 0.5), (60, None)]


def test_the_smallest_scale_that_costs_nothing_is_chosen() -> None:
    scores = {1.0: 50, 0.75: 50, 0.5: 20}
    chosen = choose(Model(lambda key: scores[key[1]]), [40], [1.0, 0.75, 0.5])
    assert (chosen.checkpoint, chosen.scale) == (40, 0.75)


def test_few_candidates_are_asked_everything_at_once() -> None:
    model = Model(lambda key: 30)
    choose(model, [20], [1.0, 0.5])
    assert model.asked == [
        ((20, 0.5), "rows", 60), ((20, 0.5), "probes", 60), ((20, 1.0), "rows", 60), ((20, 1.0), "probes", 60),
    ]  # fmt: skip


def test_many_candidates_have_a_first_look_and_the_best_four_go_on() -> None:
    model = Model(lambda key: int(key[0] * key[1]))
    chosen = choose(model, [20, 40, 60], [1.0, 0.75, 0.5, 0.25])
    looked = [key for key, suite, count in model.asked if (suite, count) == ("rows", 20)]
    assert len(looked) == len(set(looked)) == 12
    whole = {key for key, suite, count in model.asked if (suite, count) == ("rows", 40)}
    assert whole == {(60, 1.0), (60, 0.75), (40, 1.0), (40, 0.75)}
    assert (chosen.checkpoint, chosen.scale) == (60, 1.0)
    assert {(one.checkpoint, one.scale): one.n for one in chosen.candidates}[60, 0.25] == 20


def test_the_curve_of_the_chosen_checkpoint_is_whole() -> None:
    chosen = choose(Model(lambda key: int(key[0] * key[1])), [20, 40, 60], [1.0, 0.75, 0.5, 0.25])
    curve = {one.scale: one.retention for one in chosen.candidates if one.checkpoint == 60}
    assert set(curve) == {1.0, 0.75, 0.5, 0.25}
    assert all(kept == 1.0 for kept in curve.values())


def test_where_no_finalist_passes_weaker_scales_are_tried_and_no_more_than_needed() -> None:
    scores = {1.0: 50, 0.75: 48, 0.5: 30, 0.25: 10}
    lost = {1.0: 12, 0.75: 9, 0.5: 1, 0.25: 0}
    # Two checkpoints at 1 and 0.75 are the finalists.
    model = Model(lambda key: scores[key[1]] - (key[0] == 20), lambda key: lost[key[1]])
    chosen = choose(model, [20, 40], [1.0, 0.75, 0.5, 0.25])
    assert (chosen.checkpoint, chosen.scale, chosen.reason) == (40, 0.5, "select.likelier")
    assert ((40, 0.25), "rows", 40) not in model.asked


def test_a_degenerate_candidate_is_passed_over() -> None:
    class Parrot(Model):
        def ask(self, step: int, scale: float, asked: Sequence[Answer]) -> list[Answer]:
            said = super().ask(step, scale, asked)
            loops = {"answer": "round and round and round it goes " * 5, "finish": "length"}
            return [one.model_copy(update=loops) for one in said] if step == 20 else said

    chosen = choose(Parrot(lambda key: 50 if key[0] == 20 else 40), [20, 40], [1.0])
    assert chosen.checkpoint == 40
    assert chosen.candidates[0].degeneration
    assert not chosen.candidates[1].degeneration


def choose_by_probes(lost: dict[float, int]) -> Selection:
    """Scales with equal scores from 0.75 on, and so many of 40 base-right probes lost at each."""
    scores = {1.0: 50, 0.75: 50, 0.5: 44, 0.25: 20}
    return choose(Model(lambda key: scores[key[1]], lambda key: lost[key[1]]), [20], sorted(lost))


def test_what_forgets_too_much_is_passed_over() -> None:
    chosen = choose_by_probes({1.0: 12, 0.75: 6, 0.5: 1, 0.25: 0})
    assert (chosen.scale, chosen.reason) == (0.5, "select.likelier")
    assert {one.scale: (one.lost, one.retention) for one in chosen.candidates} == {
        1.0: (12, 0.7),
        0.75: (6, 0.85),
        0.5: (1, 0.975),
        0.25: (0, 1.0),
    }


def test_what_is_gained_where_the_base_is_too_weak_makes_up_for_no_loss() -> None:
    weak = [answer.model_copy(update={"task": "weak", "right": False}) for answer in PROBES[40:]]
    probes = [*PROBES[:40], *weak]
    gained = [answer.model_copy(update={"right": at >= 6}) for at, answer in enumerate(probes)]
    rows = [row.model_copy(update={"right": True, "score": 1.0}) for row in ROWS]
    chances = []
    for families in ((), {weak[0].family}):
        exam = Exam(
            ROWS,
            probes,
            lambda *asked: gained if asked[2][0].id.startswith("probe") else rows,
            AHEAD._replace(weak=families),
        )
        (candidate,) = choose_candidate([20], [1.0], exam, {}).candidates
        assert (candidate.lost, candidate.gained) == (6, 20)
        assert candidate.chance is not None
        chances.append(candidate.chance)
    assert chances[0] > 0.99
    assert chances[1] < 0.05


def test_what_does_not_beat_the_control_is_passed_over_even_where_it_forgets_nothing() -> None:
    scores = {1.0: 50, 0.5: 30}
    model = Model(lambda key: scores[key[1]], lambda key: 2 if key[1] == 1.0 else 0)
    shown = [row.model_copy(update={"score": float(at % 2), "right": at % 2 == 1}) for at, row in enumerate(ROWS[:20])]
    with_control = choose_candidate([20], [1.0, 0.5], Exam(ROWS, PROBES, model.ask, AHEAD, shown), {})
    assert with_control.scale == 1.0
    assert choose(model, [20], [1.0, 0.5]).scale == 0.5
    chances = {one.scale: one.chance for one in with_control.candidates}
    assert chances[0.5] is not None
    assert chances[1.0] is not None
    assert chances[0.5] < 0.25 < chances[1.0]


def test_where_all_forget_too_much_the_score_decides_and_it_is_said() -> None:
    chosen = choose_by_probes({1.0: 12, 0.75: 9, 0.5: 8, 0.25: 7})
    assert (chosen.scale, chosen.reason) == (0.75, "select.unlikely")


def test_where_none_is_likely_to_ship_the_likeliest_is_chosen_whatever_another_gains() -> None:
    """The demo's rows in four passes: 83 % right at full scale and 47 at half, which forgets less."""
    scores, lost = {1.0: 50, 0.5: 20, 0.25: 7}, {1.0: 3, 0.5: 2, 0.25: 2}
    chosen = choose(Model(lambda key: scores[key[1]], lambda key: lost[key[1]]), [20], sorted(scores))
    chances = {one.scale: one.chance or 0.0 for one in chosen.candidates}
    assert 0.05 < chances[1.0] < chances[0.5] - 0.05 < 0.45
    # By chance times gain the larger scale would have it.
    assert chances[1.0] * scores[1.0] > chances[0.5] * scores[0.5]
    assert (chosen.scale, chosen.reason) == (0.5, "select.unlikely")


def test_where_nothing_was_gained_the_accident_of_a_few_rows_speaks_for_no_drift() -> None:
    """What became of answers drawn from the base itself (`benchmarks/known_truth.py nothing`, seed 5)."""
    scores, lost = {1.0: 2, 0.75: 4, 0.5: 2, 0.25: 1}, {1.0: 8, 0.75: 4, 0.5: 4, 0.25: 0}
    chosen = choose(Model(lambda key: scores[key[1]], lambda key: lost[key[1]]), [20], sorted(scores))
    chances = {one.scale: one.chance or 0.0 for one in chosen.candidates}
    # By chance times gain the larger scale would have it.
    assert chances[0.75] * scores[0.75] > chances[0.25] * scores[0.25]
    assert (chosen.scale, chosen.reason) == (0.25, "select.unlikely")


def test_a_candidate_that_only_says_what_is_most_frequent_is_not_likely_to_ship() -> None:
    """The verdict holds it against every control, not against the prompt with examples alone."""
    model = Model(lambda key: 48)
    alone = Exam(ROWS, PROBES, model.ask, AHEAD)
    beside = alone._replace(untaught=lambda rows: [[answer.score for answer in rows]])
    (free,), (held,) = (choose_candidate([20], [1.0], exam, {}).candidates for exam in (alone, beside))
    assert (free.chance or 0) > 0.5 > 0.2 > (held.chance or 0)


def test_without_probes_nothing_is_judged_by_what_it_forgot() -> None:
    model = Model(lambda key: 50, lambda key: 40)
    chosen = choose_candidate([20], [1.0], Exam(ROWS, [], model.ask, AHEAD), {})
    assert chosen.reason == "select.only"
    assert chosen.candidates[0].retention is None
    assert all(suite == "rows" for _, suite, _ in model.asked)


def test_what_is_as_likely_to_ship_and_drifts_less_is_chosen_where_the_gains_cannot_be_told_apart() -> None:
    """Four right answers of 60 against three, one lost answer against none: the larger worth is an accident."""
    scores, lost = {1.0: 4, 0.5: 3}, {1.0: 1, 0.5: 0}
    chosen = choose(Model(lambda key: scores[key[1]], lambda key: lost[key[1]]), [20], [1.0, 0.5])
    chances = {one.scale: one.chance or 0.0 for one in chosen.candidates}
    assert chances[0.5] * 3 < 0.9 * chances[1.0] * 4
    assert chances[0.5] > chances[1.0]
    assert chosen.scale == 0.5
