"""Chinese retention probes: sound items, whose checks refuse what is wrong, empty, hedged or echoed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from tuneproof.evals.probes import Probe, is_probe_right, load_probes
from tuneproof.evals.probes.checks import CHECKS
from tuneproof.evals.probes.checks_zh import CHECKS_ZH
from tuneproof.evals.probes.text_zh import count_signs

PROBES = load_probes("zh")
BY_ID = {probe.id: probe for probe in PROBES}
WRITTEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "probe_answers_zh.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Right and wrong answers to probes of every family, made up for this test: not recorded from a model."""

KEYWORD_CHECKS = {"zh_word", "zh_first_of", "zh_yes_no", "zh_number", "zh_count"}
"""Checks that look for the answer alone; every other one judges a format or an instruction followed."""
FAMILIES = "arithmetic calendar code commonsense facts format instructions language reading units"


def normalise(text: str) -> str:
    """Signs and digits of `text`, and the signs of arithmetic."""
    return "".join(re.findall(r"[\w+×÷*/=<>-]", unicodedata.normalize("NFKC", text).casefold()))


def five_grams(text: str) -> set[str]:
    plain = normalise(text)
    return {plain[at : at + 5] for at in range(max(1, len(plain) - 4))}


def overlap(one: set[str], two: set[str]) -> float:
    """Jaccard similarity."""
    return len(one & two) / len(one | two)


def first_right(probe: Probe) -> str:
    """An answer by the key: the first accepted text, a count with its unit, a verb that says yes or no."""
    if probe.check == "zh_count":
        return probe.accept[0] + probe.accept[1]
    if probe.check == "zh_yes_no":
        return probe.accept[1] if probe.accept[0] == "是" else f"不{probe.accept[1]}"
    return probe.accept[0]


def test_suite_is_large_enough_and_a_third_is_instruction_following() -> None:
    sizes = Counter(probe.family for probe in PROBES)
    assert set(sizes) == set(FAMILIES.split())
    assert min(sizes.values()) >= 40
    assert len(PROBES) >= 420
    judged_on_format = [probe for probe in PROBES if probe.family in ("format", "instructions")]
    assert len(judged_on_format) / len(PROBES) >= 1 / 3
    assert not {probe.check for probe in judged_on_format} & KEYWORD_CHECKS


def test_ids_are_unique_and_count_up_within_their_family() -> None:
    for family in FAMILIES.split():
        names = [probe.id for probe in PROBES if probe.family == family]
        assert names == [f"zh-{family}-{number:03d}" for number in range(1, len(names) + 1)]
    assert len(BY_ID) == len(PROBES)
    assert {probe.language for probe in PROBES} == {"zh"}


def test_prompts_are_chinese() -> None:
    assert [probe.id for probe in PROBES if not re.search("[一-鿿]", probe.prompt)] == []


def test_no_two_prompts_are_the_same_or_nearly_so() -> None:
    assert len({normalise(probe.prompt) for probe in PROBES}) == len(PROBES)
    grams = {probe.id: five_grams(probe.prompt) for probe in PROBES}
    near = [(one, two) for one, two in combinations(grams, 2) if overlap(grams[one], grams[two]) >= 0.6]
    assert near == []


def test_every_check_of_chinese_answers_is_used() -> None:
    assert set(CHECKS_ZH) <= {probe.check for probe in PROBES}
    assert CHECKS_ZH.items() <= CHECKS.items()


def test_no_wrong_string_is_part_of_a_right_one() -> None:
    for probe in PROBES:
        if probe.check in ("zh_word", "zh_first_of"):
            right = [word for word in probe.accept if not word.startswith("!")]
            wrong = [word[1:] for word in probe.accept if word.startswith("!")]
            assert right, probe.id
            assert not any(bad in good for bad in wrong for good in right), probe.id


def test_written_answers_are_judged_as_they_were_written() -> None:
    wrong = [line for line in WRITTEN if is_probe_right(BY_ID[line["id"]], line["answer"]) != line["right"]]
    assert wrong == []


def test_written_answers_cover_every_family_with_right_and_wrong_ones() -> None:
    sides = {line["id"]: {other["right"] for other in WRITTEN if other["id"] == line["id"]} for line in WRITTEN}
    assert len(sides) >= 60
    assert all(side == {True, False} for side in sides.values())
    assert {BY_ID[name].family for name in sides} == set(FAMILIES.split())
    assert {BY_ID[name].check for name in sides} >= set(CHECKS_ZH)


def test_silence_and_echo_are_never_right() -> None:
    for probe in PROBES:
        assert not is_probe_right(probe, "")
        assert not is_probe_right(probe, "。 \n")
        for echo in (probe.prompt, f"“{probe.prompt}”", f"好的！{probe.prompt}", f"问题：{probe.prompt}"):
            assert not is_probe_right(probe, echo), (probe.id, echo)


@pytest.mark.parametrize(
    "answer",
    [
        "是的。",
        "是",
        "不是。",
        "不能",
        "我不知道。",
        "好的。",
        "A",
        "1",
        "5",
        "十",
        "{}",
        '{"类别": "其他"}',
        "对不起，我无法回答。",
    ],
)
def test_no_constant_answer_scores(answer: str) -> None:
    right = [probe.id for probe in PROBES if is_probe_right(probe, answer)]
    assert len(right) <= 0.02 * len(PROBES), right


def test_answer_key_is_right_bare_and_in_a_sentence() -> None:
    for probe in PROBES:
        if probe.check in KEYWORD_CHECKS:
            key = first_right(probe)
            assert is_probe_right(probe, key), probe.id
            assert is_probe_right(probe, f"**{key}**。"), probe.id
            if probe.check != "zh_yes_no":
                assert is_probe_right(probe, f"好的！\n答案是“{key}”。"), probe.id
                assert is_probe_right(probe, f"答案：{key}"), probe.id


def test_each_accepted_text_is_right_by_itself() -> None:
    for probe in PROBES:
        if probe.check in ("zh_word", "zh_exact", "json_value", "python_line"):
            for text in probe.accept:
                assert text.startswith("!") or is_probe_right(probe, text), (probe.id, text)


def test_denied_and_hedged_answers_are_wrong() -> None:
    for probe in PROBES:
        if probe.check == "zh_word":
            key = probe.accept[0]
            for answer in (f"不是{key}。", f"{key}或者别的", f"别的、{key}、其他", f"某某和{key}"):
                assert not is_probe_right(probe, answer), (probe.id, answer)


def test_key_inside_a_longer_number_is_wrong() -> None:
    for probe in PROBES:
        if probe.check in ("zh_number", "zh_count"):
            key, unit = probe.accept[0], (probe.accept[1:] or ("",))[0]
            for answer in (f"3{key}{unit}", f"{key}7{unit}", f"{key}.5{unit}", f"三十{key}{unit}或四十{unit}"):
                assert not is_probe_right(probe, answer), (probe.id, answer)


def test_wrong_side_and_both_sides_of_a_choice_are_wrong() -> None:
    for probe in PROBES:
        wrong = [word[1:] for word in probe.accept if word.startswith("!")]
        if probe.check in ("zh_word", "zh_first_of") and wrong:
            right = probe.accept[0]
            for answer in (wrong[0], f"是{wrong[0]}。", f"{right}和{wrong[0]}", f"{wrong[0]}或{right}。"):
                assert not is_probe_right(probe, answer), (probe.id, answer)


def test_all_accepted_texts_at_once_are_not_an_exact_text() -> None:
    for probe in PROBES:
        if probe.check == "zh_exact" and len(probe.accept) > 1:
            for mark in ("、", "，", "\n", "或"):
                assert not is_probe_right(probe, mark.join(probe.accept)), probe.id


def test_all_items_at_once_are_not_a_list_of_three() -> None:
    for probe in PROBES:
        if probe.check == "zh_list":
            assert not is_probe_right(probe, probe.accept[1].join((*probe.accept[2:], "别的"))), probe.id
        if probe.check == "zh_item_lines":
            mark = {"1.": "1. ", "-": "- ", "": ""}[probe.accept[1]]
            assert not is_probe_right(probe, "\n".join(mark + word for word in (*probe.accept[2:], "别的"))), probe.id


def test_format_and_length_of_lists_can_be_met() -> None:
    for probe in PROBES:
        words = probe.accept[2 : 2 + int(probe.accept[0])] if probe.check in ("zh_list", "zh_item_lines") else ()
        if probe.check == "zh_list":
            assert is_probe_right(probe, probe.accept[1].join(words)), probe.id
            assert not is_probe_right(probe, "。".join(words)), probe.id
        if probe.check == "zh_item_lines":
            marks = {"1.": [f"{n}. " for n in range(1, len(words) + 1)]}.get(probe.accept[1], [probe.accept[1]] * 9)
            lines = [mark + word for mark, word in zip(marks, words, strict=False)]
            assert is_probe_right(probe, "\n".join(lines)), probe.id
            assert not is_probe_right(probe, "\n".join(lines[:-1])), probe.id


def test_answering_one_side_of_every_choice_scores_at_chance() -> None:
    first = []
    for probe in PROBES:
        wrong = [word[1:] for word in probe.accept if word.startswith("!")]
        if probe.family == "commonsense" and wrong:
            first.append(probe.prompt.index(probe.accept[0]) < probe.prompt.index(wrong[0]))
    assert abs(2 * sum(first) - len(first)) <= 2
    yes = Counter(probe.accept[0] for probe in PROBES if probe.check == "zh_yes_no")
    assert yes["是"] == yes["否"]


def test_a_limit_of_tokens_leaves_room_for_the_shortest_right_answer() -> None:
    """A tokenizer with little Chinese spends up to two tokens a sign."""
    for probe in PROBES:
        if probe.check in ("zh_exact", "zh_word"):
            shortest = min(count_signs(text) for text in probe.accept if not text.startswith("!"))
            assert probe.max_new_tokens >= min(40, 4 + shortest), probe.id
