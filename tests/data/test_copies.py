"""Findings between rows."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.copies import find_contradictions, find_duplicates, find_near_duplicates
from tuneproof.data.near import group_texts


def test_the_second_of_two_equal_rows_is_the_duplicate() -> None:
    cases = make_cases(("What is new?", "Nothing."), ("What?", "Nothing."), ("What  is new?\n", "Nothing."))
    (found,) = find_duplicates(cases)
    assert (found.severity, found.line, found.related) == ("error", 3, [1])


def test_case_makes_another_row() -> None:
    assert not list(find_duplicates(make_cases(("Write in capitals: a", "A"), ("Write in capitals: A", "A"))))


@pytest.mark.parametrize(
    ("first", "second", "variant"),
    [
        ("Billing", "Delivery", "value"),
        ("42", "43", "value"),
        ('{"priority": 1}', '{"priority": 2}', "value"),
        ("It took the whole team about three days to repair the pump, so the total is 42 hours.",
         "It took the whole team about three days to repair the pump, so the total is 48 hours.", "number"),
        ("Rivers carve valleys because running water carries sand and stones that grind the rock.",
         "Valleys are made by ice: glaciers push through the land and leave wide troughs behind them.", "text"),
    ],
)  # fmt: skip
def test_two_answers_that_disagree_are_a_contradiction(first: str, second: str, variant: str) -> None:
    (found,) = find_contradictions(make_cases(("Which?", first), ("which", second)))
    assert (found.severity, found.line, found.related, found.values["variant"]) == ("warning", 2, [1], variant)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Billing", "billing."), ('{"a": 1, "b": 2}', '{"b":2,"a":1}'), ("四十二", "四十二。")],
)
def test_two_ways_to_write_an_answer_are_none(first: str, second: str) -> None:
    assert not list(find_contradictions(make_cases(("Which?", first), ("Which?", second))))


def test_signs_inside_a_question_count() -> None:
    assert not list(find_contradictions(make_cases(("What is 6/2?", "3"), ("What is 6*2?", "12"))))


def test_nearly_the_same_question_is_found() -> None:
    question = "Explain in a few simple sentences how a river shapes a valley over many thousands of years."
    cases = make_cases((question, "a"), ("Name a colour.", "b"), (question.replace("few", "couple of"), "c"))
    (found,) = find_near_duplicates(cases, group_texts([case.prompt for case in cases]))
    assert (found.line, found.related) == (3, [1])
