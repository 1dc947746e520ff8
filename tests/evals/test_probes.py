"""Retention probes: sound items, checks that neither pass wrong answers nor fail right ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tuneproof.evals import probes
from tuneproof.evals.probes import Probe, is_probe_right, load_probes
from tuneproof.evals.probes.checks import CHECKS
from tuneproof.evals.probes.told import tell_accepted


def read_answers(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()]


PROBES = load_probes("en")
BY_ID = {probe.id: probe for probe in PROBES}
RECORDED = read_answers("probe_answers.jsonl")
"""Greedy answers of SmolLM2-135M-Instruct to the 280 probes of the first version, each judged by a person."""
WRITTEN = read_answers("probe_answers_written.jsonl")
"""To each later probe a right and a wrong answer, made up for this test: not recorded from a model."""

KEYWORD_CHECKS = {"contains_word", "number", "first_of", "only_choice"}
"""Checks that look for the answer alone; every other one judges a format or an instruction followed."""


def n_grams(items: list[str], order: int) -> set[tuple[str, ...]]:
    return {tuple(items[at : at + order]) for at in range(len(items) - order + 1)}


def test_suite_is_large_enough_and_a_third_is_instruction_following() -> None:
    sizes = Counter(probe.family for probe in PROBES)
    families = {"arithmetic", "calendar", "code", "commonsense", "facts", "format", "instructions", "language"}
    assert set(sizes) == families | {"places", "reading", "science", "units"}
    assert min(sizes.values()) >= 40
    assert len(PROBES) >= 420
    assert sum(probe.check not in KEYWORD_CHECKS for probe in PROBES) / len(PROBES) >= 1 / 3


def test_ids_and_prompts_are_unique_and_ids_say_where_a_probe_belongs() -> None:
    assert len(BY_ID) == len(PROBES)
    assert len({" ".join(probe.prompt.casefold().split()) for probe in PROBES}) == len(PROBES)
    for probe in PROBES:
        assert re.fullmatch(rf"{probe.language}-{probe.family}-\d{{3}}", probe.id)


def test_no_two_probes_are_nearly_the_same() -> None:
    """Signs of arithmetic count; two questions about one passage are compared without it."""
    signs = re.compile(r"\w+|[-+*/<>=%]")
    assert len({tuple(signs.findall(probe.prompt.casefold())) for probe in PROBES}) == len(PROBES)
    texts = [(probe.id, *probe.prompt.casefold().partition("\n")[::2]) for probe in PROBES]
    grams = {name: n_grams(signs.findall(f"{first} {rest}"), 5) for name, first, rest in texts}
    for (one, first, rest), (two, other, end) in combinations(texts, 2):
        mine, theirs = grams[one], grams[two]
        if first == other:
            mine, theirs = n_grams(signs.findall(rest), 5), n_grams(signs.findall(end), 5)
        assert len(mine & theirs) < 0.8 * max(1, len(mine | theirs)), f"{one} and {two}"


def test_every_check_is_used() -> None:
    languages = {path.parent.name for path in Path(probes.__file__).parent.glob("*/*.jsonl")}
    assert {probe.check for language in languages for probe in load_probes(language)} == set(CHECKS)


def test_unknown_check_and_unknown_language_are_refused() -> None:
    with pytest.raises(ValidationError, match="no check"):
        Probe(id="x", family="f", language="en", prompt="p", check="eval", accept=("a",), max_new_tokens=8)
    with pytest.raises(ValueError, match="xx"):
        load_probes("xx")


def test_recorded_answers_are_judged_as_a_person_judged_them() -> None:
    wrong = [line for line in RECORDED if is_probe_right(BY_ID[line["id"]], line["answer"]) != line["right"]]
    assert wrong == []


def test_written_answers_are_judged_as_they_were_written() -> None:
    wrong = [line for line in WRITTEN if is_probe_right(BY_ID[line["id"]], line["answer"]) != line["right"]]
    assert wrong == []


def test_every_probe_has_a_recorded_answer_or_a_right_and_a_wrong_one() -> None:
    judged = {probe.id: {line["right"] for line in WRITTEN if line["id"] == probe.id} for probe in PROBES}
    recorded = {line["id"] for line in RECORDED}
    assert len(recorded) == len(RECORDED)
    assert {name for name, rights in judged.items() if rights != {True, False}} == recorded


def test_base_has_enough_to_lose_and_enough_to_gain() -> None:
    right = sum(line["right"] for line in RECORDED)
    assert right >= 130
    assert right <= 0.75 * len(RECORDED)


def test_silence_and_echo_are_never_right() -> None:
    for probe in PROBES:
        assert not is_probe_right(probe, "")
        assert not is_probe_right(probe, " \n")
        for echo in (probe.prompt, probe.prompt.upper(), f'"{probe.prompt}"', f"Sure! {probe.prompt}"):
            assert not is_probe_right(probe, echo), probe.id


def test_all_accepted_texts_at_once_are_not_an_exact_text() -> None:
    for probe in PROBES:
        if probe.check in ("exact_text", "exact_case") and len(probe.accept) > 1:
            for mark in (" ", ", ", "\n", " or "):
                assert not is_probe_right(probe, mark.join(probe.accept)), probe.id


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


def test_each_accepted_text_is_right_by_itself() -> None:
    for probe in PROBES:
        if probe.check in ("exact_text", "exact_case", "json_value", "python_line"):
            assert all(is_probe_right(probe, text) for text in probe.accept), probe.id


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
    for sides in (first, yes):
        assert sum(sides) in (len(sides) // 2, (len(sides) + 1) // 2)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_reader_is_told_to_be_right_is_right(language: str) -> None:
    sides = {*KEYWORD_CHECKS, "exact_lines", "zh_word", "zh_first_of"}
    for probe in load_probes(language):
        told = tell_accepted(probe.check, probe.accept) if probe.check in sides else ""
        wrong = [text for text in told.split(" / ") if told and not CHECKS[probe.check](text, probe.accept)]
        assert (probe.id, wrong) == (probe.id, [])


def test_a_reader_is_told_what_a_check_counts_and_combines() -> None:
    assert tell_accepted("only_choice", ("after", "before")) == "after"
    assert tell_accepted("zh_first_of", ("棉花", "!铁块")) == "棉花"
    assert tell_accepted("comma_list", ("2", "saturday", "sunday")) == "2 of: saturday / sunday"
    assert tell_accepted("zh_list", ("2", "、", "红", "绿")) == "其中 2 项：红 / 绿"
    assert tell_accepted("zh_count", ("7", "天", "日")) == "7天"
    assert tell_accepted("word_count", ("2", "9", "dog")) == "2 to 9 words, with: dog"
    assert tell_accepted("json_keys", ("name", "age")) == "name + age"
