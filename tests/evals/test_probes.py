"""Retention probes: sound items, checks that neither pass wrong answers nor fail right ones, replay kept apart."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from tuneproof.evals.probes import Probe, is_probe_right, load_probes
from tuneproof.evals.probes.checks import CHECKS

PROBES = load_probes("en")
BY_ID = {probe.id: probe for probe in PROBES}
RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parent / "probe_answers.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Greedy answers of SmolLM2-135M-Instruct to every probe, each judged by a person."""

VAGUE = {
    "a",
    "an",
    "and",
    "are",
    "as",
    "by",
    "called",
    "do",
    "does",
    "first",
    "for",
    "from",
    "get",
    "have",
    "how",
    "in",
    "into",
    "is",
    "it",
    "known",
    "many",
    "of",
    "on",
    "our",
    "q",
    "the",
    "there",
    "this",
    "to",
    "turn",
    "we",
    "what",
    "when",
    "which",
    "who",
    "you",
}
"""Words of a question that say nothing of what it asks about."""


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def read_prompts(language: str) -> list[str]:
    text = (files("tuneproof.training") / "prompts" / f"{language}.txt").read_text(encoding="utf-8")
    return text.splitlines()


def n_grams(items: list[str], order: int) -> set[tuple[str, ...]]:
    return {tuple(items[at : at + order]) for at in range(len(items) - order + 1)}


def test_suite_is_large_enough_and_a_third_is_instruction_following() -> None:
    sizes = Counter(probe.family for probe in PROBES)
    assert set(sizes) == {"facts", "arithmetic", "reading", "format", "language", "commonsense"}
    assert min(sizes.values()) >= 30
    assert 240 <= len(PROBES) <= 280
    assert sizes["format"] / len(PROBES) >= 1 / 3


def test_ids_and_prompts_are_unique_and_ids_say_where_a_probe_belongs() -> None:
    assert len(BY_ID) == len(PROBES)
    assert len({" ".join(probe.prompt.casefold().split()) for probe in PROBES}) == len(PROBES)
    for probe in PROBES:
        assert re.fullmatch(rf"{probe.language}-{probe.family}-\d{{3}}", probe.id)


def test_every_check_is_used() -> None:
    assert {probe.check for probe in PROBES} == set(CHECKS)


def test_unknown_check_and_unknown_language_are_refused() -> None:
    with pytest.raises(ValidationError, match="no check"):
        Probe(id="x", family="f", language="en", prompt="p", check="eval", accept=("a",), max_new_tokens=8)
    with pytest.raises(ValueError, match="xx"):
        load_probes("xx")


def test_recorded_answers_are_judged_as_a_person_judged_them() -> None:
    assert [line["id"] for line in RECORDED] == [probe.id for probe in PROBES]
    wrong = [line for line in RECORDED if is_probe_right(BY_ID[line["id"]], line["answer"]) != line["right"]]
    assert wrong == []


def test_base_has_enough_to_lose_and_enough_to_gain() -> None:
    right = sum(line["right"] for line in RECORDED)
    assert right >= 130
    assert right <= 0.75 * len(RECORDED)


def test_silence_and_echo_are_never_right() -> None:
    for probe in PROBES:
        assert not is_probe_right(probe, "")
        assert not is_probe_right(probe, probe.prompt)


@pytest.mark.parametrize(
    "answer",
    [
        "capital",
        "Yes.",
        "No.",
        "I don't know.",
        "A",
        "1",
        "{}",
        '{"category": "other"}',
        "I'm sorry, I can't help with that.",
    ],
)
def test_no_constant_answer_scores(answer: str) -> None:
    right = [probe.id for probe in PROBES if is_probe_right(probe, answer)]
    assert len(right) <= 0.02 * len(PROBES), right


def test_answer_key_in_a_sentence_is_right() -> None:
    for probe in PROBES:
        if probe.check in ("contains_word", "number", "only_choice", "first_of"):
            assert is_probe_right(probe, f"It is {probe.accept[0]}."), probe.id
            assert is_probe_right(probe, probe.accept[0].title()), probe.id


def test_wrong_side_of_a_choice_and_both_sides_are_wrong() -> None:
    for probe in PROBES:
        if probe.check in ("only_choice", "first_of"):
            right, wrong = probe.accept[:2]
            assert not is_probe_right(probe, f"It is {wrong}."), probe.id
            assert not is_probe_right(probe, f"It is {right} or {wrong}."), probe.id


def test_answering_one_side_of_every_choice_scores_at_chance() -> None:
    first, yes = [], []
    for probe in PROBES:
        if probe.family != "commonsense":
            continue
        if "Yes or no?" in probe.prompt:
            yes.append(probe.accept[0] == "yes")
        else:
            text = probe.prompt.casefold()
            first.append(text.index(probe.accept[0]) < text.index(probe.accept[1]))
    assert sum(first) * 2 == len(first)
    assert sum(yes) * 2 == len(yes)


@pytest.mark.parametrize(
    ("check", "accept", "answer", "right"),
    [
        ("contains_word", ("paris",), "The capital of France is **Paris**.", True),
        ("contains_word", ("paris",), "Paris, France", True),
        ("contains_word", ("paris",), "Sure! It is Paris.", True),
        ("contains_word", ("paris",), "It is Lyon. Paris is larger.", False),
        ("contains_word", ("paris",), "It is Paris or Rome.", False),
        ("contains_word", ("paris",), "Rome or Paris.", False),
        ("contains_word", ("paris",), "Paris, Rome, London, Madrid", False),
        ("contains_word", ("paris",), "It is not Paris.", False),
        ("contains_word", ("paris",), "Parisian", False),
        ("contains_word", ("sad", "unhappy"), 'The opposite is "sad" or "unhappy".', True),
        ("contains_word", ("2", "two"), "It has 0.2 wheels", False),
        ("number", ("12", "twelve"), "7 + 5 = 12", True),
        ("number", ("12", "twelve"), "The answer is 12.", True),
        ("number", ("12", "twelve"), "Twelve", True),
        ("number", ("12",), "7 + 5 = 13\n12", False),
        ("number", ("12",), "12 + 5 =", False),
        ("number", ("1234",), "The sum is 1,234.", True),
        ("first_of", ("horse", "mouse"), "A horse is bigger than a mouse.", True),
        ("first_of", ("horse", "mouse"), "A mouse is bigger than a horse.", False),
        ("first_of", ("horse", "mouse"), "Not the mouse, the horse.", True),
        ("only_choice", ("hot", "cold"), "Fire is hot, not cold.", True),
        ("only_choice", ("hot", "cold"), "Fire is both hot and cold.", False),
        ("only_choice", ("hot", "cold"), "Fire isn't hot.", False),
        ("exact_text", ("Good morning.",), '"good  morning"', True),
        ("exact_text", ("Good morning.",), "Good morning to you.", False),
        ("exact_case", ("STOP",), "STOP.", True),
        ("exact_case", ("STOP",), "Stop", False),
        ("starts_with", ("Dear Tom",), "Dear Tom,\n\nhow are you?", True),
        ("starts_with", ("Dear Tom",), "Dear Tom", False),
        ("starts_with", ("Dear Tom",), "Dear Tomas, hello", False),
        ("ends_with", ("night",), "It was a dark night.", True),
        ("ends_with", ("night",), "The night was dark.", False),
        ("question", ("dog", "dogs"), "Sure! Do you like dogs?", True),
        ("question", ("dog", "dogs"), "Dogs are nice.", False),
        ("question", ("dog", "dogs"), "How are you?", False),
        ("contains_all", ("def add(",), "```python\ndef add(a, b):", True),
        ("contains_all", ("def add(",), "def address(a):", False),
        ("one_sentence", ("dog",), "A dog is a friend.", True),
        ("one_sentence", ("dog",), "A dog is a friend. It barks.", False),
        ("one_sentence", ("dog",), "A dog is a friend who", False),
        ("sentence_with", ("dog", "ball"), "The dog saw the ball.", True),
        ("sentence_with", ("dog", "ball"), 'The words "dog" and "ball" are nouns.', False),
        ("sentence_with", ("dog", "ball"), "The dog slept.", False),
        ("word_count", ("2", "9", "dog"), '"The Lost Dog: A Journey"', True),
        ("word_count", ("2", "9", "dog"), "Dog", False),
        ("word_count", ("2", "9", "dog"), '{"title": "The Lost Dog"}', False),
        ("comma_list", ("2", "red", "blue", "green"), "Red, blue", True),
        ("comma_list", ("3", "red", "blue", "green"), "red, blue, and green.", True),
        ("comma_list", ("2", "red", "blue", "green"), "red, red", False),
        ("comma_list", ("2", "red", "blue", "green"), "red, dog", False),
        ("comma_list", ("2", "red", "blue", "green"), "1. red\n2. blue", False),
        ("numbered_list", ("2", "tea", "milk"), "1. Tea\n2. Milk", True),
        ("numbered_list", ("2", "tea", "milk"), "Sure:\n\n1) **Tea**\n2) Milk", True),
        ("numbered_list", ("2", "tea", "milk"), "1. Tea\n2. Milk\n3. Rum", False),
        ("numbered_list", ("2", "tea", "milk"), "1. Tea\n2. Tea", False),
        ("numbered_list", ("2", "tea", "milk"), "* Tea\n* Milk", False),
        ("bullet_list", ("2", "tea", "milk"), "- tea\n- milk", True),
        ("bullet_list", ("2", "tea", "milk"), "• tea\n• milk", True),
        ("bullet_list", ("2", "tea", "milk"), "1. tea\n2. milk", False),
        ("json_keys", ("name", "age"), '```json\n{"age": 3, "name": "Bo"}\n```', True),
        ("json_keys", ("name", "age"), '{"name": "Bo"}', False),
        ("json_keys", ("name", "age"), '{"name": "Bo", "age": 3', False),
        ("json_keys", ("name", "age"), '{"a":' * 100_000, False),
        ("json_keys", ("name", "age"), "name, age", False),
    ],
)
def test_check_separates_right_from_wrong(check: str, accept: tuple[str, ...], answer: str, right: bool) -> None:
    assert CHECKS[check](answer, accept) is right


@pytest.mark.parametrize("language", ["en", "zh"])
def test_replay_prompts_are_160_different_lines(language: str) -> None:
    prompts = read_prompts(language)
    assert len(prompts) == 160
    assert len({"".join(words(prompt)) for prompt in prompts}) == 160
    assert all(prompt.strip() == prompt for prompt in prompts)


def test_chinese_replay_prompts_are_chinese() -> None:
    assert all(re.search(r"[\u4e00-\u9fff]{2}", prompt) for prompt in read_prompts("zh"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_replay_prompt_is_nearly_a_probe(language: str) -> None:
    for prompt in read_prompts(language):
        mine = words(prompt)
        for probe in PROBES:
            theirs = words(probe.prompt)
            assert mine != theirs
            assert mine[:4] != theirs[:4], f"{prompt!r} has the pattern of {probe.prompt!r}"
            one, two = n_grams(mine, 5), n_grams(theirs, 5)
            assert len(one & two) < 0.5 * max(1, len(one | two)), f"{prompt!r} overlaps {probe.prompt!r}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_replay_prompt_asks_for_the_fact_of_a_probe(language: str) -> None:
    prompts = [set(words(prompt)) for prompt in read_prompts(language)]
    for probe in PROBES:
        if probe.family != "facts":
            continue
        subject = set(words(probe.prompt)) - VAGUE
        # A number is no giveaway: "three" stands in many prompts.
        answers = set() if probe.accept[0].isdigit() else {word for word in probe.accept if len(word) > 2}
        for prompt in prompts:
            assert len(subject & prompt) < 0.6 * len(subject), f"{sorted(prompt)} asks what {probe.id} asks"
            assert not answers & prompt, f"{sorted(prompt)} names the answer of {probe.id}"
