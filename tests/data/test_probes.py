"""The user's own probes: what is asked, what is left out and why, and what replay must not ask."""

from __future__ import annotations

import pytest

from tuneproof.data.probes import drop_asked, find_alike, list_words, name_families, sift_probes
from tuneproof.records import Message, Row


def make_row(number: int, question: str, answer: str = "yes", task: str = "own", file: str = "own.jsonl") -> Row:
    messages = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return Row(id=f"{file}-{number}", file=file, line=number, task=task, messages=messages)


TRAIN = [
    make_row(1, "Where does the desk for broken kettles sit in the north building?", file="train.jsonl"),
    make_row(2, "How many days may a customer keep a lamp before sending it back?", file="train.jsonl"),
]


def test_a_probe_that_training_asks_too_is_left_out_and_its_twin_named() -> None:
    exact = make_row(1, "  where does the desk for BROKEN kettles sit in the north building? ")
    near = make_row(2, "How many days may a customer keep a lamp before sending it back??")
    fresh = make_row(3, "Which gas do plants take in from the air?")
    sifted = sift_probes([exact, near, fresh], TRAIN)
    assert sifted.rows == [fresh]
    assert [(out.row.line, out.why, out.other.line if out.other else 0) for out in sifted.left_out] == [
        (1, "trained", 1),
        (2, "trained", 2),
    ]


def test_a_probe_is_left_out_without_an_answer_and_when_it_is_asked_twice() -> None:
    rows = [make_row(1, "What is ice made of?", "water"), make_row(2, "What is a bay?", " "), make_row(3, "", "a")]
    rows.append(make_row(4, "what is  ice made of?", "frozen water"))
    sifted = sift_probes(rows, TRAIN)
    assert [row.line for row in sifted.rows] == [1]
    assert [(out.row.line, out.why) for out in sifted.left_out] == [(2, "empty"), (3, "empty"), (4, "twice")]


def test_equal_rows_are_told_apart_by_their_place() -> None:
    """Two rows that are equal in every field: one is asked, not none."""
    twin = make_row(1, "What is the largest ocean on Earth?")
    assert len(sift_probes([twin, twin.model_copy()], []).rows) == 1


def test_similar_probes_of_one_form_are_all_asked() -> None:
    rows = [make_row(n, f"What is the capital of {land}?") for n, land in enumerate(["France", "Peru", "Chad"])]
    assert sift_probes(rows, TRAIN).rows == rows


def test_a_family_that_has_the_name_of_one_of_ours_is_named_by_its_file() -> None:
    rows = [make_row(1, "a", task="facts"), make_row(2, "b", task="billing")]
    assert [row.task for row in name_families(rows, {"facts", "code"})] == ["own.jsonl: facts", "billing"]


def test_a_replay_prompt_that_a_probe_asks_is_dropped() -> None:
    prompts = ["Describe a quiet morning by the sea in two sentences.", "Name three tools that a gardener uses."]
    probes = [make_row(1, "Name three tools that a gardener uses")]
    assert drop_asked(prompts, probes) == prompts[:1]
    assert drop_asked(prompts, []) == prompts


@pytest.mark.parametrize(
    ("prompt", "alike"),
    [
        ("the capital city of France, please", True),
        ("Name the capital of Peru.", False),
        ("What do cats eat?", False),
        ("法国的首都叫什么名字？", True),
        ("法国人吃什么？", False),
        ("12 plus 30 is what?", True),
    ],
)
def test_a_prompt_with_most_words_of_a_probe_may_ask_the_same(prompt: str, alike: bool) -> None:
    asked = [
        list_words(text) for text in ("What is the capital of France?", "法国的首都是什么？", "What is 12 plus 30?")
    ]
    assert find_alike(prompt, asked) is alike
