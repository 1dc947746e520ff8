"""Records of the evaluation: answers kept one by one, candidates, the choice."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Answer(BaseModel):
    """One answer of one arm to one item. A line of `eval/ARM/SUITE.jsonl`."""

    id: str
    task: str
    """The row's task; the probe's family."""
    scorer: str
    prompt: str
    reference: str
    answer: str
    score: float
    """0 to 1."""
    right: bool
    tokens: int
    finish: Literal["end", "length", "loop"]
    """`end`: the model ended its answer; `length`: it was cut at max_new_tokens; `loop`: it only repeated itself."""
    cluster: str | None = None
    """Duplicate cluster of a test row: rows of one cluster are not independent."""
    language: str | None = None

    @property
    def family(self) -> str:
        """A probe's family is one of a language: what is easy in one may be out of reach in another.

        The user's own probes name no language.
        """
        return f"{self.task} ({self.language})" if self.language else self.task


class Candidate(BaseModel):
    """One checkpoint at one adapter scale, scored on the select split."""

    checkpoint: int
    scale: float
    n: int
    score: float
    """Macro-average over tasks."""
    standard_error: float | None = None
    """Of the paired difference from the best candidate; None for the best itself."""
    retention: float | None = None
    """Share of a slice of base-right probes still right; None when not measured."""
    probes: int = 0
    """Probes of that slice."""
    lost: int | None = None
    gained: int | None = None
    train_loss: float | None = None
    degeneration: list[str] = []
    """Gates that fail."""
    chance: float | None = None
    """Chance to ship, foreseen from the select rows and the slice; None for what answered only a first look."""


class Selection(BaseModel):
    """Every candidate, and the one that was chosen. `eval/selection.json`."""

    checkpoint: int
    scale: float
    reason: str
    """Key of the message that says why."""
    candidates: list[Candidate]


class DriftRecord(BaseModel):
    """How far the tuned model has moved from the base. `eval/drift.json`. KL and losses in nats a token."""

    kl_retention: float | None
    """KL(base || tuned) along the base's answers to the probes."""
    kl_task: float | None
    """The same on the test rows."""
    text_loss_base: float | None
    """The base's loss on neutral text."""
    text_loss_change: float | None
    """Tuned minus base."""
    risk: float | None
    """Largest share of sampled probe answers that can differ from the base's, by their KL (Bretagnolle-Huber)."""
    items: dict[str, int] = {}
    tokens: int = 0
