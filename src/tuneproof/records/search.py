"""A search: trials of other settings, halved by their select scores, and the one that was taken. In `trials.json`.

Scores are 0 to 1 on the select rows; the test rows meet the chosen adapter alone.
"""

from __future__ import annotations

from pydantic import BaseModel

from tuneproof import figures
from tuneproof.messages import Language, tell
from tuneproof.records.cure import Knob

SEARCHED = ("train.learning_rate", "lora.rank", "train.epochs", "replay.fraction")
"""Config keys that trials differ in."""


class SearchTrial(BaseModel):
    """One trial, as far as it got."""

    name: str
    changes: dict[str, Knob]
    """Config key -> value."""
    steps: int | None = None
    """Optimizer steps that it has trained."""
    checkpoint: int | None = None
    """The one that its score is of."""
    score: float | None = None
    chance: float | None = None
    """To ship, foreseen from the select rows and a slice of the probes; None for one that did not end."""
    halved: bool = False
    """Whether it was ended early, since others had scored better at as many steps."""
    failed: str | None = None

    def tell_changes(self, language: Language | None = None) -> list[str]:
        """Learning rate, rank, passes and share of replay, as they are shown."""
        rate, rank, passes, share = (self.changes.get(key) for key in SEARCHED)
        return [
            figures.format_decimal(rate, language) if isinstance(rate, float) else "-",
            str(rank) if rank is not None else "-",
            f"{passes:g}" if isinstance(passes, float) else "-",
            figures.format_percent(share, language) if isinstance(share, float) else "-",
        ]

    def tell_end(self, language: Language | None = None) -> str:
        """How it ended."""
        if self.failed is not None:
            return tell("trials.gate.failed", language)
        return tell("search.end.halved" if self.halved else "search.end.ended", language)


class Search(BaseModel):
    """What was tried, what was taken, and what its score is worth."""

    wanted: int
    tried: list[SearchTrial] = []
    n: int = 0
    """Select rows."""
    base: float | None = None
    """The base's score on them."""
    chosen: str | None = None
    score: float | None = None
    loss: float | None = None
    """What the chosen trial's select score is expected to lose on test (evals/winner.py)."""
    test: float | None = None
    """What it scored there."""

    def told(self, language: Language | None = None) -> list[str]:
        """What was taken, what its score is expected to lose, and what became of that."""
        if self.chosen is None or self.score is None:
            return [tell("search.no_choice", language)]
        score = figures.format_percent(self.score, language)
        ended = sum(not one.halved and one.failed is None for one in self.tried)
        lines = [tell("search.chosen", language, name=self.chosen, n=len(self.tried), ended=ended, score=score)]
        if self.loss is not None:
            expected = figures.format_percent(self.score - self.loss, language)
            points = figures.format_points(self.loss, language)
            lines.append(tell("search.loss", language, points=points, expected=expected, rows=self.n))
        if self.test is not None:
            lines.append(tell("search.test", language, test=figures.format_percent(self.test, language)))
        return lines
