"""Questions that a base asks itself: the same for the same seed, no more than are wanted, whole turns only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.model.chat import encode_opening, encode_prompt
from tuneproof.model.load import load_base
from tuneproof.records import Message
from tuneproof.training import turns
from tuneproof.training.turns import Draw, draw_turns, is_question


def test_the_opening_stands_before_every_question(demo_model: Path) -> None:
    tokenizer = load_base(str(demo_model), device="cpu", dtype="float32").tokenizer
    opening = encode_opening(tokenizer)
    asked = encode_prompt(tokenizer, [Message(role="user", content="What is tea?")])
    assert asked[: len(opening.ids)] == opening.ids
    assert tokenizer.decode(asked[len(opening.ids) :]).startswith("What is tea?" + opening.closing)
    assert opening.closing == "<|im_end|>"


def test_the_base_asks_whole_questions_and_the_same_again(demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST", 48)
    base = load_base(str(demo_model), device="cpu", dtype="float32")
    drawn = list(draw_turns(base.model, base.tokenizer, Draw(8, 3, 8)))
    assert len(drawn) >= 2, "the demo model ends hardly a question by itself"
    assert len(set(drawn)) == len(drawn) <= 8
    assert not any("<|" in question or "\n\n" in question for question in drawn)
    assert drawn == list(draw_turns(base.model, base.tokenizer, Draw(8, 3, 8)))
    assert drawn != list(draw_turns(base.model, base.tokenizer, Draw(4, 4, 4)))


def test_nothing_is_drawn_before_it_is_wanted(demo_model: Path) -> None:
    base = load_base(str(demo_model), device="cpu", dtype="float32")
    passes = []
    base.model.register_forward_hook(lambda *_: passes.append(1))
    questions = draw_turns(base.model, base.tokenizer, Draw(8, 3, 4))
    assert not passes
    next(questions)
    once = len(passes)
    list(questions)
    assert once < len(passes)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("How do plants drink?", True),
        ("Hi", False),
        ("First part.\n\nSecond part.", False),
        ("What is <|im_start|>user", False),
        ("broken \ufffd sign", False),
        ("请解释一下光合作用", True),
    ],
)
def test_broken_turns_are_no_questions(demo_model: Path, text: str, kept: bool) -> None:
    tokenizer = load_base(str(demo_model), device="cpu", dtype="float32").tokenizer
    assert is_question(tokenizer, text) is kept
