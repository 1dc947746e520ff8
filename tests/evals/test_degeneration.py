"""Degeneration: loops, endless, empty and stereotyped answers are seen; right answers that repeat are not blamed."""

from __future__ import annotations

import pytest

from tuneproof.evals.degeneration import judge_degeneration, measure_degeneration

THINGS = [
    "lamp",
    "chair",
    "table",
    "kettle",
    "mirror",
    "carpet",
    "pillow",
    "heater",
    "ladder",
    "basket",
    "clock",
    "vase",
]
REFERENCES = [
    f"The {one} leaves our house on day {at}, and you can send it back for a {one} in blue."
    for at, one in enumerate(THINGS)
]
CHINESE = [f"您的{one}将在第{at}天发货，如需退换请联系{one}客服。" for at, one in enumerate("灯椅桌壶镜毯枕炉梯篮钟瓶")]
ENDED = [True] * len(THINGS)


def judge(answers: list[str], finished: list[bool] | None = None, references: list[str] = REFERENCES) -> list[str]:
    """The gates that answers fail whose base answered as the references do."""
    reference = measure_degeneration(references, ENDED, references)
    return judge_degeneration(reference, measure_degeneration(answers, finished or ENDED, references), reference)


@pytest.mark.parametrize("references", [REFERENCES, CHINESE])
def test_references_pass_their_own_gates(references: list[str]) -> None:
    assert judge(references, references=references) == []


@pytest.mark.parametrize(("loop", "references"), [("so it is ", REFERENCES), ("好的", CHINESE)])
def test_loops_are_seen(loop: str, references: list[str]) -> None:
    failed = judge([text[:6] + loop * 5 for text in references], references=references)
    assert "seq_rep_4" in failed


def test_repetition_is_the_share_of_repeated_4_grams() -> None:
    # "a b a b a b": 4-grams abab, baba, abab: two of three are distinct.
    measured = measure_degeneration(["a b a b a b"] * 10, [True] * 10, ["a"] * 10)
    assert measured["seq_rep_4"] == pytest.approx(1 / 3)


def test_characters_are_the_tokens_of_chinese() -> None:
    measured = measure_degeneration(["好好好好好好"] * 10, [True] * 10, ["好好好"] * 10)
    assert measured["seq_rep_4"] == pytest.approx(2 / 3)
    assert measured["length_ratio"] == 2.0


def test_answers_that_do_not_end_are_seen_unless_the_base_did_not_either() -> None:
    cut = [at >= 3 for at in range(len(THINGS))]
    assert judge(REFERENCES, cut) == ["no_end_rate"]
    base = measure_degeneration(REFERENCES, cut, REFERENCES)
    assert judge_degeneration(base, base, measure_degeneration(REFERENCES, ENDED, REFERENCES)) == []


def test_empty_answers_are_seen() -> None:
    assert judge(["", " \n", *REFERENCES[2:]]) == ["empty_rate"]


def test_answers_too_short_or_too_long_are_seen() -> None:
    assert "length_ratio" in judge([" ".join(text.split()[:5]) for text in REFERENCES])
    longer = [f"{text} {REFERENCES[at - 1]} {REFERENCES[at - 2]}" for at, text in enumerate(REFERENCES)]
    assert "length_ratio" in judge(longer)


def test_one_answer_for_everything_is_seen() -> None:
    failed = judge(["Thank you for your message, we will come back to you soon with a good answer."] * len(THINGS))
    assert {"identical_openings", "distinct_2"} <= set(failed)


def test_house_style_openings_of_the_references_are_not_blamed() -> None:
    letters = [f"Thank you for your message to our service desk. The {one} is on its way." for one in THINGS]
    assert judge(letters, references=letters) == []


def test_right_labels_may_all_be_alike() -> None:
    labels = ["billing"] * len(THINGS)
    assert judge(labels, references=labels) == []


def test_nothing_to_measure_is_none_and_fails_no_gate() -> None:
    nothing = measure_degeneration([], [], [])
    assert set(nothing.values()) == {None}
    assert set(measure_degeneration(["", ""], [False, False], ["a", "b"]).values()) == {None}
    assert judge_degeneration(nothing, nothing, nothing) == []


def test_labels_have_no_repetition_and_no_opening() -> None:
    measured = measure_degeneration(["billing"] * 40, [True] * 40, ["billing"] * 40)
    assert measured["seq_rep_4"] is None
    assert measured["identical_openings"] is None
    assert measured["no_end_rate"] == 0.0
    assert measured["length_ratio"] == 1.0


def test_share_of_an_opening_is_of_all_answers() -> None:
    stereotype = "Dear customer, thank you for writing to us today"
    measured = measure_degeneration([stereotype] * 3 + ["yes"] * 9, ENDED, REFERENCES)
    assert measured["identical_openings"] == pytest.approx(3 / 12)


def test_a_tuned_model_that_opens_all_alike_fails_where_references_have_no_opening() -> None:
    labels = ["billing", "returns"] * 6
    reference = measure_degeneration(labels, ENDED, labels)
    tuned = measure_degeneration(["The answer to your question is, I think, billing"] * 12, ENDED, labels)
    assert "identical_openings" in judge_degeneration(reference, tuned, reference)


def test_what_the_base_does_no_less_is_no_degeneration() -> None:
    """Measured: 4-grams repeated 0.29 before and 0.21 after twenty steps on open questions, 0.015 in the references."""
    reference = measure_degeneration(REFERENCES, ENDED, REFERENCES)
    worse, bad = (
        measure_degeneration([text[:6] + " and on" * times for text in REFERENCES], ENDED, REFERENCES)
        for times in (60, 30)
    )
    alike = {"seq_rep_4", "distinct_2", "length_ratio"}
    assert alike <= set(judge_degeneration(reference, bad, reference))
    assert not alike & set(judge_degeneration(worse, bad, reference))
    assert alike <= set(judge_degeneration(bad, worse, reference))
