"""Estimated lengths: near a real tokenizer's, and above them rather than below."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneproof.model.batch import count_shared
from tuneproof.model.chat import encode_prompt
from tuneproof.model.encoding import measure_rows
from tuneproof.model.load import load_tokenizer
from tuneproof.plan.lengths import LetterTokenizer, estimate_row, estimate_text
from tuneproof.records import Message


def test_english_rows_are_estimated_on_the_safe_side(demo_model: Path, data_dir: Path) -> None:
    tokenizer = load_tokenizer(str(demo_model))
    raw = json.loads((data_dir / "alpaca_en.json").read_text(encoding="utf-8"))[:150]
    rows = [
        [
            Message(role="user", content=f"{one['instruction']}\n{one['input']}".strip()),
            Message(role="assistant", content=one["output"]),
        ]
        for one in raw
        if one["output"]
    ]
    counted = list(measure_rows(tokenizer, rows))
    estimated = [estimate_row(row) for row in rows]
    for part in (0, 1):
        total = sum(one[part] for one in estimated) / sum(one[part] for one in counted)
        assert 1.0 <= total <= 1.3
    # The longest rows decide the memory: none of them is underestimated by much.
    longest = sorted(range(len(rows)), key=lambda at: -counted[at][0])[:15]
    assert min(estimated[at][0] / counted[at][0] for at in longest) >= 0.85


def test_scripts_are_told_apart() -> None:
    assert estimate_text("") == 0
    assert estimate_text("a" * 38) == 10
    assert estimate_text("字" * 15) == 10
    assert estimate_text("字" * 15 + "a" * 38) == 20
    assert estimate_text("я" * 20) == 10


def test_only_answers_are_trained() -> None:
    row = [Message(role="user", content="a" * 380), Message(role="assistant", content="b" * 38)]
    tokens, trained = estimate_row(row)
    assert trained == 11
    assert tokens > 110


def test_a_stand_in_for_a_tokenizer_counts_as_the_estimate_does() -> None:
    tokenizer = LetterTokenizer()
    messages = [
        Message(role="system", content="You sort tickets."),
        Message(role="user", content="My parcel is late. 我的包裹没有到。 Où est-il ?"),
        Message(role="assistant", content="delivery"),
    ]
    tokens, trained = next(measure_rows(tokenizer, [messages]))
    wanted = estimate_row(messages)
    assert tokens == pytest.approx(wanted[0], rel=0.2)
    assert trained == pytest.approx(wanted[1], abs=5)
    prompts = [
        encode_prompt(tokenizer, [messages[0], Message(role="user", content=text)]) for text in ("One of them", "Two")
    ]
    assert count_shared(prompts) == 4 + 5 + 4 + 4
    assert [len(ids) for ids in tokenizer(["abcd", ""]).input_ids] == [2, 0]
