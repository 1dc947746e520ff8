"""Findings about one answer."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.answers import (
    find_absent_input,
    find_echoes,
    find_empty_instruction,
    find_empty_output,
    find_leaked_turns,
    find_refusals,
)
from tuneproof.data.balance import find_placeholders
from tuneproof.data.findings import make_case
from tuneproof.records import Message, Row

LONG = "The river rises in the hills and runs through three towns before it reaches the sea."


def test_an_empty_question_and_an_empty_answer_are_errors() -> None:
    for blank in ("", " \n\t"):
        (asked,) = make_cases((blank, "a"))
        (answered,) = make_cases(("q", blank))
        assert [found.severity for found in find_empty_instruction(asked)] == ["error"]
        assert [found.severity for found in find_empty_output(answered)] == ["error"]
    (fine,) = make_cases(("q", "0"))
    assert not [*find_empty_instruction(fine), *find_empty_output(fine)]


def test_an_empty_answer_on_the_way_counts() -> None:
    turns = [("user", "q"), ("assistant", ""), ("user", "again"), ("assistant", "a")]
    messages = [Message.model_validate({"role": role, "content": text}) for role, text in turns]
    row = Row(id="1", file="r.jsonl", line=1, task="r", messages=messages)
    assert list(find_empty_output(make_case(row)))


@pytest.mark.parametrize(
    "answer", ["TODO", "N/A", "<noinput>", "None", "null", "待补充", "略。", "同上", "暂无", "...", "-"]
)
def test_a_placeholder_among_long_answers_is_found(answer: str) -> None:
    cases = make_cases(("q", LONG), ("q", answer), ("q", LONG))
    assert [(found.kind, found.line) for found in find_placeholders(cases)] == [("placeholder_output", 2)]


def test_none_is_a_label_among_labels() -> None:
    cases = make_cases(("q", "QM-10017"), ("q", "none"), ("q", "QM-10018"), ("q", "无"))
    assert not list(find_placeholders(cases))


def test_a_placeholder_for_the_input_is_told_apart() -> None:
    (case,) = make_cases(("Name a river.\n<noinput>", LONG))
    (found,) = find_absent_input(case)
    assert (found.severity, found.values["variant"]) == ("info", "input")


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "Sorry, I am unable to do this.",
        "As an AI language model, I do not have opinions.",
        "I cannot assist with this request.",
        "Unfortunately, I can’t open links.",
        "很抱歉，我无法回答这个问题。",
        "对不起，我不能提供这些信息。",
        "作为一个人工智能语言模型，我没有个人情感。",
    ],
)
def test_a_refusal_is_found(answer: str) -> None:
    (case,) = make_cases(("q", answer))
    assert [found.kind for found in find_refusals(case)] == ["refusal_output"]


@pytest.mark.parametrize(
    "answer",
    [
        "Dear Ms Lee, we are sorry that the parcel arrived late. You can return it free of charge.",
        "As an AI engineer you design experiments.",
        "Penguins cannot fly, but they swim well.",
        "抱歉给您带来不便，我们会尽快为您补发。",
        "作为一个团队，我们无法忽视质量。",
    ],
)
def test_an_apology_is_no_refusal(answer: str) -> None:
    (case,) = make_cases(("q", answer))
    assert not list(find_refusals(case))


@pytest.mark.parametrize(
    "tail",
    [
        "\n\n### Instruction:\nNext",
        "\nUser: and now?",
        "\n##\n18. Instruction: x",
        "\n用户：还有呢？",
        "\nHuman: thanks",
        "\n<|user|> hi",
    ],
)
def test_a_leaked_turn_is_found(tail: str) -> None:
    (case,) = make_cases(("Name a river.", LONG + tail))
    assert [found.kind for found in find_leaked_turns(case)] == ["leaked_turn"]


def test_a_dialogue_that_was_asked_for_is_no_leak() -> None:
    talk = "User: Where is it?\nAssistant: On the left.\nUser: Thanks."
    asked, opening = make_cases(("Write a dialogue in a shop.", f"Here it is.\n{talk}"), ("Go on.", talk))
    assert not [*find_leaked_turns(asked), *find_leaked_turns(opening)]


def test_an_answer_that_repeats_the_question_is_found() -> None:
    question = "Describe how a river shapes a valley over time."
    same, longer, full, edit = make_cases(
        (question, question.upper()),
        (question, f"{question} Yes."),
        (question, f"{question} It cuts into the rock, carries the debris away and widens its bed in every flood."),
        ("Correct the sentence.\nThe river run fast through the valley.", "The river runs fast through the valley."),
    )
    assert list(find_echoes(same))
    assert list(find_echoes(longer))
    assert not [*find_echoes(full), *find_echoes(edit)]
