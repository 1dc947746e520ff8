"""Which training rows did most to change one answer. `eval/blame/ITEM.json`, `tuneproof blame --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Suite = Literal["retention", "test"]
Against = Literal["base", "reference"]


class BlamedRow(BaseModel):
    """A row that was trained on, and how much it pushed."""

    id: str
    file: str
    line: int
    """1-based line in the user's file; of a replay row in `data/replay.jsonl`."""
    task: str
    replay: bool = False
    """Whether it is one of the base's own answers, mixed in."""
    score: float
    """Cosine of its gradient and the answer's, a mean over the checkpoints: above 0 (no push) and at most 1."""
    prompt: str
    answer: str

    @property
    def place(self) -> str:
        """Where the row can be mended: file and line."""
        return f"{'data/replay.jsonl' if self.replay else self.file}:{self.line}"


class Blame(BaseModel):
    """One answer of the tuned model, and the rows whose gradients point towards it."""

    id: str
    suite: Suite
    prompt: str
    reference: str
    base: str
    """The base's answer."""
    tuned: str
    """The tuned model's answer: what is explained."""
    right: bool
    """Whether the tuned answer is right: the rows then taught it."""
    against: Against | None
    """What the tuned answer was held against; None: nothing, only what made it likelier was looked for."""
    checkpoints: list[int]
    """Steps at which gradients were compared: those up to the chosen checkpoint."""
    n: int
    """Rows that were compared."""
    spread: float | None
    """Standard deviations by which the highest score lies above the mean of all n; None where all are the same."""
    noise_spread: float | None
    """What that would come to on average if the scores were noise."""
    rows: list[BlamedRow]
    """The most to blame first; rows that pushed the other way are not among them."""

    @property
    def stands_out(self) -> bool:
        """Whether the first row lies further above the others than noise would."""
        return self.spread is not None and self.noise_spread is not None and self.spread > self.noise_spread
