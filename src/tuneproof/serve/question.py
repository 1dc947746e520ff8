"""What the engine is asked, and what it says. No HTTP and no torch: the app and `chat` both speak this.

question = Question(prompt=encode_prompt(tokenizer, messages), scales={0: 0.5}, limit=64)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Finish = Literal["stop", "length"]
"""`stop`: the model ended it, or a stop string came; `length`: cut at the limit. OpenAI's words."""


class Question(NamedTuple):
    """One answer that is wanted."""

    prompt: tuple[int, ...]
    scales: Mapping[int, float]
    """Adapter, by its number -> scale; empty: the base."""
    limit: int
    """New tokens at most."""
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    """0: the likeliest token, as everything of a run is measured."""
    top_p: float = 1.0
    seed: int | None = None
    likely: int | None = None
    """Likeliest tokens whose log probabilities are wanted beside the chosen one's; None: not even that."""

    @property
    def room(self) -> int:
        """Tokens that it may take in all."""
        return len(self.prompt) + self.limit


class Scored(NamedTuple):
    """A token that was said, with its natural log probability under the model (temperature 1)."""

    token: int
    spelling: bytes
    logprob: float
    likeliest: tuple[tuple[bytes, float], ...]
    """Spelling and log probability, the likeliest first."""


class Usage(NamedTuple):
    """Tokens of an answer; the one that ended it is not counted."""

    prompt: int
    answer: int


class Piece(NamedTuple):
    """Some of an answer. The last one says how it ended."""

    text: str = ""
    scored: tuple[Scored, ...] = ()
    finish: Finish | None = None
    usage: Usage | None = None
    fault: str | None = None
    """In place of an ending: why there is none (`timeout`, `failed`, `closed`)."""

    @property
    def last(self) -> bool:
        """Whether nothing comes after it."""
        return self.finish is not None or self.fault is not None
