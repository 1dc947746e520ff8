"""Questions that the base asks itself, for replay where the project's own prompts run out.

A chat model has read many users. Given nothing but the opening of a user's turn, it goes on with a question out of that
experience (Magpie, Xu et al., arXiv 2406.08464), so these prompts cover what this very model was taught, in the
languages and about the things it knows. In: the loaded base (adapter off). Out: questions, drawn at temperature 1, the
same for the same seed; those that broke off, hold a second turn, or were drawn before are left out.

    for question in draw_turns(model, tokenizer, Draw(questions=256, seed=17, batch_size=64)): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tuneproof.model.chat import encode_opening, end_ids
from tuneproof.model.generate import sample_answers

LONGEST = 96
"""Tokens of a question. Longer ones are mostly whole texts to work on, whose answers are cut anyway."""
SHORTEST = 8
"""Bytes: less is a greeting or a broken start."""


class Draw(NamedTuple):
    """How many questions are drawn, and how."""

    questions: int
    """Questions drawn, before any is left out."""
    seed: int
    batch_size: int


def draw_turns(model: Any, tokenizer: Any, draw: Draw) -> Iterator[str]:
    """Questions as they are drawn, a batch at a time; what is not asked for is not drawn."""
    opening = encode_opening(tokenizer)
    ends = end_ids(tokenizer, model.generation_config)
    seen: set[str] = set()
    for start in range(0, draw.questions, draw.batch_size):
        size = min(draw.batch_size, draw.questions - start)
        made = sample_answers(
            model,
            [opening.ids] * size,
            limits=[LONGEST] * size,
            ends=ends,
            seed=draw.seed + start,
            batch_size=size,
        )
        for turn in made:
            text, closing, _ = tokenizer.decode(turn.ids).partition(opening.closing or "\0")
            text = text.strip()
            if (closing or turn.finish == "end") and text not in seen and is_question(tokenizer, text):
                seen.add(text)
                yield text


def is_question(tokenizer: Any, text: str) -> bool:
    """Whether a drawn turn can be asked: not nearly empty, one paragraph, no token of the template in it."""
    if len(text.encode()) < SHORTEST or "\n\n" in text or "\ufffd" in text:
        return False
    return not any(token in text for token in tokenizer.all_special_tokens)
