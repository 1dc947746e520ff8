"""How a long stage tells its progress, without knowing who listens: a terminal, a log, a test.

`Quiet` listens to nothing; `tuneproof.cli.show` draws bars or plain lines.

    progress.begin("train", total=120)
    progress.advance(step, loss=1.23)
    progress.end("train")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Progress(Protocol):
    """What a listener offers. Stage names are `stage.NAME` in the catalogue, sentences are keys of it."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """A stage starts; `total` units of work are ahead (None: not known)."""

    def advance(self, done: int, **facts: float) -> None:
        """`done` units of the stage are behind; `facts` are numbers worth showing beside the bar."""

    def end(self, stage: str) -> None:
        """The stage is over."""

    def say(self, key: str, **values: object) -> None:
        """A sentence of the catalogue, above the bar."""

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """The loss-mask proof: one row as (text, trained or not) pieces; trained and all tokens of the whole data."""


class Quiet:
    """Listens to nothing."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, done: int, **facts: float) -> None:
        """Nothing."""

    def end(self, stage: str) -> None:
        """Nothing."""

    def say(self, key: str, **values: object) -> None:
        """Nothing."""

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """Nothing."""
