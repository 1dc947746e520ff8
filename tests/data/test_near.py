"""Clusters of near-duplicates: all planted twins found, nothing else joined, names that last."""

from __future__ import annotations

import random
import unicodedata

import pytest

from tests.data.rows import make_row
from tuneproof.data.near import cluster_rows, group_texts

WORDS = {
    "en": [
        *(
            "river",
            "valley",
            "stone",
            "water",
            "mountain",
            "forest",
            "village",
            "harbour",
            "market",
            "winter",
            "summer",
        ),
        *("morning", "evening", "letter", "engine", "window", "ticket", "silver", "copper", "garden", "kitchen"),
    ],
    "zh": list("河流山谷石头海洋森林村庄港口市场冬天夏季早晨夜晚信件窗户车票花园厨房桥梁城堡旅行船长老师医生引擎铜银"),
}


def write_text(generator: random.Random, language: str) -> list[str]:
    return generator.choices(WORDS[language], k=30 if language == "en" else 60)


def measure_similarity(one: str, other: str) -> float:
    """Jaccard similarity of character 5-grams, without any hashing."""
    first, second = ({text[at : at + 5] for at in range(len(text) - 4)} for text in (one, other))
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_twins_from_the_threshold_on_are_found_and_no_others(language: str) -> None:
    generator = random.Random(7)
    space = " " if language == "en" else ""
    texts, near = [], []
    for _ in range(150):
        words = write_text(generator, language)
        copy = list(words)
        for _ in range(generator.randint(1, 4)):
            copy[generator.randrange(len(copy))] = generator.choice(WORDS[language])
        texts += [space.join(words), space.join(copy)]
        near.append(measure_similarity(texts[-2], texts[-1]) >= 0.8)
    groups = group_texts(texts)
    found = [groups[2 * pair] == groups[2 * pair + 1] for pair in range(150)]
    both = [is_near and was_found for is_near, was_found in zip(near, found, strict=True)]
    assert 40 < sum(near) < 140
    assert sum(both) >= 0.98 * sum(near)
    assert sum(both) == sum(found)
    assert len(set(groups)) == 300 - sum(found)


def test_a_chain_of_twins_is_one_cluster() -> None:
    words = write_text(random.Random(1), "en")
    chain = [" ".join([*words[2 * step :], *["new"] * step]) for step in range(4)]
    assert measure_similarity(chain[0], chain[3]) < 0.8
    assert len(set(group_texts(chain))) == 1


def test_rows_of_one_template_are_compared_by_what_fills_it() -> None:
    generator = random.Random(2)
    template = "Read the message below and return a JSON object with the fields category, priority and order. Message: "
    filled = [template + " ".join(write_text(generator, "en")[:6]) for _ in range(200)]
    assert len(set(group_texts(filled))) == len(set(filled))
    twins = [*filled, filled[7].replace("Message: ", "Message:  ") + "."]
    assert group_texts(twins)[-1] == 7


def test_width_case_and_white_space_make_no_difference() -> None:
    text = "What does the harbour master of the old town do?"
    wide = unicodedata.normalize("NFKC", text).translate({code: code + 0xFEE0 for code in range(33, 127)})
    assert group_texts([text, text.upper(), f"  {text}\n", wide]) == [0, 0, 0, 0]


def test_short_and_empty_texts_are_told_apart() -> None:
    assert group_texts(["", "a", "b", "a", ""]) == [0, 1, 2, 1, 0]
    assert group_texts([]) == []


def test_a_cluster_is_named_by_its_smallest_row() -> None:
    rows = [make_row("What does the harbour master do?", f"a{number}", number) for number in (9, 3, 5)]
    rows.append(make_row("Name a colour.", "Blue", 1))
    names = cluster_rows(rows)
    assert names == {rows[0].id: rows[1].id, rows[1].id: rows[1].id, rows[2].id: rows[1].id, rows[3].id: rows[3].id}
    assert cluster_rows(rows[::-1]) == names
