"""Questions that a base asks itself: the same for the same seed, no more than are wanted, whole turns only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.model.chat import encode_opening, encode_prompt
from tuneproof.model.load import Base, load_base
from tuneproof.records import Message
from tuneproof.training import turns
from tuneproof.training.turns import Draw, draw_turns, is_question


@pytest.fixture(scope="module")
def base(demo_model: Path) -> Base:
    return load_base(str(demo_model), device="cpu", dtype="float32")


def test_the_opening_stands_before_every_question(base: Base) -> None:
    opening = encode_opening(base.tokenizer)
    asked = encode_prompt(base.tokenizer, [Message(role="user", content="What is tea?")])
    assert asked[: len(opening.ids)] == opening.ids
    assert base.tokenizer.decode(asked[len(opening.ids) :]).startswith("What is tea?" + opening.closing)
    assert opening.closing == "<|im_end|>"


def test_the_base_asks_whole_questions_when_they_are_wanted_and_the_same_again(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST", 24)
    passes: list[int] = []
    hook = base.model.register_forward_hook(lambda *_: passes.append(1))
    questions = draw_turns(base.model, base.tokenizer, Draw(12, 3, 6))
    assert not passes, "nothing is drawn before it is wanted"
    drawn = [next(questions)]
    once = len(passes)
    drawn.extend(questions)
    assert once < len(passes)
    hook.remove()
    assert len(drawn) >= 2, "the demo model ends hardly a question by itself"
    assert len(set(drawn)) == len(drawn) <= 12
    assert not any("<|" in question or "\n\n" in question for question in drawn)
    first = list(draw_turns(base.model, base.tokenizer, Draw(6, 3, 6)))
    assert first
    assert first == drawn[: len(first)]
    assert first != list(draw_turns(base.model, base.tokenizer, Draw(6, 4, 6)))


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
def test_broken_turns_are_no_questions(base: Base, text: str, kept: bool) -> None:
    assert is_question(base.tokenizer, text) is kept
