"""The verdict. `verdict.json`. Scores, shares and differences are 0 to 1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Decision = Literal["ship", "dont_ship", "not_enough_evidence"]
Interval = tuple[float, float]


class Control(BaseModel):
    """The best answerer that has not learnt the task: what the tuned model must beat."""

    kind: Literal["few_shot", "most_frequent", "permuted"]
    score: float
    delta: float
    """Tuned minus control."""
    ci95: Interval
    n: int = 0
    """Test rows it answered."""
    rows_needed: int | None = None
    """Test rows at which a lead of this size would be found."""
    examples: int | None = None
    """Solved rows in the few-shot prompt, chosen on the select rows."""
    prompt_tokens: float | None = None
    """Mean tokens of that prompt: what it costs at every call."""
    plain_tokens: float | None = None
    """Mean tokens of the same questions without examples: what the tuned model reads."""


class TaskResult(BaseModel):
    """Base against tuned on the same items, of one task or (the verdict's `task`) macro-averaged over all."""

    task: str = "all"
    metric: str
    n: int
    base: float | None
    tuned: float | None
    delta: float | None
    ci95: Interval | None
    p_value: float | None
    better: int
    worse: int
    same: int
    base_ci95: Interval | None = None
    tuned_ci95: Interval | None = None
    control: Control | None = None


class Rewording(BaseModel):
    """The tuned model on some test rows as they are, and in other words."""

    n: int
    plain: float | None
    reworded: float | None
    delta: float | None
    """Reworded minus plain."""
    ci95: Interval | None
    worse: int
    """Rows that scored less when reworded."""
    example: str | None = None
    """The question that fell furthest, as it was asked; None where none fell."""
    example_plain: str | None = None
    example_reworded: str | None = None
    """Its answers."""


class LostItem(BaseModel):
    """A probe that the base answered right and the tuned model does not."""

    id: str
    family: str
    prompt: str
    reference: str
    base: str
    tuned: str


class CopiedAnswer(BaseModel):
    """A test answer that repeats a training answer where its own reference is another."""

    id: str
    prompt: str
    reference: str
    tuned: str
    training: str
    where: str
    """`file:line` of the training row."""


class Opening(BaseModel):
    """The opening that most of the tuned model's test answers share."""

    text: str
    """The first 8 words, marks or Chinese characters."""
    count: int
    n: int
    """Test answers."""
    references: int
    """References that begin so."""
    example: str


class Retention(BaseModel):
    """What was kept and what was lost of the base's other abilities."""

    n: int
    base_right: int
    lost: int
    gained: int
    p_value: float | None
    loss_upper95: float | None
    """Upper end of the 95 % interval of the net loss, as a share of all items."""
    net_loss: float | None = None
    """(lost - gained) / n."""
    kl_retention: float | None = None
    kl_task: float | None = None
    text_loss_change: float | None = None
    risk: float | None = None
    """Predicted from the drift: the largest share of sampled answers that can differ from the base's."""
    by_language: dict[str, dict[str, int]] = {}
    by_family: dict[str, dict[str, int]] = {}
    left_out: dict[str, dict[str, int]] = {}
    """Families that the base cannot answer, with their counts; they are not in the numbers above."""
    lost_items: list[LostItem] = []


class Verdict(BaseModel):
    """Ship, don't ship, or not enough evidence: with every number that led to it."""

    decision: Decision
    summary: dict[Literal["en", "zh"], str]
    reasons: list[str]
    """Keys of the catalogue (`verdict.reason.*`), in the order of their weight."""
    task: TaskResult
    tasks: list[TaskResult]
    retention: Retention
    degeneration: dict[str, dict[str, float | None]]
    """base, tuned, reference -> measure -> value."""
    degeneration_failed: list[str] = []
    overfitting: dict[str, float | None] = {}
    """train_rows, held_out_rows, train_score, held_out_score, gap (train minus held-out), gap_low, gap_high (its 95 %
    interval), copied (share of the long test answers), reference_known (share of the long references that training
    holds)."""
    copied_answers: list[CopiedAnswer] = []
    """The first few."""
    opening: Opening | None = None
    rewording: Rewording | None = None
    minimum_detectable_effect: float | None
    rows_needed: int | None
    """Test rows, or probes (see `open_on_test`), that would settle it; None where it is settled."""
    selection: dict[str, float | int] = {}
    thresholds: dict[str, float] = {}
    test_hash: str | None = None
    """Of the test items as they were asked: two verdicts with the same one are about the same questions."""
    seed: int
    seconds: dict[str, float] = {}

    @property
    def open_on_test(self) -> bool:
        """Whether `rows_needed` are test rows; where only the forgetting is open they are probes."""
        return bool({"no_test", "gain_unclear", "control_unclear"} & set(self.reasons))
