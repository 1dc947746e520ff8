"""Probes are dealt so that the choice and the verdict are asked alike; a task and its rows get their scorers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.data.rows import make_row
from tuneproof.evals.task import PROBE, choose_scorers, deal_probes, make_row_items
from tuneproof.records import Answer


def make_answers(rights: list[tuple[str, bool]], scorer: str = PROBE) -> list[Answer]:
    return [
        Answer(
            id=f"{task}-{number:03d}",
            task=task,
            scorer=scorer,
            prompt="q",
            reference="a",
            answer="a",
            score=float(right),
            right=right,
            tokens=1,
            finish="end",
            language="en" if scorer == PROBE else None,
        )
        for number, (task, right) in enumerate(rights)
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["facts", "format", "units"]), st.booleans()), max_size=90), st.integers(0, 40)
)
def test_both_hands_have_the_same_share_of_each_family_and_of_what_is_right(
    rights: list[tuple[str, bool]], count: int
) -> None:
    answers = make_answers(rights)
    count = min(count, len(answers))
    dealt = deal_probes(answers, count)
    assert len(dealt["slice"]) == count
    assert sorted(one.id for part in dealt.values() for one in part) == sorted(one.id for one in answers)
    for part in dealt.values():
        assert part == [one for one in answers if one in part]
    kinds, chosen = Counter(rights), Counter((one.task, one.right) for one in dealt["slice"])
    for kind, number in kinds.items():
        assert abs(chosen[kind] - number * count / len(answers)) < 1


def test_an_answer_that_flips_moves_a_probe_or_two() -> None:
    before = make_answers([(f"family {number % 7}", number % 3 == 0) for number in range(300)])
    ids = {one.id for one in deal_probes(before, 90)["slice"]}
    for at in range(0, 300, 7):
        flipped = [one.model_copy(update={"right": one.right ^ (at == place)}) for place, one in enumerate(before)]
        assert len(ids ^ {one.id for one in deal_probes(flipped, 90)["slice"]}) <= 4


def test_the_users_own_probes_are_the_verdicts() -> None:
    ours, own = make_answers([("facts", True)] * 4), make_answers([("mine", True)] * 4, "number")
    dealt = deal_probes([*ours, *own], 2)
    assert [one.task for one in dealt["slice"]] == ["facts", "facts"]
    assert [one.task for one in dealt["retention"]] == ["facts", "facts", "mine", "mine", "mine", "mine"]
    assert deal_probes(own, 0) == {"slice": [], "retention": own}


def test_a_row_without_required_strings_leaves_those_of_the_others_in_force() -> None:
    rows = [make_row(f"What does order {at} hold?", f"It holds {at} lamps.", at) for at in range(20)]
    for row in rows[1:]:
        row.required = [f"{row.line} lamps"]
    scorers = choose_scorers(rows)
    assert scorers == {"rows": "required"}
    items = make_row_items(rows, scorers=scorers, limits={}, clusters={})
    assert [item.scorer for item in items] == ["short"] + ["required"] * 19
    assert choose_scorers(rows[:5]) == {"rows": "short"}
