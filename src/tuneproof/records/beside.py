"""Records of what stands beside the verdict and never in it: a judge model's opinion, standard benchmarks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Vote(BaseModel):
    """What the judge model said of one test row with the answers in one order. A line of `eval/judge.jsonl`."""

    id: str
    first: Literal["base", "tuned"]
    """The arm whose answer it read first."""
    choice: Literal["base", "tuned", "tie", "unclear"]
    """`unclear`: its reply named no choice."""
    said: str
    """The end of its reply."""


class JudgeRecord(BaseModel):
    """Base against tuned in the eyes of a judge model. `eval/judge.json`. Shares are -1 to 1."""

    model: str
    host: str
    n: int
    """Test rows judged in both orders; equal answers are ties that it is not asked about."""
    wins: int
    """The tuned answer is better in both orders."""
    losses: int
    ties: int
    inconsistent: int
    """Ties among them that come from a choice that went with the order."""
    unclear: int
    """Rows, neither win nor loss, on which a reply named no choice."""
    net: float | None = None
    """(wins - losses) / n, macro-averaged over tasks."""
    ci95: tuple[float, float] | None = None
    p_value: float | None = None
    """Sign test of wins against losses."""
    error: str | None = None
    """Why rows are missing; the next start of the run asks on."""


class BenchmarkScore(BaseModel):
    """One metric of one benchmark, as lm-evaluation-harness tells it, with its standard errors."""

    task: str
    metric: str
    n: int | None = None
    higher_is_better: bool | None = None
    base: float | None = None
    base_error: float | None = None
    tuned: float | None = None
    tuned_error: float | None = None


class HarnessRecord(BaseModel):
    """Standard benchmarks. `eval/harness.json`; what the harness wrote lies in `eval/harness/`."""

    tasks: list[str]
    version: str = ""
    """Empty where the harness did not say."""
    scores: list[BenchmarkScore] = []
    error: str | None = None
    """The end of what the harness said when it failed; the next start of the run tries again."""
