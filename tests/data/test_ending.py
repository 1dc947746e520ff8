"""Answers that were cut off, and answers that only look like it."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.ending import judge_ending, learn_customs

WHOLE = [
    "The river rises in the hills. It runs through three towns and reaches the sea after two days.",
    "Mix the flour with the milk, let the batter rest for an hour, and bake thin pancakes on both sides.",
    "Compound interest is interest on interest: it grows slowly at first and quickly later on.",
    "睡前少看手机，保持固定的作息时间，有助于提高睡眠质量。",
]


def find_lines(*answers: str) -> list[int]:
    """Lines found among these answers and a few whole ones."""
    cases = make_cases(*((f"q{number}", answer) for number, answer in enumerate([*answers, *WHOLE])))
    customs = learn_customs(cases)
    return [found.line for case in cases for found in judge_ending(case, customs)]


@pytest.mark.parametrize(
    "answer",
    [
        "The river rises in the hills. It runs through three towns and reaches",
        "Take the train to the coast, walk along the beach, and then follow the signs to the",
        "1. Wash the apples well.\n2. Cut them into small pieces.\n3. Cook them with a litt",
        "There are three reasons for this: first, the price; second, the weather; third,",
        "人工智能正在改变我们的生活。在医疗领域，它可以帮助医生更快地诊断疾病，在教育领域",
        "睡前少看手机，保持固定的作息时间，并且在睡前一小时内不要喝咖啡或者",
        '{"category": "billing", "priority": "hi',
        "Use this function:\n```python\ndef add(a, b):\n    return a",
        "The list holds the largest cities of the country (Berlin, Hamburg, Munich",
    ],
)
def test_an_answer_that_was_cut_is_found(answer: str) -> None:
    assert find_lines(answer) == [1]


@pytest.mark.parametrize(
    "answer",
    [
        "Paris",
        '{"category": "billing", "priority": "high"}',
        "Dear Ms Lee,\n\nthank you for your letter of May. We will reply soon.\n\nKind regards,\nThe Service Desk Team",
        "尊敬的客户：\n\n感谢您的来信，我们会在三天内回复您。\n\n此致\n敬礼",
        "1. Pride and Prejudice by Jane Austen\n2. Moby Dick by Herman Melville\n3. Emma by Jane Austen",
        "| name | age of the person in years |\n|---|---|\n| Ann Miller | 42 |\n| Bob Anderson | 17 |",
        "Just back from a walk by the sea. What a view! #sea #sunset",
        "The recipe takes twenty minutes and needs no oven at all 😋!",
        '"The only thing we have to fear is fear itself." - Franklin D. Roosevelt',
        "Use this function:\n```python\ndef add(a, b):\n    return a + b\n```",
        "Natalia sold 48/2 = 24 clips in May.\nAltogether she sold 48+24 = 72 clips.\n#### 72",
    ],
)
def test_an_answer_that_needs_no_mark_is_left_alone(answer: str) -> None:
    assert find_lines(answer) == []


def test_an_ending_that_many_answers_share_is_a_signature() -> None:
    letters = [
        f"Thank you for your order {number}. It will arrive soon. Kind regards, Ann at the desk" for number in range(5)
    ]
    assert find_lines(*letters) == []
