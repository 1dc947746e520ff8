"""Replay keeps the base's own good answers and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.rows import make_row
from tuneproof.config.replay import MOST_COPIES
from tuneproof.model.generate import Generated
from tuneproof.model.load import load_base
from tuneproof.training.replay import Limits, generate_replay, keep_answer, load_prompts, repeat_rows


@pytest.mark.parametrize(
    ("text", "answer", "kept"),
    [
        ("Paris is the capital.", Generated([1, 2, 3, 4, 5], "end"), True),
        ("Paris is the capital.", Generated([1, 2, 3, 4, 5], "length"), False),
        ("", Generated([], "end"), False),
        ("What is the capital", Generated([1, 2, 3], "end"), False),
        ("France", Generated([1, 2], "end"), True),
        ("la la la", Generated([1, 2, 3, 4] * 6, "end"), False),
    ],
)
def test_cut_empty_echoing_and_looping_answers_are_dropped(text: str, answer: Generated, kept: bool) -> None:
    assert keep_answer("What is the capital of France?", text, answer) is kept


def test_rows_hold_the_answers_the_base_gives(demo_model: Path) -> None:
    base = load_base(str(demo_model), device="cpu", dtype="float32")
    prompts = load_prompts("en")[:6]
    rows = generate_replay(base.model, base.tokenizer, prompts, Limits(10_000, 24, 6))
    assert rows, "the demo model ends none of six short answers"
    for row in rows:
        assert row.messages[0].content in prompts
        assert row.reference
        assert row.task == "replay"
    few = generate_replay(base.model, base.tokenizer, prompts, Limits(1, 24, 6))
    assert [row.reference for row in few] == [rows[0].reference]


@pytest.mark.parametrize(
    ("held", "wanted", "copies"),
    [(100, 100, 1), (100, 149, 1), (100, 151, 2), (100, 390, 4), (100, 9000, 4), (0, 50, 1)],
)
def test_few_rows_are_seen_several_times_but_not_for_ever(held: int, wanted: int, copies: int) -> None:
    rows = [make_row("a?", "a", 1), make_row("b?", "b", 2)] if held else []
    repeated, tokens = repeat_rows(rows, held, wanted)
    assert [row.copies for row in repeated] == [copies] * len(rows)
    assert tokens == copies * held
    assert copies <= MOST_COPIES
